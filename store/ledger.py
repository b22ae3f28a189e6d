"""The journal: double entry, append-only, balanced by constraint.

Debits are positive, credits negative; `domain.accounts` says what each event books.
"""

from __future__ import annotations

from domain.accounts import Postings
from store.database import Connection, load_queries

_sql = load_queries("payments")


async def post(
    conn: Connection,
    *,
    effect: str,
    memo: str,
    currency: str,
    postings: Postings,
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
