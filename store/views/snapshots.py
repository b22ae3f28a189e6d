"""Orders as the world outside sees them."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from domain.money import to_decimal
from domain.views.order_snapshot import (
    Adjusted,
    Happened,
    OrderSnapshot,
    PromisedDays,
    ReturnedUnits,
    ShownFulfilment,
    ShownLine,
    ShownPayment,
    ShownRefund,
    ShownReturn,
    WaitingStep,
)
from store.database import Connection
from store.views import reads
from store.views.reads import OrderDetail

_DIGEST_DIGITS: Final = 12


async def snapshot(conn: Connection, order_id: str) -> OrderSnapshot:
    """One order as of one moment. Raises NotFound."""
    return snapshot_of(await reads.detail(conn, order_id))


async def snapshots(conn: Connection, order_ids: Sequence[str]) -> dict[str, OrderSnapshot]:
    """Order id → the order, all as of one moment. One that is not there is left out."""
    found = await reads.details(conn, order_ids)
    return {one.summary.order_id: snapshot_of(one) for one in found}


def snapshot_of(detail: OrderDetail) -> OrderSnapshot:
    """What is shown of an order, by all that is known of it."""
    order = detail.summary
    units = {"ordered", "backordered", "allocated", "picked", "shipped", "delivered", "lost"}
    units |= {"cancelled", "return_requested", "returned"}

    def amount(minor: int) -> str:
        return str(to_decimal(minor, order.currency))

    shown = OrderSnapshot(
        version="",
        **order.model_dump(
            include={
                *("order_id", "channel", "channel_order_id", "seller", "customer_id", "state"),
                *("fulfilment_status", "payment_status", "reason", "held", "currency"),
                *("placed_at", "received_at"),
            }
        ),
        waits_to_start=detail.waits_to_start,
        total=amount(order.total_minor),
        authorized=amount(order.authorized_minor),
        captured=amount(order.captured_minor),
        refunded=amount(order.refunded_minor),
        refund_owed=amount(max(0, order.refund_granted_minor - order.refunded_minor)),
        lines=tuple(
            ShownLine(
                **line.model_dump(include={"line_id", "sku", *units}),
                total=amount(
                    line.goods_minor
                    + line.tax_minor
                    + line.shipping_minor
                    + line.shipping_tax_minor
                ),
            )
            for line in detail.lines
        ),
        fulfilments=tuple(
            ShownFulfilment(**part.model_dump(include=set(ShownFulfilment.model_fields)))
            for part in detail.fulfilments
        ),
        payments=tuple(
            ShownPayment(
                payment_id=payment.payment_key,
                amount=amount(payment.amount_minor),
                **payment.model_dump(
                    include={"kind", "state", "provider", "requested_at", "settled_at", "message"}
                ),
            )
            for payment in detail.payments
        ),
        promised=tuple(
            PromisedDays(
                fulfilment_id=part.fulfilment_id,
                units=part.units,
                leaves_on=part.promised_leave,
                arrives_on=part.promised_on,
            )
            for part in detail.fulfilments
            if part.promised_leave or part.promised_on
        ),
        happened=tuple(
            Happened(
                event_id=event.event_id,
                at=event.at,
                what=event.what,
                of=event.data.get("fulfilment_id") or event.data.get("return_id"),
                by=event.who,
            )
            for event in detail.story
        ),
        adjusted=_adjusted(detail),
        tasks=tuple(
            WaitingStep(**task.model_dump(exclude={"order_id"})) for task in detail.attention
        ),
    )
    return shown.model_copy(update={"version": _version(shown)})


def _adjusted(detail: OrderDetail) -> tuple[Adjusted, ...]:
    refunds = [
        ShownRefund(
            type="refund",
            refund_id=one.refund_id,
            kind=one.kind,
            at=one.granted_at,
            reason=one.reason,
            amount=str(to_decimal(one.amount_minor, one.currency)),
            owed=str(to_decimal(one.owed.minor, one.currency)),
            to=one.pay_to,
            units=one.units,
        )
        for one in detail.refunds
    ]
    returns = [
        ShownReturn(
            type="return",
            return_id=one.return_id,
            kind=one.kind,
            state=one.state,
            at=one.changed_at,
            reason=one.reason,
            units={line: ReturnedUnits(**counts) for line, counts in one.lines.items()},
        )
        for one in detail.returns
    ]
    return tuple(sorted([*refunds, *returns], key=lambda one: one.at))


def _version(shown: OrderSnapshot) -> str:
    """The number of its last event, by which one tells what came later, and a digest of it all."""
    last = shown.happened[-1].event_id if shown.happened else 0
    digest = sha256(shown.model_dump_json().encode()).hexdigest()[:_DIGEST_DIGITS]
    return f"{last}-{digest}"
