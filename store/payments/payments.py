"""Payment operations, intent first and then the outcome, and the sums that they add up to.

An intent takes its room in the sums of the order and of the authorization before the provider is
called. So no number of parallel calls can charge more than was authorized, or pay back more than
was charged.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from domain.errors import Conflict, Refused
from domain.money import Money
from domain.payments.payments import (
    BY_HAND,
    OWN_MONEY,
    STORE_CREDIT,
    Intent,
    Kind,
    OrderMoney,
    Payment,
)
from store.database import CheckViolation, Connection, Record, load_queries

_sql = load_queries(__file__)

__all__ = ["BY_HAND", "OWN_MONEY", "STORE_CREDIT", "Intent", "Kind", "OrderMoney", "Payment"]


async def intend(conn: Connection, order_id: str, intent: Intent) -> tuple[Payment, bool]:
    """Write the intent, and take its room. Returns it, and whether it is new.

    The caller holds the order's lock. Raises Conflict when the key was used for another amount, and
    Refused when there is no room: more than authorized, or a refund of more than was captured.
    """
    amount = intent.amount
    if amount.minor < 0:
        raise Refused(f"{intent.kind} of {amount}: an amount must not be negative")
    try:
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
    except CheckViolation:
        raise Refused(_NO_ROOM.get(intent.kind, "{} is too much").format(amount)) from None
    if row is not None:
        return Payment(**texts(row)), True
    found = await find(conn, intent.key)
    assert found is not None
    if (found.kind, found.amount) != (intent.kind, amount):
        raise Conflict(f"payment {intent.key} is a {found.kind} of {found.amount} already")
    return found, False


_NO_ROOM: Mapping[Kind, str] = {
    "capture": "charging {} more would exceed what is authorized for it",
    "refund": "paying back {} more would exceed what was charged by it",
}


async def succeed(
    conn: Connection,
    payment: Payment,
    reference: str | None,
) -> bool:
    """requested or unknown → succeeded, and the sums with it. False when it was settled before.

    Of a refund or a release: for the others see `authorizations` and `captures`.
    """
    if not await _settle(conn, payment, "succeeded", reference=reference):
        return False
    amount = payment.amount_minor
    match payment.kind:
        case "refund":
            if payment.part_of:  # One of no refund is more than the order was charged.
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
    if payment.part_of:
        await _add(conn, payment.order_id, refunded=-amount)
    await _add_there(conn, payment, refunded=-amount, refund_granted=-amount)
    return True


async def why_no_refund(conn: Connection, order_id: str) -> str:
    """The reason why nothing of the order may be paid back now; empty if it may."""
    money = await sums(conn, order_id)
    disputed = [Money(minor=money.disputed, currency=money.currency)] if money.disputed else []
    if money.disputed_abroad:
        rows = _sql.disputed_abroad(conn, order_id=order_id)
        disputed += [
            Money(minor=row["amount_minor"], currency=row["currency"]) async for row in rows
        ]
    if not disputed:
        return ""
    amounts = " and ".join(str(amount) for amount in disputed)
    return (
        f"the customer disputes {amounts} of order {order_id} at the bank, or got it back there: "
        f"wait until the bank has decided (`orderloom disputes {order_id}`); what it has paid back "
        "is done"
    )


async def unknown(conn: Connection, key: str, message: str) -> None:
    """requested → unknown: the call was made and no answer arrived."""
    await _sql.payment_unknown(conn, payment_key=key, message=message or None)


async def begin_call(conn: Connection, key: str, still_at_it: timedelta) -> bool:
    """Whether it may be sent now to a company that does not know keys.

    False: it was sent less than `still_at_it` ago, so that the company may still be at it, or its
    outcome is known.
    """
    begun = await _sql.begin_call(conn, payment_key=key, still_at_it=still_at_it)
    return begun is not None


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
    return in_turn(await of_order(conn, order_id))


def in_turn(made: Iterable[Payment]) -> list[Payment]:
    """The authorizations among an order's operations, in the sequence in which they are charged."""
    found = [payment for payment in made if payment.kind == "authorize"]
    return sorted(found, key=lambda payment: (payment.tender, payment.requested_at))


async def unsettled(
    conn: Connection,
    *,
    channels: Collection[str] | None = None,
    sellers: Collection[str] | None = None,
    after: tuple[datetime, str] | None = None,
    at_most: int | None = None,
) -> list[Record]:
    """Operations without a known outcome, oldest first.

    Columns: those of a payment, its order's decision, and attention. `channels`, `sellers`: of
    orders of one of these alone. `after`: behind the one that was requested then and has this key.
    """
    at, key = after or (None, None)
    rows = _sql.unsettled_payments(
        conn,
        channels=None if channels is None else sorted(channels),
        sellers=None if sellers is None else sorted(sellers),
        after_at=at,
        after_key=key,
        at_most=at_most,
    )
    return [row async for row in rows]


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


_NAMES = ("capture_granted", "refund_granted", "refunded", "released")


def _sums(**changes: int) -> dict[str, int]:
    return {name: changes.get(name, 0) for name in _NAMES}


async def _add(
    conn: Connection,
    order_id: str,
    *,
    voided: bool = False,
    **changes: int,
) -> None:
    try:
        await _sql.add_money(conn, order_id=order_id, voided=voided, **_sums(**changes))
    except CheckViolation:
        why_not = f"the money of order {order_id} does not allow {changes}"
        raise Refused(why_not) from None


async def _add_there(conn: Connection, payment: Payment, **changes: int) -> None:
    """Add to the sums of the authorization that the payment belongs to, if it belongs to one."""
    if payment.authorization_key is None:
        return
    try:
        await _sql.add_to_authorization(
            conn, payment_key=payment.authorization_key, **_sums(**changes)
        )
    except CheckViolation:
        why_not = f"{payment.authorization_key} does not allow {changes}"
        raise Refused(why_not) from None
