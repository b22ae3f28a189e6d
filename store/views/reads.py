"""Orders as people and tools ask for them. Reads only, and never Temporal's histories."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from domain.errors import NotFound
from domain.orders.fulfilment_state import FulfilmentState
from domain.orders.handling import Handling
from domain.orders.return_messages import ReturnReason, ReturnState
from domain.views.order_snapshot import FulfilmentStatus, OrderState, PaymentStatus
from store.database import Connection, Record, load_queries
from store.orders import events
from store.payments import payments, refunds

_sql = load_queries(__file__)

Found = TypeVar("Found", Record, "OrderDetail")


class Row(BaseModel):
    """A row of a query's result: frozen, and without unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class OrderSummary(Row):
    """An order on one line. Amounts in minor units; units summed over all lines."""

    order_id: str
    channel: str
    seller: str
    channel_order_id: str
    customer_id: str
    currency: str
    total_minor: int
    placed_at: datetime
    received_at: datetime
    decided_at: datetime
    decision: str
    reason: str
    digest: str
    state: OrderState
    fulfilment_status: FulfilmentStatus
    payment_status: PaymentStatus
    authorized_minor: int
    captured_minor: int
    refunded_minor: int
    refund_granted_minor: int
    ordered: int
    allocated: int
    picked: int
    shipped: int
    delivered: int
    lost: int
    cancelled: int
    returned: int
    return_requested: int
    attention: bool
    held: str | None


class OrderLine(Row):
    """The counts of one line's units, and the worth of the whole line in minor units."""

    line_id: str
    position: int
    sku: str
    ordered: int
    open: int
    backordered: int
    allocated: int
    picked: int
    shipped: int
    delivered: int
    lost: int
    cancelled: int
    return_requested: int
    returned: int
    charged: int
    refunded: int
    invoiced: int
    conceded: int
    goods_minor: int
    tax_minor: int
    shipping_minor: int
    shipping_tax_minor: int
    includes_tax: bool
    handling: Handling


class FulfilmentRow(Row):
    """A fulfilment and its shipment. `units`: line id → units."""

    fulfilment_id: str
    location: str
    handling: Handling
    state: FulfilmentState
    recalled_from: str | None
    changed_at: datetime
    promised_leave: date | None
    promised_on: date | None
    label: str | None
    carrier: str | None
    tracking_number: str | None
    carrier_status: str | None
    last_scan_at: datetime | None
    handed_over_at: datetime | None
    units: dict[str, int]


class ReturnRow(Row):
    """A return. `lines`: line id → quantity, restocked, scrapped.

    `asks`: the codes of the rules by which a person decides about it.
    """

    return_id: str
    kind: Literal["customer", "undeliverable", "found", "claimed"]
    state: ReturnState
    reason: str
    reason_codes: dict[str, ReturnReason]
    asks: tuple[str, ...]
    ended_because: str | None
    changed_at: datetime
    lines: dict[str, dict[str, int]]


class AttentionRow(Row):
    """A step that needs a person. `allowed`: the answers to it; none when it ends by itself."""

    order_id: str
    step: str
    reason: str
    since: datetime
    allowed: tuple[str, ...]


class EventRow(Row):
    """One line of an order's story."""

    event_id: int
    at: datetime
    what: str
    who: str
    why: str
    data: dict[str, Any]


class News(Row):
    """An order's state, with the reason for it if there is one, and a part of its story."""

    state: OrderState
    reason: str
    story: tuple[EventRow, ...]


class OrderDetail(Row):
    """Everything about an order. `waits_to_start`: its workflow has not begun."""

    summary: OrderSummary
    waits_to_start: bool
    cancelling: EventRow | None  # somebody has asked for it, and it is not decided yet
    lines: tuple[OrderLine, ...]
    fulfilments: tuple[FulfilmentRow, ...]
    returns: tuple[ReturnRow, ...]
    payments: tuple[payments.Payment, ...]
    refunds: tuple[refunds.Refund, ...]
    attention: tuple[AttentionRow, ...]
    story: tuple[EventRow, ...]
    document: dict[str, Any]


async def find_summary(conn: Connection, order_id: str) -> OrderSummary | None:
    """One order, or None."""
    row = await _sql.summary(conn, order_id=order_id)
    return None if row is None else OrderSummary(**row)


async def whose(conn: Connection, order_id: str) -> tuple[str, str] | None:
    """The channel and the seller of an order, or None where there is no such order."""
    row = await _sql.whose(conn, order_id=order_id)
    return None if row is None else (row["channel"], row["seller"])


async def detail(conn: Connection, order_id: str) -> OrderDetail:
    """Everything about one order, as of one moment. Raises NotFound."""
    found = await details(conn, [order_id])
    return _known(found[0] if found else None, order_id)


async def details(conn: Connection, order_ids: Sequence[str]) -> list[OrderDetail]:
    """The same of some orders, in this sequence. One that is not there is left out."""
    return [
        OrderDetail(**{**row, "payments": [payments.texts(one) for one in row["payments"]]})
        async for row in _sql.details(conn, order_ids=list(order_ids))
    ]


async def news(conn: Connection, order_id: str, *, after: int = 0) -> News:
    """The state of an order, and its events since one with this number. Raises NotFound."""
    return News(**_known(await _sql.news(conn, order_id=order_id, after=after), order_id))


def _known(row: Found | None, order_id: str) -> Found:
    if row is None:
        raise NotFound(f"there is no order {order_id}; `orderloom orders` lists what is there")
    return row


async def states(conn: Connection, *, finished_since: datetime) -> dict[str, int]:
    """State → number of orders. Of the finished ones, those that were finished since then."""
    rows = _sql.states(conn, finished_since=finished_since)
    return {row["state"]: row["orders"] async for row in rows}


async def story(conn: Connection, order_id: str) -> list[EventRow]:
    """An order's story, oldest first. Raises NotFound."""
    return list((await news(conn, order_id)).story)


async def needing_attention(conn: Connection, order_ids: Sequence[str]) -> list[AttentionRow]:
    """Every step of these orders that needs a person, the oldest first."""
    return [AttentionRow(**row) for row in await events.open_attention(conn, order_ids)]


async def fulfilment_state(conn: Connection, fulfilment_id: str) -> FulfilmentState | None:
    """The state of one fulfilment, or None when there is none."""
    state: FulfilmentState | None = await _sql.fulfilment_state(conn, fulfilment_id=fulfilment_id)
    return state
