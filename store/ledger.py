"""The journal: double entry, append-only, balanced by constraint.

Debits are positive, credits negative. A capture books what the customer paid against what it was
for; a refund books the same the other way round.
"""

from __future__ import annotations

from collections.abc import Mapping

from domain.amounts import Worth
from domain.money import Money
from store.database import Connection, load_queries

_sql = load_queries("payments")


def postings(worth: Worth) -> dict[str, int]:
    """The postings of a capture worth this much. Adds up to zero."""
    return {
        "cash_in_transit": worth.total,
        "revenue": -worth.goods,
        "shipping_income": -worth.shipping,
        "tax_payable": -(worth.tax + worth.shipping_tax),
    }


async def book(
    conn: Connection,
    order_id: str,
    effect: str,
    worth: Worth,
    amount: Money,
    *,
    refund: bool = False,
) -> None:
    """Book a capture, or a refund of one, once per effect. Nothing is booked for nothing."""
    if worth.total == 0:
        return
    sign = -1 if refund else 1
    entries = postings(worth)
    await _sql.insert_entry(
        conn,
        effect=effect,
        order_id=order_id,
        memo=f"{'refund' if refund else 'capture'} of {amount}",
        currency=amount.currency,
        accounts=list(entries),
        amounts=[sign * entry for entry in entries.values()],
    )


async def post(
    conn: Connection,
    *,
    effect: str,
    memo: str,
    currency: str,
    postings: Mapping[str, int],
    order_id: str | None = None,
) -> None:
    """Append an entry, once per effect. Accounts that nothing moves are left out; of nothing, none.

    `postings`: account → minor units of `currency`, adding up to zero.
    """
    moved = {account: amount for account, amount in postings.items() if amount}
    if not moved:
        return
    await _sql.insert_entry(
        conn,
        effect=effect,
        order_id=order_id,
        memo=memo,
        currency=currency,
        accounts=list(moved),
        amounts=list(moved.values()),
    )
