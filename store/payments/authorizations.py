"""Authorizations as they are asked for and made, which the payment plan decides.

What asks and records locks the order itself, so it needs no transaction around it.
"""

from __future__ import annotations

from datetime import datetime

from domain.money import Money
from domain.orders.proposals import Proposal
from domain.payments.payments import Intent, Payment
from store.database import Connection, load_queries
from store.faults import refusals
from store.orders import versions
from store.payments import cover
from store.payments.cover import Paying

_sql = load_queries(__file__)


async def intend(
    conn: Connection, order_id: str, intent: Intent, *, whole: bool = False
) -> Payment | None:
    """Write the intent to authorize an amount. None: there is one with this key already.

    `whole`: it can be charged once, and pays for all of the order.
    It locks the order, so it needs no transaction around it. Raises IllegalTransition when the
    order is over, or is being undone.
    """
    with refusals():
        wanted: datetime | None = await _sql.want_authorization(
            conn,
            order_id=order_id,
            payment_key=intent.key,
            amount_minor=intent.amount.minor,
            currency=intent.amount.currency,
            provider=intent.provider,
            tender=intent.tender,
            part_of=intent.part_of,
            whole=whole,
        )
    if wanted is None:
        return None
    return Payment(
        payment_key=intent.key,
        order_id=order_id,
        kind="authorize",
        amount_minor=intent.amount.minor,
        currency=intent.amount.currency,
        state="requested",
        provider=intent.provider,
        reference=None,
        code="",
        message="",
        requested_at=wanted,
        settled_at=None,
        tender=intent.tender,
        part_of=intent.part_of,
    )


async def made(
    conn: Connection,
    payment: Payment,
    reference: str | None,
    expires_at: datetime | None,
    *,
    confirms: Money | None = None,
) -> str | None:
    """An authorization: requested or unknown → succeeded. It locks the order.

    Returns the order's decision before this; None when it was settled already. `confirms`: nothing
    is lacking any more, so an order that waits for its payment is confirmed with this amount.
    """
    amount = confirms or payment.amount
    decision: str | None = await _sql.authorized(
        conn,
        payment_key=payment.payment_key,
        reference=reference,
        expires_at=expires_at,
        confirms=confirms is not None,
        why=f"{amount} authorized",
        told=_told(amount),
    )
    return decision


async def confirm(conn: Connection, order_id: str, amount: Money) -> None:
    """Confirm an order that waits for its payment, once, and let the warehouse begin.

    It locks the order.
    """
    await _sql.confirm(conn, order_id=order_id, why=f"{amount} authorized", told=_told(amount))


def _told(amount: Money) -> dict[str, int | str]:
    return {"amount_minor": amount.minor, "currency": amount.currency}


async def bind(conn: Connection, authorization_key: str, part_of: str) -> None:
    """Give an authorization another part, because its own part will not be charged."""
    await _sql.bind_authorization(conn, payment_key=authorization_key, part_of=part_of)


async def paying(conn: Connection, order_id: str, proposal: Proposal | None) -> Paying:
    """How an order is paid; as if it had been edited, unless it has changed since that was asked.

    An attempt for such an edit comes late: nobody waits for it, and the edit is looked at anew.
    """
    found = await cover.paying(conn, order_id)
    if proposal is None or proposal.version != await versions.present(conn, order_id):
        return found
    return found.proposing(proposal)
