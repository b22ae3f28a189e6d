"""Four ways to claim stock for an order, which write the same rows.

Each takes the order in with its lines and sums, claims all of it or rejects it, and writes the
movement, the fulfilment, the reservation, the line's counts and the order's story, with the same
functions of `store/`. They differ in how they come by the stock, and in who shares a transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

from activities.stock.inventory import Inventory
from domain.orders.order import Order
from domain.orders.policy import Policy
from domain.stock.reservations import ReserveStock
from domain.stock.sourcing import Take
from store.batching import Batching
from store.database import Connection, Pool
from store.orders import events, intake, orders
from store.orders.intake import Received
from store.stock import allocations, reservations
from store.stock.catalogue import Catalogue

LOCATION: Final = "main"

_WHO: Final = "benchmark"
_WHOLE: Final = Policy(partly_available="all_or_nothing")

_LOCK: Final = """
SELECT on_hand - allocated - safety FROM stock WHERE sku = $1 AND location = $2 FOR UPDATE
"""
_TAKE: Final = """
UPDATE stock SET allocated = allocated + $3 WHERE sku = $1 AND location = $2
"""
_TAKE_IF_FREE: Final = """
UPDATE stock SET allocated = allocated + $3
WHERE sku = $1 AND location = $2 AND on_hand - allocated - safety >= $3
RETURNING allocated
"""
_BOOK: Final = """
INSERT INTO movement (effect, sku, location, kind, on_hand_change, allocated_change, order_no, who,
                      why)
VALUES ($1, $2, $3, 'allocated', 0, $4, order_no_of($5), $6, 'ordered')
"""


class Claims(Protocol):
    """A way to claim stock, which many may use at once."""

    name: str

    def __init__(self, pool: Pool) -> None: ...

    async def claim(self, order: Order) -> bool:
        """Record the order and claim its stock: all of it, or reject it. True: it was claimed."""
        ...


class ForUpdate:
    """As textbooks have it: lock the row, look what is free, write what is left."""

    name = "FOR UPDATE"

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def claim(self, order: Order) -> bool:
        """One transaction; the row is locked from the first look to the commit."""
        (line,) = order.lines
        async with self._pool.acquire() as conn, conn.transaction():
            await _begin(conn, order)
            free = await conn.fetchval(_LOCK, line.sku, LOCATION)
            if free is None or free < line.quantity:
                return await _reject(conn, order)
            await conn.execute(_TAKE, line.sku, LOCATION, line.quantity)
            return await _accept(conn, order)


class ConditionalUpdate:
    """One statement looks and takes; the row is locked from there to the commit."""

    name = "conditional"

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def claim(self, order: Order) -> bool:
        """One transaction."""
        (line,) = order.lines
        async with self._pool.acquire() as conn, conn.transaction():
            await _begin(conn, order)
            taken = await conn.fetchval(_TAKE_IF_FREE, line.sku, LOCATION, line.quantity)
            return await (_reject(conn, order) if taken is None else _accept(conn, order))


class Alone:
    """Orderloom's own, but a transaction per order: what batching itself gives and costs."""

    name = "orderloom, alone"

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._catalogue = Catalogue()

    async def claim(self, order: Order) -> bool:
        """One transaction."""
        async with self._pool.acquire() as conn, conn.transaction():
            await intake.take_in(conn, [Received(order, _WHOLE)])
            on_record = await orders.on_record(conn, [order.order_id])
            wanting = list(on_record.values())
            (reserved,) = await reservations.reserve(conn, wanting, self._catalogue)
        return bool(reserved.fulfilments)


class Together:
    """Orderloom's own: the activity as a worker runs it, sourcing and its reasons included."""

    name = "orderloom"

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._inventory = Inventory(pool)
        # As the door does it.
        self._intake = Batching(
            self._write_down,
            rivals_over=lambda _: ("intake",),
            size=lambda _: 1,
            size_max=500,
            writers_max=1,
        )

    async def claim(self, order: Order) -> bool:
        """In whichever transaction its turn comes."""
        await self._intake.answer(Received(order, _WHOLE))
        ask = ReserveStock(order_id=order.order_id)
        return bool((await self._inventory.reserve_stock(ask)).fulfilments)

    async def _write_down(self, received: Sequence[Received]) -> Sequence[bool]:
        async with self._pool.acquire() as conn:
            return await intake.take_in(conn, received)


ALL: Final[Sequence[type[Claims]]] = (ForUpdate, ConditionalUpdate, Alone, Together)


async def _begin(conn: Connection, order: Order) -> None:
    await intake.take_in(conn, [Received(order, _WHOLE)])
    await orders.begin(conn, [order.order_id])


async def _accept(conn: Connection, order: Order) -> bool:
    (line,) = order.lines
    effect = f"reserve:{order.order_id}"
    await conn.execute(_BOOK, effect, line.sku, LOCATION, line.quantity, order.order_id, _WHO)
    take = Take(line_id=line.line_id, sku=line.sku, location=LOCATION, quantity=line.quantity)
    claim = allocations.Claim(order.order_id, effect, [take])
    (planned,) = await allocations.write(conn, [claim], state="open")
    answer = {"fulfilments": [part.model_dump(mode="json") for part in planned]}
    await _tell(conn, order, "stock reserved", answer)
    return True


async def _reject(conn: Connection, order: Order) -> bool:
    everything = {line.line_id: line.quantity for line in order.lines}
    claim = allocations.Claim(order.order_id, "rejected", given_up=everything)
    await allocations.write(conn, [claim], state="open")
    await orders.decide(conn, order.order_id, "rejected", "not available")
    await _tell(conn, order, "rejected", {"missing": everything})
    return False


async def _tell(conn: Connection, order: Order, what: str, answer: dict[str, Any]) -> None:
    await events.tell(conn, order.order_id, "reserve_stock", what, who=_WHO, data=answer)
