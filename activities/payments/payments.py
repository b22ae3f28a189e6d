"""Charges and refunds: calls and their outcomes. `money_calls` tells how each is made safe.

The amounts are in rows, which the transactions of facts have written (store/payments/billing.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from temporalio import activity

from activities.payments.contracts import (
    Charge,
    Charged,
    GrantRefund,
    Refund,
    RefundGranted,
)
from activities.payments.granting import grant_refund
from activities.payments.money_calls import (
    Call,
    MoneyCalls,
    Planned,
    Settle,
    begun,
    none_open,
    succeeded,
)
from activities.payments.provider import PaymentProvider, PaymentReceipt
from activities.payments.refunding import Refunding
from activities.payments.shares import intend_shares, shares_of_charge, try_key
from activities.provider_errors import Declined
from domain import ids
from domain.errors import NotAuthorized
from domain.orders.providers import EXCHANGE
from domain.payments.cover import ENDED
from store.database import Connection, Pool
from store.locks import lock_order
from store.payments import billing, captures, exchanges, payments, tallies
from store.payments.payments import Payment


class Payments:
    """Charges and refunds, with the database pool and the payment providers (by name) injected."""

    def __init__(self, pool: Pool, providers: Mapping[str, PaymentProvider]) -> None:
        self._pool = pool
        self._calls = MoneyCalls(pool, providers)
        self._refunding = Refunding(pool, self._calls)

    @activity.defn
    async def charge_payment(self, ask: Charge) -> Charged:
        """Charge the amount that is due, and book it. For a whole order, the first try sets it.

        What an exchange pays is charged when it is known what comes back, by a later try.

        Fails with type `declined` when the provider refuses, and `not_authorized` when the
        authorization cannot be charged any more.
        """
        key = try_key(f"{ask.part_id}:capture", ask.attempt, ask.by_hand)

        def settling(payment: Payment) -> Settle:
            in_one = any(each.whole for each in standing)

            async def settle(receipt: PaymentReceipt | None) -> bool:
                async with self._pool.acquire() as conn:
                    if not ask.or_nothing:
                        return await self._made(conn, ask, payment, receipt, in_one=in_one)
                    async with conn.transaction():
                        made = await self._made(conn, ask, payment, receipt)
                        if made:
                            await undone(conn, payment)
                        return made

            return settle

        async def undone(conn: Connection, _: Payment) -> None:
            if ask.or_nothing:
                await billing.charge_nothing(conn, ask.order_id, ask.part_id)

        async with self._pool.acquire() as conn, conn.transaction():
            charge, made = await tallies.to_make(conn, ask.order_id, ask.part_id)
            if charge is None and ask.part_id == ids.prepaid_id(ask.order_id):
                charge = await self._take_all(conn, ask)
            tried = [p for p in made if (p.kind, p.part_of) == ("capture", ask.part_id)]
            standing = payments.in_turn(made)
            planned = begun(tried, key)
            if not planned:
                none_open(tried)
                if charge is not None and charge.left:  # A later try may have been faster.
                    shares = await _known(conn, ask, shares_of_charge(standing, ask, charge))
                    planned = await intend_shares(
                        conn, ask.order_id, "capture", ask.part_id, key, charge.currency, shares
                    )
        try:
            references = {each.payment_key: each.reference for each in standing}
            await self._calls.perform_all(
                planned, lambda payment: _capture(payment, references), settling, undone
            )
        except Declined as error:
            if ask.renews and error.code in ENDED:
                raise NotAuthorized(error.message) from error
            error.charged = await self._charged(ask)
            raise
        left = 0 if charge is None else charge.left
        new = sum(each.payment.amount_minor for each in planned if not each.payment.done)
        return Charged(
            authorized=self._stays_authorized(standing, planned), awaits_exchange=left > new
        )

    async def _made(
        self,
        conn: Connection,
        ask: Charge,
        payment: Payment,
        receipt: PaymentReceipt | None,
        *,
        in_one: bool = False,
    ) -> bool:
        ahead = ask.part_id == ids.prepaid_id(ask.order_id)
        return await captures.made(
            conn,
            payment,
            receipt.reference if receipt else None,
            ahead=ahead,
            releases_rest=self._calls.charges_once(payment.provider),
            why=_why(ask, ahead=ahead, in_one=in_one),
        )

    async def _take_all(self, conn: Connection, ask: Charge) -> tallies.Charge | None:
        """Everything that can be sent is due from now on. None: there is nothing."""
        found = await tallies.load(conn, ask.order_id)
        await tallies.take(conn, found, ask.part_id, found.charges.charge_all())
        return await tallies.charge(conn, ask.part_id)

    def _stays_authorized(self, standing: Sequence[Payment], planned: Sequence[Planned]) -> bool:
        """Whether anything is left of authorizations, after these charges of them."""
        left = {payment.payment_key: payment.room for payment in standing}
        for item in planned:
            key = item.payment.authorization_key
            if key is not None and self._calls.charges_once(item.payment.provider):
                left[key] = 0
            elif key is not None and item.new:
                left[key] -= item.payment.amount_minor
        return any(room > 0 for room in left.values())

    async def _charged(self, ask: Charge) -> int:
        async with self._pool.acquire() as conn:
            return succeeded(await payments.of_part(conn, ask.order_id, "capture", ask.part_id))

    @activity.defn
    async def grant_refund(self, ask: GrantRefund) -> RefundGranted:
        """Owe the customer what somebody asks for, if the rules allow it."""
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, ask.order_id)
            return await grant_refund(conn, ask)

    @activity.defn
    async def refund_payment(self, ask: Refund) -> None:
        """Pay a granted refund, and book it. If the company refuses, the refund stays owed."""
        await self._refunding.pay(ask)


async def _known(
    conn: Connection, ask: Charge, shares: Sequence[tuple[Payment | None, int]]
) -> Sequence[tuple[Payment | None, int]]:
    """The shares that can be charged by now: what comes back of an exchange may not be known."""
    if not any(each is not None and each.provider == EXCHANGE for each, _ in shares):
        return shares
    exchange = await exchanges.of_order(conn, ask.order_id)
    if exchange is None or exchange.settled:
        return shares
    return [(each, n) for each, n in shares if each is None or each.provider != EXCHANGE]


def _capture(payment: Payment, references: Mapping[str, str | None]) -> Call:
    async def call(provider: PaymentProvider) -> PaymentReceipt:
        authorization = references.get(payment.authorization_key or "")
        assert authorization is not None  # What it is charged to was made there.
        return await provider.capture(
            key=payment.payment_key, authorization=authorization, amount=payment.amount
        )

    return call


def _why(ask: Charge, *, ahead: bool, in_one: bool) -> str:
    if ask.by_hand is not None:
        return ask.by_hand
    if in_one:
        return f"{ask.part_id} shipped, with all that is left: a part of it may be too little alone"
    return "the whole order, before it ships" if ahead else f"{ask.part_id} shipped"
