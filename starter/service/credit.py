"""Gives customers store credit, and shows how they used it.

A refund that is paid as store credit goes through the order instead.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from domain.money import Money
from store.database import Pool
from store.payments import credit, credit_accounts
from store.payments.credit_accounts import CreditAccount, CreditOperation


class Credit:
    """Store credit. Credit that is given again under one key is one; differently, a Conflict."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def grant(
        self,
        key: str,
        customer_id: str,
        amount: Money,
        *,
        seller: str | None = None,
        who: str,
        why: str,
    ) -> CreditAccount:
        """Give credit as a gift, booked in the same transaction. Returns the account after it.

        `seller`: whose debt it is; may be left out where there is one alone.
        """
        async with self._pool.acquire() as conn:
            return await credit.grant(
                conn,
                key=key,
                customer_id=customer_id,
                amount=amount,
                seller=seller,
                who=who,
                why=why,
            )

    async def accounts(
        self,
        customer_id: str,
        *,
        sellers: Collection[str] | None = None,
        after: tuple[str, str] | None = None,
        at_most: int | None = None,
    ) -> Sequence[CreditAccount]:
        """A customer's accounts, one for each seller and currency; none without credit.

        `sellers`: with one of these alone. `after`: behind the one with this seller in this
        currency.
        """
        async with self._pool.acquire() as conn:
            return await credit_accounts.find(
                conn, customer_id, sellers=sellers, after=after, at_most=at_most
            )

    async def account(self, account_id: str) -> CreditAccount:
        """One account. Raises NotFound."""
        async with self._pool.acquire() as conn:
            return await credit_accounts.get(conn, account_id)

    async def history(
        self, account_id: str, *, before: int | None = None, at_most: int = 1000
    ) -> Sequence[CreditOperation]:
        """The latest operations on an account, oldest first.

        `before`: only those before the one with this number.
        """
        async with self._pool.acquire() as conn:
            return await credit_accounts.history(conn, account_id, before=before, at_most=at_most)
