"""Exchanges as a payment company: the refund of a return pays for another order.

The token of such a tender is the return's id. It keeps no records of its own: the rows of the
exchange and of the exchange order's payments say what it has authorized and charged. An amount is
charged once it is known what came back, and not before.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final

from activities.payments.exchange_money import Paybacks
from activities.payments.money_calls import MoneyCalls
from activities.payments.provider import (
    Capabilities,
    PaymentKind,
    PaymentProvider,
    PaymentReceipt,
)
from activities.provider_errors import DeclineCode, Declined
from domain import ids
from domain.money import Money
from domain.orders.providers import EXCHANGE
from store import clock
from store.database import Connection, Pool
from store.payments import exchanges, payments
from store.payments.exchanges import Standing

_FOR_EVER: Final = timedelta(days=3650)


class ExchangeMoney:
    """A `PaymentProvider`. `companies`: the other providers by name; they pay money back."""

    def __init__(self, pool: Pool, companies: Mapping[str, PaymentProvider]) -> None:
        self._pool = pool
        self._paybacks = Paybacks(pool, MoneyCalls(pool, {**companies, EXCHANGE: self}))

    @property
    def capabilities(self) -> Capabilities:
        """What it authorizes stays authorized, and nobody lists it."""
        return Capabilities(
            captures="several", holds_for=_FOR_EVER, keys_live=_FOR_EVER, listed=False
        )

    async def authorize(
        self, *, key: str, order_id: str, amount: Money, token: str
    ) -> PaymentReceipt:
        """Set this part of the refund aside for the order.

        Raises Declined(ACTION_REQUIRED) where the refund is less: the customer pays the rest.
        """
        async with self._pool.acquire() as conn:
            exchange = await exchanges.of_order(conn, order_id)
        if exchange is None or exchange.return_id != token:
            raise Declined(
                DeclineCode.NOT_FOUND,
                f"{token} is no return that pays for {order_id}; say which provider it is of",
            )
        # Once it is settled, nothing more comes: what is not needed of it goes back for good.
        minor = 0 if exchange.settled else exchange.pays - exchange.authorized
        left = Money(minor=minor, currency=exchange.currency)
        if amount.minor > left.minor:
            raise Declined(
                DeclineCode.ACTION_REQUIRED,
                f"{amount} is to be paid, of which {token} pays {left}: the customer pays the rest",
            )
        return _receipt(key, "authorize", key, order_id, amount)

    async def capture(self, *, key: str, authorization: str, amount: Money) -> PaymentReceipt:
        """Charge a part of the refund that was set aside.

        Raises Declined(EXPIRED) where less came back than was authorized.
        """
        order_id = ids.order_of(key)
        async with self._pool.acquire() as conn:
            exchange = await self._of(conn, order_id)
            charged = await exchanges.charged(conn, order_id)  # this charge included
        if not exchange.settled or charged > exchange.pays:
            raise Declined(
                DeclineCode.EXPIRED,
                f"what {exchange.return_id} pays back does not come to {amount}",
            )
        return _receipt(key, "capture", authorization, order_id, amount)

    async def void(self, *, key: str, authorization: str) -> PaymentReceipt:
        """The order does not need it: the refund goes to the customer."""
        order_id = ids.order_of(key)
        async with self._pool.acquire() as conn:
            made = await payments.find(conn, authorization)
        assert made is not None  # it has a row, whose key is its reference
        await self._paybacks.pay(key, order_id, None)
        room = Money(minor=made.room, currency=made.currency)
        return _receipt(key, "void", authorization, order_id, room)

    async def refund(self, *, key: str, authorization: str, amount: Money) -> PaymentReceipt:
        """It goes back to where it came from, and is paid there."""
        order_id = ids.order_of(key)
        await self._paybacks.pay(key, order_id, amount)
        return _receipt(key, "refund", authorization, order_id, amount)

    async def lookup(
        self, *, key: str, kind: PaymentKind, authorization: str | None, since: datetime
    ) -> PaymentReceipt | None:
        """None: a repeat of the call does nothing twice, and gets the same answer."""
        return None

    async def operations(self, order_id: str) -> tuple[PaymentReceipt, ...]:
        """Nothing that is not on record here."""
        return ()

    async def list_day(self, day: date) -> tuple[PaymentReceipt, ...]:
        """Nothing: it is compared with the books, by the audit."""
        return ()

    async def _of(self, conn: Connection, order_id: str) -> Standing:
        exchange = await exchanges.of_order(conn, order_id)
        assert exchange is not None  # it has authorized something for this order
        return exchange


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
