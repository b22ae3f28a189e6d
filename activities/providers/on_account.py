"""Payment on account: business customers pay by invoice, and no company is asked for money.

An authorization says that the customer may owe the amount, a capture that it does owe it, and a
refund that it owes less. The books have it among trade receivables. When the customer has paid is
known where its bank account is read: not here.
"""

from __future__ import annotations

from typing import Final

from activities.extension import Extension, NoSettings
from activities.payments.no_company import NoCompany, receipt
from activities.payments.provider import PaymentReceipt
from domain import ids
from domain.money import Money
from domain.orders.providers import ON_ACCOUNT
from store.database import Pool
from store.payments import payments


class OnAccount(NoCompany):
    """A `PaymentProvider` without a company. The token of an order names the customer's account."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def authorize(
        self, *, key: str, order_id: str, amount: Money, token: str
    ) -> PaymentReceipt:
        """The channel lets its customers pay by invoice: see `domain.orders.channels`."""
        del token
        return receipt(key, "authorize", key, order_id, amount)

    async def capture(self, *, key: str, authorization: str, amount: Money) -> PaymentReceipt:
        """The customer owes it."""
        return receipt(key, "capture", authorization, "", amount)

    async def void(self, *, key: str, authorization: str) -> PaymentReceipt:
        """What was not captured will never be owed."""
        order_id = ids.order_of(key)
        async with self._pool.acquire() as conn:
            made = await payments.of_order(conn, order_id)
        found = next(one for one in made if one.payment_key == authorization)
        left = Money(minor=found.amount_minor - found.captured, currency=found.currency)
        return receipt(key, "void", authorization, order_id, left)

    async def refund(self, *, key: str, authorization: str, amount: Money) -> PaymentReceipt:
        """The customer owes less; its credit note says so. What it has paid is its to use."""
        return receipt(key, "refund", authorization, "", amount)


EXTENSION: Final = Extension(
    name=ON_ACCOUNT,
    settings=NoSettings,
    payment=lambda _settings, tools: OnAccount(tools.pool),
)
