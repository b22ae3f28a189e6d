"""Four ways to claim stock for an order, which write the same rows.

Each records the order with its lines and sums, claims all of it or rejects it, and writes the
movement, the fulfilment, the reservation, the line's counts and the order's story, with the same
functions of `store/`. They differ in how they come by the stock, and in who shares a transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

from activities.stock.inventory import Inventory
from domain.orders.order import Order
from domain.stock.reservations import ReserveStock
from domain.stock.sourcing import Take
from store.database import Connection, Pool
from store.orders import events, orders
from store.stock import allocations, reservations

LOCATION: Final = "main"

_WHO: Final = "benchmark"
_RUN: Final = "run"

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
INSERT INTO movement (effect, sku, location, kind, on_hand_change, allocated_change, order_id, who,
                      why)
VALUES ($1, $2, $3, 'allocated', 0, $4, $5, $6, 'ordered')
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
            await orders.create(conn, [orders.Received(order, _RUN)])
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
            await orders.create(conn, [orders.Received(order, _RUN)])
            taken = await conn.fetchval(_TAKE_IF_FREE, line.sku, LOCATION, line.quantity)
            return await (_reject(conn, order) if taken is None else _accept(conn, order))


class Alone:
    """Orderloom's own, but a transaction per order: what batching itself gives and costs."""

    name = "orderloom, alone"

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def claim(self, order: Order) -> bool:
        """One transaction."""
        async with self._pool.acquire() as conn, conn.transaction():
            (reserved,) = await reservations.reserve(conn, [_asking(order)])
        return bool(reserved.fulfilments)


class Together:
    """Orderloom's own: the activity as a worker runs it, sourcing and its reasons included."""

    name = "orderloom"

    def __init__(self, pool: Pool) -> None:
        self._inventory = Inventory(pool)

    async def claim(self, order: Order) -> bool:
        """In whichever transaction its turn comes."""
        return bool((await self._inventory.reserve_stock(_asking(order))).fulfilments)


ALL: Final[Sequence[type[Claims]]] = (ForUpdate, ConditionalUpdate, Alone, Together)


def _asking(order: Order) -> ReserveStock:
    return ReserveStock(order=order, run_id=_RUN, partly_available="all_or_nothing")


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
    received = events.Event(order.order_id, "received", "received", f"channel {order.channel}")
    done = events.Event(order.order_id, "reserve_stock", what, _WHO, data=answer)
    await events.tell_all(conn, [received, done])
