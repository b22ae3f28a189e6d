"""The money of exchanges: from a return to its exchange order, and the way back.

What comes back is paid to the exchange order, and what is left to the customer. An exchange order
that is cancelled, or whose goods come back, gives its part back: then that is owed by the original
order again, whose companies pay it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from activities.payments.contracts import Refund
from activities.payments.money_calls import Call, MoneyCalls, begun, tell
from activities.payments.provider import PaymentProvider, PaymentReceipt
from activities.payments.shares import intend_shares, shares_of_refund
from activities.provider_errors import DeclineCode, Declined, Unavailable
from domain.accounting import accounts
from domain.errors import Refused
from domain.money import Money
from domain.orders.providers import EXCHANGE
from domain.payments.payments import CAME_BACK
from store.accounting import ledger
from store.database import Connection, Pool, Record
from store.locks import lock_order
from store.orders import events
from store.payments import bounced_refunds, exchanges, payments, refunds
from store.payments.payments import Intent, Payment
from store.payments.refunds import ToPay

CLEARING: Final = accounts.money_at(EXCHANGE)

Book = Callable[[Connection, Payment], Awaitable[None]]


async def to_exchange(conn: Connection, owed: ToPay, book: Book) -> None:
    """Pay a return's refund to its exchange order, as much as that needs, once.

    `book`: all that follows from a refund that is paid. The caller holds the order's lock. Raises
    Unavailable while it is not known how much that is.
    """
    exchange = await exchanges.of_return(conn, owed.refund_id)
    assert exchange is not None  # the refund says that it is of one
    if not exchange.has_begun:
        raise Unavailable(f"{exchange.exchange_order_id} has not begun, so its part is not known")
    goes = await exchanges.settle(conn, owed.refund_id, owed.unissued, is_back=True)
    if goes:
        await book(conn, await _given(conn, owed, goes, number=1))


async def nothing_to_exchange(conn: Connection, owed: ToPay) -> None:
    """The customer has all of a return's refund another way, so its exchange order gets nothing."""
    await exchanges.settle(conn, owed.refund_id, 0, is_back=True)


async def _given(conn: Connection, owed: ToPay, amount: int, *, number: int) -> Payment:
    """Record how much of a refund its exchange order has now, in place of the last record."""
    key = f"{owed.refund_id}:refund:exchange{f'-{number}' if number > 1 else ''}"
    intent = Intent(
        key=key,
        kind="refund",
        amount=Money(minor=amount, currency=owed.currency),
        provider=EXCHANGE,
        part_of=owed.refund_id,
    )
    payment, _ = await payments.intend(conn, owed.order_id, intent)
    await payments.succeed(conn, payment, None)
    return payment


