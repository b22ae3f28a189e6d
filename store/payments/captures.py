"""Charges as they are made: the outcome, with all that follows from it."""

from __future__ import annotations

from domain.accounting import accounts
from domain.payments.payments import Payment
from store.database import Connection, load_queries

_sql = load_queries(__file__)


async def made(
    conn: Connection,
    payment: Payment,
    reference: str | None,
    *,
    ahead: bool,
    releases_rest: bool,
    why: str,
) -> bool:
    """A capture: requested or unknown → succeeded. False when it was settled before.

    It locks the order, so it needs no transaction around it. `ahead`: before its goods leave.
    `releases_rest`: the authorization cannot be charged a second time.
    """
    postings = accounts.captured(
        payment.amount_minor, prepaid=ahead, way=accounts.money_at(payment.provider)
    )
    is_new: bool = await _sql.charge_made(
        conn,
        payment_key=payment.payment_key,
        reference=reference,
        releases_rest=releases_rest,
        memo=f"capture of {payment.amount}",
        accounts=list(postings),
        amounts=list(postings.values()),
        why=why,
        told={
            "amount_minor": payment.amount_minor,
            "currency": payment.currency,
            "payment_key": payment.payment_key,
        },
    )
    return is_new
