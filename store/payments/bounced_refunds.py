"""Refunds that a customer's bank sent back, days after they had succeeded.

Such a refund is owed again, and a person is asked to pay it another way, because the order's
workflow may have ended long ago.
"""

from __future__ import annotations

from typing import Final

from domain.accounting import accounts
from domain.money import Money
from domain.payments.payments import BY_HAND, CAME_BACK, Intent, Payment
from store.accounting import ledger
from store.database import Connection
from store.locks import lock_order
from store.orders import events
from store.payments import disputes, payments, refunds

STEP: Final = "refund_failed "
"""The steps that ask a person begin with this; the key of the payment follows."""

ALLOWED: Final = ("done",)
"""Orderloom does not send it again: a person pays the customer another way, and reports that."""


async def came_back(conn: Connection, payment: Payment, why: str) -> None:
    """Record that the refund is owed again. A repeat changes nothing.

    The caller holds the order's lock. Nothing changes either for news that came before this was
    booked: a person was asked then, and deals with it.
    """
    order_id, key = payment.order_id, payment.payment_key
    if await events.is_told(conn, order_id, f"{key}:bounced"):
        return
    reason = f"the refund failed after it had succeeded: {why or 'no reason given'}"
    if not await payments.came_back(conn, payment, CAME_BACK, reason):
        return
    if payment.part_of:
        await refunds.came_back(conn, payment.part_of, payment.amount_minor)
        postings = accounts.refund_came_back(payment.amount_minor)
    else:  # It was more than the order was charged: nobody is owed it.
        postings = accounts.beyond_came_back(payment.amount_minor)
    await ledger.post(
        conn,
        effect=f"{key}:{CAME_BACK}",
        order_id=order_id,
        memo=f"refund of {payment.amount} came back",
        currency=payment.currency,
        postings=postings,
    )
    if payment.part_of:
        await events.raise_attention(conn, order_id, f"{STEP}{key}", reason, ALLOWED)
    await events.tell(
        conn,
        order_id,
        f"{key}:bounced",
        "refund came back",
        who=payment.provider,
        why=why,
        after_end=True,
    )


async def paid_otherwise(
    conn: Connection, order_id: str, step: str, note: str, *, who: str
) -> bool:
    """Record that a person paid the customer another way. False if no open step asks for that."""
    async with conn.transaction():
        await lock_order(conn, order_id)
        asked = {row["step"] for row in await events.open_attention(conn, [order_id])}
        if step not in asked:
            return False
        returned = await payments.find(conn, step.removeprefix(STEP))
        if returned is not None and returned.code == CAME_BACK:
            await _pay(conn, returned)
        return await events.settle(conn, order_id, step, note, who=who)


async def _pay(conn: Connection, returned: Payment) -> None:
    """Record the payment of what is still to be paid: the rest was paid at the company since."""
    key = f"{returned.payment_key}:{CAME_BACK}:{BY_HAND}"
    refund = await refunds.find(conn, returned.part_of)
    assert refund is not None
    amount = min(returned.amount_minor, refund.came_back_minor)
    if not amount:
        return
    intent = Intent(
        key=key,
        kind="refund",
        amount=Money(minor=amount, currency=returned.currency),
        provider=BY_HAND,
        part_of=returned.part_of,
    )
    payment, _ = await payments.intend(conn, returned.order_id, intent)
    await payments.succeed(conn, payment, None)
    await refunds.came_back(conn, returned.part_of, -amount)
    await ledger.post(
        conn,
        effect=key,
        order_id=returned.order_id,
        memo=f"refund of {payment.amount}",
        currency=returned.currency,
        postings=accounts.refund_issued(
            amount, by_bank=await disputes.given_by_bank(conn, payment)
        ),
    )
