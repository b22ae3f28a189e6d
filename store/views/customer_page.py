"""What a customer's page shows beside what everybody sees of an order. Reads only."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from domain.errors import NotFound
from domain.orders.amounts import LineWorth
from domain.orders.policy import Policy
from domain.stored import stored
from store.database import Connection, load_queries
from store.payments import tallies
from store.views.reads import Row

_sql = load_queries(__file__)


class AgreedTime(Row):
    """When a service is to be given; None: that is still to be agreed."""

    fulfilment_id: str
    begins_at: datetime | None
    missed: int


class WaitingUnits(Row):
    """Units of a line that wait for stock, and the day that the customer was told."""

    line_id: str
    quantity: int
    promised_on: date | None


class Scan(Row):
    """What a carrier has said of a parcel."""

    fulfilment_id: str
    status: str
    happened_at: datetime


class ExchangedFor(Row):
    """The order of what the customer gets for a return. `number`: as the customer knows it."""

    return_id: str
    order_id: str
    number: str


class Replacement(Row):
    """A SKU that can be had for another one. `there`: it can be sent, or ordered ahead."""

    sku: str
    name: str | None
    there: bool


class PageFacts(Row):
    """`providers`: by which the channel is paid; None: by any. `names`: SKU → its name.

    `in_workshops`: fulfilments that are worked on.
    """

    policy: Policy
    awaits_payment: bool
    providers: tuple[str, ...] | None
    names: dict[str, str]
    appointments: tuple[AgreedTime, ...]
    backorders: tuple[WaitingUnits, ...]
    in_workshops: tuple[str, ...]
    scans: tuple[Scan, ...]
    exchanges: tuple[ExchangedFor, ...]


async def facts(conn: Connection, order_id: str) -> PageFacts:
    """All of it, of one order. Raises NotFound."""
    row = await _sql.facts(conn, order_id=order_id)
    if row is None:
        raise NotFound(f"there is no order {order_id}")
    return stored(PageFacts, dict(row))


async def worth(conn: Connection, order_id: str) -> dict[str, LineWorth]:
    """Line id → what all its units are worth."""
    return (await tallies.load(conn, order_id)).charges.worth


async def replacements(conn: Connection, skus: Collection[str]) -> list[Replacement]:
    """What is known of SKUs that could be had for others, in their sequence."""
    rows = _sql.replacements(conn, skus=[*skus])
    return [stored(Replacement, dict(row)) async for row in rows]
