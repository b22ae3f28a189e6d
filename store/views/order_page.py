"""What an order's page shows to who works with it, beside what everybody sees. Reads only."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Literal

from domain.errors import NotFound
from domain.stored import stored
from store.database import Connection, load_queries
from store.views.reads import Row

_sql = load_queries(__file__)


class Scan(Row):
    """What a carrier has said of a parcel, and in which words."""

    fulfilment_id: str
    status: str
    happened_at: datetime
    detail: str


class AskedCarrier(Row):
    """That a carrier was asked to stop a parcel, and what it has answered."""

    fulfilment_id: str
    way: Literal["redirect", "return"]
    answer: Literal["asked", "accepted", "refused", "given_up"]
    since: datetime


class WaitingUnits(Row):
    """Units of a line that wait for stock, and the day that the customer was told."""

    line_id: str
    quantity: int
    promised_on: date | None


class OtherOrder(Row):
    """The order at the other end of an exchange, and the return that it is about."""

    return_id: str
    order_id: str


class UntoldEvent(Row):
    """An event that a subscriber has not taken: it is tried again, or waits for such a one."""

    subscription_id: str
    type: str
    state: Literal["retrying", "waiting"]
    tries: int
    next_at: datetime
    last_error: str


class OrderFacts(Row):
    """`mark`: another text as soon as any of what the page shows is another one.

    `customer_no`: None of one who is erased. `names`: SKU → its name. `scans`: latest first.

    `exchanged_for`: orders of what is sent for returns of this one. `sent_for`: of which return
    this order is sent.
    """

    mark: str
    customer_no: int | None
    names: dict[str, str]
    scans: tuple[Scan, ...]
    interceptions: tuple[AskedCarrier, ...]
    backorders: tuple[WaitingUnits, ...]
    exchanged_for: tuple[OtherOrder, ...]
    sent_for: OtherOrder | None
    untold: tuple[UntoldEvent, ...]


async def facts(conn: Connection, order_id: str) -> OrderFacts:
    """All of it, of one order. Raises NotFound."""
    row = await _sql.facts(conn, order_id=order_id)
    if row is None:
        raise NotFound(f"there is no order {order_id}")
    return stored(OrderFacts, dict(row))


async def marks(conn: Connection, order_ids: Collection[str]) -> dict[str, str]:
    """Order id → its mark. One that is not there is left out."""
    rows = _sql.marks(conn, order_ids=list(order_ids))
    return {row["order_id"]: row["mark"] async for row in rows}
