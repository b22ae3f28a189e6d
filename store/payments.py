"""Payment operations: intent first, then what became of it. And an order's sums of money.

An intent takes its room in the order's sums before the provider is called, so however many run at
once, an order is never charged beyond its authorization or refunded beyond what was charged.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.errors import Conflict, Refused
from domain.money import Money
from store.database import CheckViolation, Connection, load_queries

_sql = load_queries("payments")

Kind = Literal["authorize", "capture", "void", "refund"]
PaymentState = Literal["requested", "unknown", "succeeded", "failed"]


class Payment(BaseModel):
    """One operation at a provider. unknown: asked, and no answer came; the key is looked up."""

    model_config = ConfigDict(frozen=True)

    payment_key: str
    order_id: str
    kind: Kind
    amount_minor: int
    currency: str
    state: PaymentState
    provider: str
    reference: str | None
    code: str
    message: str
    requested_at: datetime
    settled_at: datetime | None


class OrderMoney(BaseModel):
    """An order's sums, in minor units. Granted is asked for or owed; the other is done."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    currency: str
    authorized: int
    capture_granted: int
    captured: int
    refund_granted: int
    refunded: int
    voided: bool


async def intend(
    conn: Connection,
    order_id: str,
    key: str,
    kind: Kind,
    amount: Money,
    provider: str,
    *,
    takes_room: bool = True,
) -> tuple[Payment, bool]:
    """Write the intent, and take its room unless that is taken. Returns it, and whether it is new.

    The caller holds the order's lock. Raises Conflict when the key stands for another amount, and
    Refused when there is no room: more than authorized, or a refund of more than was captured.
    """
    if amount.minor < 0:
        raise Refused(f"{kind} of {amount}: an amount must not be negative")
    row = await _sql.want_payment(
        conn,
        payment_key=key,
        order_id=order_id,
        kind=kind,
        amount_minor=amount.minor,
        currency=amount.currency,
        provider=provider,
    )
    if row is not None:
        if takes_room:
            await _take_room(conn, order_id, kind, amount)
        return Payment(**row), True
    payment = await find(conn, key)
    assert payment is not None
    if (payment.kind, payment.amount_minor, payment.currency) != (
        kind,
        amount.minor,
        amount.currency,
    ):
        raise Conflict(f"payment {key} is a {payment.kind} of {payment.amount_minor} already")
    return payment, False


async def _take_room(conn: Connection, order_id: str, kind: Kind, amount: Money) -> None:
    if kind == "capture":
        why_not = f"charging {amount} more would exceed what order {order_id} authorized"
        await _add(conn, order_id, capture_granted=amount.minor, why_not=why_not)
    elif kind == "refund":
        why_not = f"refunding {amount} more would exceed what order {order_id} was charged"
        await _add(conn, order_id, refund_granted=amount.minor, why_not=why_not)


async def succeed(conn: Connection, payment: Payment, reference: str | None) -> bool:
    """requested or unknown → succeeded, and the order's sums with it. False when it was settled."""
    if not await _settle(conn, payment, "succeeded", reference=reference):
        return False
    amount = payment.amount_minor
    match payment.kind:
        case "authorize":
            await _add(conn, payment.order_id, authorized=amount)
        case "capture":
            await _add(conn, payment.order_id, captured=amount)
        case "refund":
            await _add(conn, payment.order_id, refunded=amount)
        case "void":
            await _add(conn, payment.order_id, voided=True)
    return True


async def fail(conn: Connection, payment: Payment, code: str, message: str) -> bool:
    """requested or unknown → failed: the provider's firm no. False when it was settled.

    A failed capture gives its room back. A failed refund stays granted: it is still owed.
    """
    if not await _settle(conn, payment, "failed", code=code, message=message):
        return False
    if payment.kind == "capture":
        await _add(conn, payment.order_id, capture_granted=-payment.amount_minor)
    return True


async def unknown(conn: Connection, key: str, message: str) -> None:
    """requested → unknown: the call was made and no answer came."""
    await _sql.payment_unknown(conn, payment_key=key, message=message)


async def find(conn: Connection, key: str) -> Payment | None:
    """One operation by its key, or None."""
    row = await _sql.payment_of(conn, payment_key=key)
    return None if row is None else Payment(**row)


async def of_order(conn: Connection, order_id: str) -> list[Payment]:
    """All operations of an order, oldest first."""
    return [Payment(**row) async for row in _sql.payments_of(conn, order_id=order_id)]


async def sums(conn: Connection, order_id: str) -> OrderMoney:
    """The order's sums of money."""
    return OrderMoney(**await _sql.money_of(conn, order_id=order_id))


async def _settle(
    conn: Connection,
    payment: Payment,
    state: Literal["succeeded", "failed"],
    *,
    reference: str | None = None,
    code: str = "",
    message: str = "",
) -> bool:
    settled = await _sql.settle_payment(
        conn,
        payment_key=payment.payment_key,
        state=state,
        reference=reference,
        code=code,
        message=message,
    )
    return settled is not None


async def _add(
    conn: Connection, order_id: str, *, voided: bool = False, why_not: str = "", **sums: int
) -> None:
    names = ("authorized", "capture_granted", "captured", "refund_granted", "refunded")
    amounts = {name: sums.get(name, 0) for name in names}
    try:
        await _sql.add_money(conn, order_id=order_id, voided=voided, **amounts)
    except CheckViolation:
        why_not = why_not or f"the money of order {order_id} does not allow {sums}"
        raise Refused(why_not) from None
