"""Gives customers store credit, and shows how they used it.

A refund that is paid as store credit goes through the order instead.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from domain.money import Money
from starter.service.called import called, kept_as
from store.customers.people import Called
from store.database import Connection, Pool
from store.payments import credit, credit_accounts
from store.payments.credit_accounts import CreditAccount, CreditOperation


class Credit:
    """Store credit. Credit that is given again under one key is one; differently, a Conflict."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def holders(
        self, customer: str, *, sellers: Collection[str] | None = None
    ) -> Sequence[Called]:
        """What channels call the customer whom an id, ours or theirs, or a mail address names.

        The first is the one under which `grant` keeps credit. None: nobody with an order, of these
        `sellers`, is known by it. Raises Refused where it names several.
        """
        async with self._pool.acquire() as conn:
            return await called(conn, customer, sellers=sellers)

    async def grant(
        self,
        key: str,
        customer: str,
        amount: Money,
        *,
        seller: str | None = None,
        sellers: Collection[str] | None = None,
        who: str,
        why: str,
    ) -> CreditAccount:
        """Give credit as a gift, booked in the same transaction. Returns the account after it.

        `customer`: as in `holders`; one whom nobody knows yet is taken by the name that is given.
        `seller`: whose debt it is; may be left out where there is one alone. `sellers`: those whose
        customers somebody knows.
        """
        async with self._pool.acquire() as conn:
            return await credit.grant(
                conn,
                key=key,
                customer_id=await _kept_as(conn, customer, sellers),
                amount=amount,
                seller=seller,
                who=who,
                why=why,
            )

    async def accounts(
        self,
        customer: str,
        *,
        sellers: Collection[str] | None = None,
        after: tuple[str, str] | None = None,
        at_most: int | None = None,
    ) -> Sequence[CreditAccount]:
        """A customer's accounts, one for each seller and currency; none without credit.

        `customer`: named as for `grant`. `sellers`: with one of these alone. `after`: behind the
        one with this seller in this currency.
        """
        async with self._pool.acquire() as conn:
            named = await _kept_as(conn, customer, sellers)
            return await credit_accounts.find(
                conn, named, sellers=sellers, after=after, at_most=at_most
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


async def _kept_as(conn: Connection, customer: str, sellers: Collection[str] | None) -> str:
    """Credit that was given before a first order stays where it is found: under the same name."""
    if await credit_accounts.find(conn, customer, sellers=sellers, at_most=1):
        return customer
    return await kept_as(conn, customer, sellers=sellers)