class Paybacks:
    """What exchange orders give back, paid to the customer as the original order was paid."""

    def __init__(self, pool: Pool, calls: MoneyCalls) -> None:
        self._pool = pool
        self._calls = calls

    async def pay(self, key: str, exchange_order_id: str, amount: Money | None) -> None:
        """Have the original order owe it again, and pay it there, once for each key.

        `amount`: None for what is not needed any more, because it was released. Where a company
        says no, a person is asked. Raises Declined where so much is not with the exchange order,
        and OutcomeUnknown.
        """
        async with self._pool.acquire() as conn:
            exchange = await exchanges.of_order(conn, exchange_order_id)
        assert exchange is not None  # somebody has authorized it
        order_id = exchange.order_id
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, order_id)
            back = await exchanges.payback(conn, exchange.return_id, key)
            if back is None:
                minor = await exchanges.not_needed(conn, exchange.return_id)
                minor = minor if amount is None else amount.minor
                if not minor:
                    return
                money = Money(minor=minor, currency=exchange.currency)
                await self._take_back(conn, key, exchange, money)
                back = await exchanges.payback(conn, exchange.return_id, key)
            assert back is not None  # it has just been written
        if back["ended_at"] is not None:
            return
        try:
            await self._pay(order_id, back)
        except (Declined, Refused) as no:
            await self._ask_a_person(order_id, back, str(no))
        async with self._pool.acquire() as conn:
            await exchanges.end_payback(conn, exchange.return_id, key)

    async def _take_back(
        self, conn: Connection, key: str, exchange: exchanges.Standing, amount: Money
    ) -> None:
        """The refund to the exchange order came back, and all but this amount goes there again."""
        given = await exchanges.given(conn, exchange.return_id)
        if given is None or given["amount_minor"] < amount.minor:
            raise Declined(
                DeclineCode.AMOUNT_TOO_LARGE,
                f"{exchange.return_id} has not paid {amount} to {exchange.exchange_order_id}",
            )
        owed = await refunds.find(conn, exchange.return_id)
        payment = await payments.find(conn, given["payment_key"])
        assert owed is not None  # it was paid to the exchange order
        assert payment is not None  # it has just been found
        why = f"{exchange.exchange_order_id} gives {amount} back"
        await payments.came_back(conn, payment, CAME_BACK, why)
        await refunds.came_back(conn, owed.refund_id, payment.amount_minor)
        await ledger.post(
            conn,
            effect=f"{payment.payment_key}:{CAME_BACK}",
            order_id=owed.order_id,
            memo=why,
            currency=owed.currency,
            postings=accounts.refund_came_back(payment.amount_minor, way=CLEARING),
        )
        stays = payment.amount_minor - amount.minor
        if stays:
            again = await _given(conn, owed, stays, number=1 + given["number"])
            await _paid_again(conn, again)
        await exchanges.begin_payback(conn, key, owed.refund_id, payment.payment_key, amount.minor)

    async def _pay(self, order_id: str, back: Record) -> None:
        """Pay it at the companies. Its intents are on record, so a repeat goes on with them."""
        refund_id, amount = back["return_id"], back["amount_minor"]
        key = f"{refund_id}:refund:back-{back['returned_key'].rpartition(':')[2]}"
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, order_id)
            made = await payments.of_order(conn, order_id)
            tried = [p for p in made if (p.kind, p.part_of) == ("refund", refund_id)]
            calls = begun(tried, key)
            if not calls:
                why_not = await payments.why_no_refund(conn, order_id)
                if why_not:
                    raise Refused(why_not)
                owed = await refunds.find(conn, refund_id)
                assert owed is not None  # it came back
                # Only the amount that came back under this key is paid here.
                part = owed.model_copy(update={"issued_minor": owed.amount_minor - amount})
                shares = shares_of_refund(
                    payments.in_turn(made), Refund(refund_id=refund_id, to="original"), part
                )
                calls = await intend_shares(
                    conn, order_id, "refund", refund_id, key, owed.currency, shares
                )
        await self._calls.perform_all(
            calls, self._refund, lambda payment: self._calls.settling(payment, _paid_at_company)
        )
        if sum(each.payment.amount_minor for each in calls) < amount:
            raise Refused("a part of it was paid by hand: pay that back by hand")

    def _refund(self, payment: Payment) -> Call:
        async def call(provider: PaymentProvider) -> PaymentReceipt:
            return await provider.refund(
                key=payment.payment_key,
                authorization=await self._calls.authorization(payment),
                amount=payment.amount,
            )

        return call

    async def _ask_a_person(self, order_id: str, back: Record, why: str) -> None:
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, order_id)
            step = f"{bounced_refunds.STEP}{back['returned_key']}"
            await events.raise_attention(conn, order_id, step, why, bounced_refunds.ALLOWED)


async def _paid_again(conn: Connection, payment: Payment) -> None:
    """What came back of a refund is paid in another way."""
    await refunds.came_back(conn, payment.part_of, -payment.amount_minor)
    await ledger.post(
        conn,
        effect=payment.payment_key,
        order_id=payment.order_id,
        memo=f"refund of {payment.amount}",
        currency=payment.currency,
        postings=accounts.refund_issued(
            payment.amount_minor, way=accounts.money_at(payment.provider)
        ),
    )


async def _paid_at_company(conn: Connection, payment: Payment) -> None:
    await _paid_again(conn, payment)
    await tell(conn, payment, "refunded", f"given back by the exchange order of {payment.part_of}")
