"""Payment operations, intent first and then the outcome, and the sums that they add up to.

An intent takes its room in the sums of the order and of the authorization before the provider is
called. So no number of parallel calls can charge more than was authorized, or pay back more than
was charged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from domain.errors import Conflict, Refused
from domain.money import Money
from domain.payments.payments import BY_HAND, STORE_CREDIT, Intent, Kind, OrderMoney, Payment
from store.database import CheckViolation, Connection, Record, load_queries

_sql = load_queries(__file__)

__all__ = ["BY_HAND", "STORE_CREDIT", "Intent", "Kind", "OrderMoney", "Payment"]


async def intend(conn: Connection, order_id: str, intent: Intent) -> tuple[Payment, bool]:
    """Write the intent, and take its room. Returns it, and whether it is new.

    The caller holds the order's lock. Raises Conflict when the key was used for another amount, and
    Refused when there is no room: more than authorized, or a refund of more than was captured.
    """
    amount = intent.amount
    if amount.minor < 0:
        raise Refused(f"{intent.kind} of {amount}: an amount must not be negative")
    row = await _sql.want_payment(
        conn,
        payment_key=intent.key,
        order_id=order_id,
        kind=intent.kind,
        amount_minor=amount.minor,
        currency=amount.currency,
        provider=intent.provider,
        tender=intent.tender,
        authorization_key=intent.authorization_key,
        part_of=intent.part_of,
    )
    if row is not None:
        payment = Payment(**texts(row))
        await _take_room(conn, payment)
        return payment, True
    found = await find(conn, intent.key)
    assert found is not None
    if (found.kind, found.amount) != (intent.kind, amount):
        raise Conflict(f"payment {intent.key} is a {found.kind} of {found.amount} already")
    return found, False


async def _take_room(conn: Connection, payment: Payment) -> None:
    amount = payment.amount_minor
    match payment.kind:
        case "capture":
            why_not = f"charging {payment.amount} more would exceed what is authorized for it"
            if payment.provider == BY_HAND:  # A payment by hand has no authorization but its own.
                await _add(conn, payment.order_id, authorized=amount)
            await _add(conn, payment.order_id, why_not=why_not, capture_granted=amount)
            await _add_there(conn, payment, why_not=why_not, capture_granted=amount)
        case "refund":  # Its room in the order's sums was taken when the refund was granted.
            why_not = f"paying back {payment.amount} more would exceed what was charged by it"
            await _add_there(conn, payment, why_not=why_not, refund_granted=amount)


async def succeed(
    conn: Connection,
    payment: Payment,
    reference: str | None,
    *,
    releases_rest: bool = False,
) -> bool:
    """requested or unknown → succeeded, and the sums with it. False when it was settled before.

    Not of an authorization: see `authorizations`. `releases_rest`: the authorization cannot be
    charged a second time.
    """
    if not await _settle(conn, payment, "succeeded", reference=reference):
        return False
    amount = payment.amount_minor
    match payment.kind:
        case "capture":
            await _add(conn, payment.order_id, captured=amount)
            await _add_there(conn, payment, captured=amount)
            if releases_rest and payment.authorization_key is not None:
                await release(conn, payment.authorization_key)
        case "refund":
            await _add(conn, payment.order_id, refunded=amount)
            await _add_there(conn, payment, refunded=amount)
        case "void":
            await _add(conn, payment.order_id, voided=True)
            if payment.authorization_key is not None:
                await release(conn, payment.authorization_key)
    return True


async def release(conn: Connection, authorization_key: str) -> int:
    """Make the rest of an authorization unusable for charges. Returns its minor units."""
    authorization = await find(conn, authorization_key)
    assert authorization is not None
    left = authorization.room
    if left:
        await _sql.add_to_authorization(conn, payment_key=authorization_key, **_sums(released=left))
        await _add(conn, authorization.order_id, released=left)
    return left


async def fail(conn: Connection, payment: Payment, code: str, message: str) -> bool:
    """requested or unknown → failed: the provider's firm no. False when it was settled before.

    It gives its room back. A refund stays granted in the order's sums: it is still owed.
    """
    if not await _settle(conn, payment, "failed", code=code, message=message):
        return False
    amount = payment.amount_minor
    if payment.kind == "capture":
        await _add(conn, payment.order_id, capture_granted=-amount)
        await _add_there(conn, payment, capture_granted=-amount)
    if payment.kind == "refund":
        await _add_there(conn, payment, refund_granted=-amount)
    return True


async def came_back(conn: Connection, payment: Payment, code: str, message: str) -> bool:
    """Turn a succeeded refund into a failed one, days later. False for a repeat.

    It gives its room back to its authorization, and stays granted in the order's sums.
    """
    key, amount = payment.payment_key, payment.amount_minor
    if await _sql.payment_came_back(conn, code=code, message=message, payment_key=key) is None:
        return False
    await _add(conn, payment.order_id, refunded=-amount)
    await _add_there(conn, payment, refunded=-amount, refund_granted=-amount)
    return True


async def grant_refund(
    conn: Connection, order_id: str, amount: Money, *, by_hand: bool = False
) -> None:
    """Take a refund's room in the order's sums. Raises Refused when there is none.

    Nothing is paid back while a bank has taken money back, or might: that would pay twice. A refund
    that was paid already, by hand or by the bank, can still be recorded.
    """
    why_not = "" if by_hand else await why_no_refund(conn, order_id)
    if why_not:
        raise Refused(why_not)
    money = await sums(conn, order_id)
    if amount.currency != money.currency:
        raise Refused(f"order {order_id} was paid in {money.currency}, not in {amount.currency}")
    left = Money(minor=money.captured - money.refund_granted, currency=money.currency)
    why_not = f"paying back {amount} would exceed what order {order_id} was charged; {left} is left"
    await _add(conn, order_id, refund_granted=amount.minor, why_not=why_not)


async def billed_after_refund(conn: Connection, order_id: str) -> None:
    """Record that an invoice was decided after a refund: its cents depend on the sequence."""
    await _sql.billed_after_refund(conn, order_id=order_id)


async def why_no_refund(conn: Connection, order_id: str) -> str:
    """The reason why nothing of the order may be paid back now; empty if it may."""
    money = await sums(conn, order_id)
    if not money.disputed:
        return ""
    disputed = Money(minor=money.disputed, currency=money.currency)
    return (
        f"the customer disputes {disputed} of order {order_id} at the bank, or got it back there; "
        "what the bank has paid back is done"
    )


async def unknown(conn: Connection, key: str, message: str) -> None:
    """requested → unknown: the call was made and no answer arrived."""
    await _sql.payment_unknown(conn, payment_key=key, message=message or None)


async def find(conn: Connection, key: str) -> Payment | None:
    """One operation by its key, or None."""
    row = await _sql.payment_of(conn, payment_key=key)
    return None if row is None else Payment(**texts(row))


async def of_order(conn: Connection, order_id: str) -> list[Payment]:
    """All operations of an order, oldest first."""
    return [Payment(**texts(row)) async for row in _sql.payments_of(conn, order_id=order_id)]


async def of_part(conn: Connection, order_id: str, kind: Kind, part_of: str) -> list[Payment]:
    """The operations of one kind that belong to a part, oldest first."""
    rows = _sql.payments_for(conn, order_id=order_id, kind=kind, part_of=part_of)
    return [Payment(**texts(row)) async for row in rows]


async def authorizations(conn: Connection, order_id: str) -> list[Payment]:
    """All authorizations of an order, in the sequence in which they are charged."""
    made = [payment for payment in await of_order(conn, order_id) if payment.kind == "authorize"]
    return sorted(made, key=lambda payment: (payment.tender, payment.requested_at))


async def unsettled(conn: Connection) -> list[Record]:
    """Operations without a known outcome, oldest first.

    Columns: those of a payment, its order's decision, and attention.
    """
    return [row async for row in _sql.unsettled_payments(conn)]


def texts(row: Record | Mapping[str, Any]) -> dict[str, Any]:
    """A row of `payment` as values, with an empty string in place of a missing text."""
    return {**row, **{name: row[name] or "" for name in ("code", "message", "part_of")}}


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
        code=code or None,
        message=message or None,
    )
    return settled is not None


_NAMES = ("capture_granted", "captured", "refund_granted", "refunded", "released")


def _sums(**changes: int) -> dict[str, int]:
    return {name: changes.get(name, 0) for name in _NAMES}


async def _add(
    conn: Connection,
    order_id: str,
    *,
    authorized: int = 0,
    voided: bool = False,
    why_not: str = "",
    **changes: int,
) -> None:
    try:
        await _sql.add_money(
            conn, order_id=order_id, authorized=authorized, voided=voided, **_sums(**changes)
        )
    except CheckViolation:
        why_not = why_not or f"the money of order {order_id} does not allow {changes}"
        raise Refused(why_not) from None


async def _add_there(
    conn: Connection, payment: Payment, *, why_not: str = "", **changes: int
) -> None:
    """Add to the sums of the authorization that the payment belongs to, if it belongs to one."""
    if payment.authorization_key is None:
        return
    try:
        await _sql.add_to_authorization(
            conn, payment_key=payment.authorization_key, **_sums(**changes)
        )
    except CheckViolation:
        why_not = why_not or f"{payment.authorization_key} does not allow {changes}"
        raise Refused(why_not) from None
