"""Orders as people read them in a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from domain.money import price_text
from domain.orders.attention import way_on
from domain.words import few
from starter.cli.terminal.output import Output, local, money
from store.views.reads import AttentionRow, EventRow, OrderDetail, OrderSummary

_STAGES = (
    "open",
    "backordered",
    "allocated",
    "picked",
    "shipped",
    "delivered",
    "lost",
    "cancelled",
    "return_requested",
    "returned",
)


def orders_table(out: Output, orders: Iterable[OrderSummary]) -> None:
    """One row per order."""
    shown = list(orders)
    # Most numbers stand in the order's id as they are.
    odd = any(not order.order_id.endswith(f"-{order.channel_order_id}") for order in shown)
    out.table(
        [
            *("order", *(["number"] if odd else []), "state", "payment", ">units", ">total"),
            *("customer", "placed", "attention"),
        ],
        [
            (
                order.order_id,
                *([order.channel_order_id] if odd else []),
                order.state,
                order.payment_status,
                order.ordered,
                money(order.total_minor, order.currency),
                order.customer_id,
                local(order.placed_at),
                "needs attention" if order.attention else "",
            )
            for order in shown
        ],
    )


def order_page(out: Output, detail: OrderDetail, link: str | None) -> None:
    """Everything about one order."""
    order = detail.summary
    reason = f" ({order.reason})" if order.reason else ""
    out.say(f"Order {order.order_id}: {order.state}{reason}")
    out.say(f"  number {order.channel_order_id} of {order.channel}, sold by {order.seller}")
    out.say(f"  placed {local(order.placed_at)}, received {local(order.received_at)}")
    out.say(f"  customer {order.customer_id}, {_recipient(detail.document)}")
    out.say(
        f"  total {money(order.total_minor, order.currency)}, {order.payment_status}: "
        f"authorized {money(order.authorized_minor, order.currency)}, "
        f"captured {money(order.captured_minor, order.currency)}, "
        f"refunded {money(order.refunded_minor, order.currency)}"
    )
    for fee in detail.document.get("fees", ()):
        amount = price_text(Decimal(fee["amount"]), order.currency)
        out.say(f"  fee {fee['name']}: {amount} {order.currency}")
    if gift := detail.document.get("gift_message"):
        out.say(f"  gift message: {gift}")
    if extra := detail.document.get("extra"):
        out.say(f"  extra: {json.dumps(extra, ensure_ascii=False)}")
    if order.refund_granted_minor > order.refunded_minor:
        owed = order.refund_granted_minor - order.refunded_minor
        out.say(f"  owed to the customer: {money(owed, order.currency)}")
    if order.held is not None:
        out.say(f"  held: {order.held}")
    if (asked := detail.cancelling) is not None:
        out.say(f"  being cancelled: {asked.who} asked for it at {local(asked.at)}: {asked.why}")
    if detail.waits_to_start:
        out.say("  waits to be started: a worker starts it as soon as Temporal answers")
    elif link is not None:
        out.say(f"  workflow {link}")
    _lines(out, detail)
    _fulfilments(out, detail)
    _returns(out, detail)
    _payments(out, detail)
    _refunds(out, detail)
    _attention(out, detail)


def event_line(event: EventRow) -> str:
    """2026-11-22 10:00:00 KST  shipped (parcel web-1:1), anna: because …"""
    part = event.data.get("fulfilment_id") or event.data.get("return_id")
    what = f"{event.what} ({part})" if part else event.what
    why = f": {event.why}" if event.why else ""
    return f"{local(event.at)}  {what}, by {event.who}{why}"


def units_of(units: Mapping[str, int]) -> str:
    """line 1 × 2, line 2 × 1."""
    return few((f"line {line_id} × {count}" for line_id, count in units.items()), "line")


def _recipient(document: Mapping[str, Any]) -> str:
    address = document["shipping"]["address"]
    if address is None:
        return f"{document['customer']['name']} at the counter"
    return f"to {address['name']}, {address['city']}, {address['country']}"


def _lines(out: Output, detail: OrderDetail) -> None:
    out.say()
    currency = detail.summary.currency
    prices = {line["line_id"]: line["unit_price"] for line in detail.document["lines"]}
    used = [name for name in _STAGES if any(getattr(line, name) for line in detail.lines)]
    out.table(
        [
            "line",
            "sku",
            ">unit price",
            ">worth",
            ">ordered",
            *(f">{name.replace('_', ' ')}" for name in used),
        ],
        [
            (
                line.line_id,
                line.sku,
                price_text(Decimal(prices[line.line_id]), currency),
                money(
                    line.goods_minor
                    + line.tax_minor
                    + line.shipping_minor
                    + line.shipping_tax_minor,
                    currency,
                ),
                line.ordered,
                *(getattr(line, name) or "" for name in used),
            )
            for line in detail.lines
        ],
    )


def _fulfilments(out: Output, detail: OrderDetail) -> None:
    if not detail.fulfilments:
        return
    out.say()
    out.table(
        [
            *("fulfilment", "state", "since", "from", "units", "promised"),
            *("carrier", "tracking number", "carrier says"),
        ],
        [
            (
                row.fulfilment_id,
                row.state,
                local(row.changed_at),
                row.location,
                units_of(row.units),
                row.promised_on,
                row.carrier,
                row.tracking_number,
                row.carrier_status if row.handed_over_at else "",
            )
            for row in detail.fulfilments
        ],
    )


def _returns(out: Output, detail: OrderDetail) -> None:
    if not detail.returns:
        return
    out.say()
    out.table(
        ["return", "state", "units asked", "restocked", "scrapped", "reason"],
        [
            (
                row.return_id,
                row.state,
                units_of({line: count["quantity"] for line, count in row.lines.items()}),
                units_of({line: n for line, c in row.lines.items() if (n := c["restocked"])}),
                units_of({line: n for line, c in row.lines.items() if (n := c["scrapped"])}),
                row.reason,
            )
            for row in detail.returns
        ],
    )


def _payments(out: Output, detail: OrderDetail) -> None:
    if not detail.payments:
        return
    out.say()
    out.table(
        ["payment", ">amount", "state", "when", "provider says"],
        [
            (
                row.kind,
                money(row.amount_minor, row.currency),
                row.state,
                local(row.settled_at or row.requested_at),
                row.message,
            )
            for row in detail.payments
        ],
    )


def _refunds(out: Output, detail: OrderDetail) -> None:
    if not detail.refunds:
        return
    out.say()
    out.table(
        ["refund", "why", ">granted", ">issued"],
        [
            (
                refund.refund_id,
                f"{refund.kind}: {refund.reason}",
                money(refund.amount_minor, refund.currency),
                money(refund.amount_minor - refund.owed.minor, refund.currency),
            )
            for refund in detail.refunds
        ],
    )


def _attention(out: Output, detail: OrderDetail) -> None:
    for row in detail.attention:
        out.say()
        out.say(f"Needs attention since {local(row.since)}: {row.step}")
        out.say(f"  {row.reason}")
        out.say(f"  {decision(row)}")


def decision(row: AttentionRow) -> str:
    """The answers that a person can give to a step that needs attention."""
    return way_on(row.order_id, row.step, row.allowed)


def attention_list(out: Output, rows: Iterable[AttentionRow]) -> None:
    """The steps that need a person, and the possible answers."""
    for row in rows:
        out.say(f"{row.order_id}: {row.step}: {row.reason}")
        out.say(f"  {decision(row)}")
