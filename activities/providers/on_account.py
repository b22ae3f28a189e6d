"""Payment on account: business customers pay by invoice, and no company is asked for money.

An authorization says that the customer may owe the amount, a capture that it does owe it, and a
refund that it owes less. The books have it among trade receivables. When the customer has paid is
known where its bank account is read: not here.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from activities.extension import Extension, NoSettings
from activities.payments.provider import Capabilities, PaymentKind, PaymentReceipt
from domain import ids
from domain.money import Money
from domain.orders.providers import ON_ACCOUNT
from store import clock
from store.database import Pool
from store.payments import payments

_FOR_EVER: Final = timedelta(days=3650)


class OnAccount:
    """A `PaymentProvider` without a company. The token of an order names the customer's account."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @property
    def capabilities(self) -> Capabilities:
        """What a customer may owe ends with its order, and nobody lists it."""
        return Capabilities(
            captures="several", holds_for=_FOR_EVER, keys_live=_FOR_EVER, listed=False
        )

    async def authorize(
        self, *, key: str, order_id: str, amount: Money, token: str
    ) -> PaymentReceipt:
        """The channel lets its customers pay by invoice: see `domain.orders.channels`."""
        del token
        return _receipt(key, "authorize", key, order_id, amount)

    async def capture(self, *, key: str, authorization: str, amount: Money) -> PaymentReceipt:
        """The customer owes it."""
        return _receipt(key, "capture", authorization, "", amount)

    async def void(self, *, key: str, authorization: str) -> PaymentReceipt:
        """What was not captured will never be owed."""
        order_id = ids.order_of(key)
        async with self._pool.acquire() as conn:
            made = await payments.of_order(conn, order_id)
        found = next(one for one in made if one.payment_key == authorization)
        left = Money(minor=found.amount_minor - found.captured, currency=found.currency)
        return _receipt(key, "void", authorization, order_id, left)

    async def refund(self, *, key: str, authorization: str, amount: Money) -> PaymentReceipt:
        """The customer owes less; its credit note says so. What it has paid is its to use."""
        return _receipt(key, "refund", authorization, "", amount)

    async def lookup(
        self, *, key: str, kind: PaymentKind, authorization: str | None, since: datetime
    ) -> PaymentReceipt | None:
        """None: a repeat of the call gets the same answer."""
        return None

    async def operations(self, order_id: str) -> tuple[PaymentReceipt, ...]:
        """Nothing that we do not know."""
        return ()

    async def list_day(self, day: date) -> tuple[PaymentReceipt, ...]:
        """Nothing: no company lists it."""
        return ()


def _receipt(
    key: str, kind: PaymentKind, authorization: str, order_id: str, amount: Money
) -> PaymentReceipt:
    return PaymentReceipt(
        key=key,
        kind=kind,
        reference=key,
        authorization=authorization,
        order_id=order_id,
        amount=amount,
        at=clock.now(),
    )


EXTENSION: Final = Extension(
    name=ON_ACCOUNT,
    settings=NoSettings,
    payment=lambda _settings, tools: OnAccount(tools.pool),
)
