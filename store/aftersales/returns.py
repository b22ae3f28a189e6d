"""Returns: approved by the shop or undeliverable, and the counts of the units that arrived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, NonNegativeInt

from domain import ids
from domain.aftersales.conditions import Condition, Disposition
from domain.errors import NotFound
from domain.orders.quantities import LineUnits
from domain.orders.return_messages import ReturnReason, ReturnState
from store.database import Connection, Record, load_queries
from store.locks import lock_order
from store.orders import events

_sql = load_queries(__file__)


class Counted(BaseModel):
    """The warehouse's count of one line in a return parcel. Uncounted units are missing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    restocked: NonNegativeInt = 0
    scrapped: NonNegativeInt = 0
    refurbished: NonNegativeInt = 0
    to_supplier: NonNegativeInt = 0

    @property
    def received(self) -> int:
        return self.restocked + self.scrapped + self.refurbished + self.to_supplier


class FoundUnits(BaseModel):
    """Units of a line in one condition, and what becomes of them.

    `lacks`: of a kit, the parts that each of them came without.
    """

    model_config = ConfigDict(frozen=True)

    quantity: int
    condition: Condition
    disposition: Disposition
    photo: str | None = None
    reference: str | None = None
    lacks: dict[str, int] = {}


class ReturnLine(BaseModel):
    """One line of a return."""

    model_config = ConfigDict(frozen=True)

    line_id: str
    sku: str
    quantity: int
    reason_code: ReturnReason
    restocked: int
    scrapped: int


async def create(
    conn: Connection,
    return_id: str,
    *,
    kind: Literal["customer", "undeliverable", "claimed"],
    fulfilment_id: str | None,
    units: LineUnits,
    skus: Mapping[str, str],
    reason: str,
    reason_codes: Mapping[str, ReturnReason],
    asks: Sequence[str] = (),
) -> None:
    """Record an approved return, or one about which a person is asked (`asks`).

    The caller holds the order's lock, and knows that it is new.
    """
    order_id = ids.order_of(return_id)
    await _sql.insert_return(
        conn,
        return_id=return_id,
        order_id=order_id,
        kind=kind,
        fulfilment_id=fulfilment_id,
        state="requested" if asks else "approved",
        reason=reason,
        asks=list(asks),
    )
    await _sql.insert_return_lines(
        conn,
        return_id=return_id,
        order_id=order_id,
        line_ids=list(units),
        skus=[skus[line_id] for line_id in units],
        quantities=list(units.values()),
        reason_codes=[reason_codes.get(line_id, "other") for line_id in units],
    )


async def next_number(conn: Connection, order_id: str) -> int:
    """The number of the order's next return. The caller holds the order's lock."""
    number: int = await _sql.next_number(conn, order_id=order_id)
    return number


async def locked(conn: Connection, return_id: str) -> Record:
    """Lock the return's order and read the return. Raises NotFound."""
    try:
        await lock_order(conn, ids.order_of(return_id))
        row = await find(conn, return_id)
    except NotFound:
        row = None
    if row is None:
        raise NotFound(f"there is no return {return_id}; see `orderloom warehouse tasks`")
    return row


async def find(conn: Connection, return_id: str) -> Record | None:
    """A return, or None. The caller holds the order's lock."""
    row: Record | None = await _sql.return_of(conn, return_id=return_id)
    return row


async def lines(conn: Connection, return_id: str) -> list[ReturnLine]:
    """The lines of the return, and the counts of the units that arrived."""
    return [ReturnLine(**row) async for row in _sql.return_lines(conn, return_id=return_id)]


async def count(
    conn: Connection,
    return_id: str,
    counted: Mapping[str, Counted],
    units: Mapping[str, Sequence[FoundUnits]],
) -> None:
    """Record the warehouse's count, and the units by their condition."""
    await _sql.count_return_lines(
        conn,
        return_id=return_id,
        line_ids=list(counted),
        restocked=[item.restocked for item in counted.values()],
        scrapped=[item.scrapped for item in counted.values()],
        refurbished=[item.refurbished for item in counted.values()],
        to_supplier=[item.to_supplier for item in counted.values()],
    )
    found = [(k, n, each) for k, some in units.items() for n, each in enumerate(some, 1)]
    await _sql.insert_units(
        conn,
        return_id=return_id,
        line_ids=[line_id for line_id, _, _ in found],
        numbers=[number for _, number, _ in found],
        units=[each.model_dump() for _, _, each in found],
    )


async def set_state(
    conn: Connection, return_id: str, state: ReturnState, *, because: str | None = None
) -> None:
    """Move a return on. `because`: it ends before anything came."""
    await _sql.set_return_state(conn, return_id=return_id, state=state, because=because)


async def paid_early(conn: Connection, return_id: str) -> None:
    """It is paid back before it is counted."""
    await _sql.paid_early(conn, return_id=return_id)


def parcel_step(return_id: str) -> str:
    """The name under which a parcel that does not come needs a person."""
    return f"return_parcel {return_id}"


async def settle(conn: Connection, order_id: str, step: str, note: str, *, who: str) -> bool:
    """A person has dealt with what no step of the order waits for. False if nobody was asked."""
    async with conn.transaction():
        await lock_order(conn, order_id)
        return await events.settle(conn, order_id, step, note, who=who)


async def default_location(conn: Connection, return_id: str) -> str:
    """Where a return goes if nobody says another place: to where it, or its order, left."""
    location: str = await _sql.default_location(conn, return_id=return_id)
    return location
