"""Exchanges as a payment company: the refund of a return pays for another order.

The token of such a tender is the return's id. It keeps no records of its own: the rows of the
exchange and of the exchange order's payments say what it has authorized and charged. An amount is
charged once it is known what came back, and not before.
"""

from __future__ import annotations

from collections.abc import Mapping

from activities.payments.exchange_money import Paybacks
from activities.payments.money_calls import MoneyCalls
from activities.payments.no_company import NoCompany, receipt
from activities.payments.provider import (
    PaymentProvider,
    PaymentReceipt,
)
from activities.provider_errors import DeclineCode, Declined
from domain import ids
from domain.money import Money
from domain.orders.providers import EXCHANGE
from store.database import Connection, Pool
from store.payments import exchanges, payments
from store.payments.exchanges import Standing


class ExchangeMoney(NoCompany):
    """A `PaymentProvider`. `companies`: the other providers by name; they pay money back."""

    def __init__(self, pool: Pool, companies: Mapping[str, PaymentProvider]) -> None:
        self._pool = pool
        self._paybacks = Paybacks(pool, MoneyCalls(pool, {**companies, EXCHANGE: self}))

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
        return receipt(key, "authorize", key, order_id, amount)

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
        return receipt(key, "capture", authorization, order_id, amount)

    async def void(self, *, key: str, authorization: str) -> PaymentReceipt:
        """The order does not need it: the refund goes to the customer."""
        order_id = ids.order_of(key)
        async with self._pool.acquire() as conn:
            made = await payments.find(conn, authorization)
        assert made is not None  # it has a row, whose key is its reference
        await self._paybacks.pay(key, order_id, None)
        room = Money(minor=made.room, currency=made.currency)
        return receipt(key, "void", authorization, order_id, room)

    async def refund(self, *, key: str, authorization: str, amount: Money) -> PaymentReceipt:
        """It goes back to where it came from, and is paid there."""
        order_id = ids.order_of(key)
        await self._paybacks.pay(key, order_id, amount)
        return receipt(key, "refund", authorization, order_id, amount)

    async def _of(self, conn: Connection, order_id: str) -> Standing:
        exchange = await exchanges.of_order(conn, order_id)
        assert exchange is not None  # it has authorized something for this order
        return exchange
