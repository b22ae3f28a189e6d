"""Gives customers store credit, and shows what became of it.

A refund that is paid as store credit goes through the order instead.
"""

from __future__ import annotations

from collections.abc import Sequence

from domain.money import Money
from store.database import Pool
from store.payments import credit
from store.payments.credit import CreditAccount, CreditOperation


class Credit:
    """Store credit. Credit that is given again under one key is one; differently, a Conflict."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def grant(
        self, key: str, customer_id: str, amount: Money, *, who: str, why: str
    ) -> CreditAccount:
        """Give credit as a gift, booked in the same transaction. Returns the account after it."""
        async with self._pool.acquire() as conn:
            return await credit.grant(
                conn, key=key, customer_id=customer_id, amount=amount, who=who, why=why
            )

    async def accounts(self, customer_id: str) -> Sequence[CreditAccount]:
        """What a customer has, by currency; nothing for one who never had credit."""
        async with self._pool.acquire() as conn:
            return await credit.find(conn, customer_id)

    async def history(self, account_id: str, *, at_most: int = 1000) -> Sequence[CreditOperation]:
        """What became of an account, oldest first; the latest of it where there is more."""
        async with self._pool.acquire() as conn:
            return await credit.history(conn, account_id, at_most=at_most)
