"""Returns, as people and tools read them. Reads only."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Literal

from domain import ids
from domain.errors import NotFound
from domain.fulfilment.tracking import CarrierStatus
from domain.money import to_decimal
from domain.orders.return_messages import ReturnReason, ReturnState
from store.aftersales.returns import FoundUnits
from store.database import Connection, load_queries
from store.views.reads import Row

_sql = load_queries(__file__)


class ReturnedLine(Row):
    """Units of a line that come back, and what became of those that came, by their condition."""

    line_id: str
    sku: str
    quantity: int
    reason_code: ReturnReason
    restocked: int
    scrapped: int
    refurbished: int
    to_supplier: int
    units: tuple[FoundUnits, ...]


class ParcelLabel(Row):
    """The label of a return's parcel, and what its carrier says of it.

    `fee`: what the customer pays for it, tax included. `first_scan_at`: when the carrier had it.
    """

    state: Literal["requested", "bought", "refused", "voided"]
    carrier: str | None
    tracking_number: str | None
    refusal: str | None
    fee: str
    carrier_status: CarrierStatus
    first_scan_at: datetime | None
    last_scan_at: datetime | None


class Return(Row):
    """A return. `asks`: the codes of the rules by which a person decides about it.

    `ended_because`: why it ended before anything came. `label`: None: the customer sends the parcel
    without one of ours. `exchange_order_id`: the order of what is sent for it.
    """

    return_id: str
    order_id: str
    channel: str
    seller: str
    kind: Literal["customer", "undeliverable", "found", "claimed"]
    state: ReturnState
    reason: str
    asks: tuple[str, ...]
    ended_because: str | None
    fulfilment_id: str | None
    changed_at: datetime
    exchange_order_id: str | None
    label: ParcelLabel | None
    lines: tuple[ReturnedLine, ...]


async def find(
    conn: Connection,
    *,
    state: ReturnState | None = None,
    order_id: str | None = None,
    return_id: str | None = None,
    channels: Collection[str] | None = None,
    sellers: Collection[str] | None = None,
    after: tuple[datetime, str] | None = None,
    at_most: int = 1000,
) -> list[Return]:
    """Returns that match every filter that is given, those that changed last first.

    `after`: a page behind the return that changed then and has this id.
    """
    after_at, after_id = after or (None, None)
    rows = _sql.find(
        conn,
        state=state,
        order_id=order_id,
        return_id=return_id,
        channels=None if channels is None else sorted(channels),
        sellers=None if sellers is None else sorted(sellers),
        after_at=after_at,
        after_id=after_id,
        at_most=at_most,
    )
    return [Return(**{**row, "label": _label(row["label"])}) async for row in rows]


async def get(conn: Connection, return_id: str) -> Return:
    """One return. Raises NotFound."""
    found = await find(conn, return_id=return_id, order_id=ids.order_of(return_id), at_most=1)
    if not found:
        raise NotFound(f"there is no return {return_id}; see `orderloom returns list`")
    return found[0]


def _label(row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if row is None:
        return None
    fee = str(to_decimal(row["fee_minor"], row["currency"]))
    return {**{k: v for k, v in row.items() if k not in ("fee_minor", "currency")}, "fee": fee}
