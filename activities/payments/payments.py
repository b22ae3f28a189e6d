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
    tell,
)
from activities.payments.provider import CreditIssuer, PaymentProvider, PaymentReceipt
from activities.payments.shares import no_company_has, shares_of_charge, shares_of_refund
from activities.provider_errors import Declined
from domain import ids
from domain.accounting import accounts
from domain.errors import NotAuthorized, NotFound, Refused
from domain.money import Money
from domain.payments.cover import ENDED
from store.accounting import ledger
from store.aftersales import returns
from store.database import Connection, Pool
from store.locks import lock_order
from store.orders import orders
from store.payments import billing, captures, disputes, payments, refunds, tallies
from store.payments.payments import BY_HAND, STORE_CREDIT, Intent, Payment


class Payments:
    """Charges and refunds, with the database pool and the payment providers (by name) injected."""

    def __init__(self, pool: Pool, providers: Mapping[str, PaymentProvider]) -> None:
        self._pool = pool
        self._calls = MoneyCalls(pool, providers)

    @activity.defn
    async def charge_payment(self, ask: Charge) -> Charged:
        """Charge the amount that is due, and book it. For a whole order, the first try sets it.

        Fails with type `declined` when the provider refuses, and `not_authorized` when the
        authorization cannot be charged any more.
        """
        key = _key(f"{ask.part_id}:capture", ask.attempt, ask.by_hand)

        def settling(payment: Payment) -> Settle:
            async def settle(receipt: PaymentReceipt | None) -> bool:
                async with self._pool.acquire() as conn:
                    if not ask.or_nothing:
                        return await self._made(conn, ask, payment, receipt)
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
                    shares = shares_of_charge(standing, ask, charge)
                    planned = await self._intend(
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
        return Charged(authorized=self._stays_authorized(standing, planned))

    async def _made(
        self, conn: Connection, ask: Charge, payment: Payment, receipt: PaymentReceipt | None
    ) -> bool:
        ahead = ask.part_id == ids.prepaid_id(ask.order_id)
        return await captures.made(
            conn,
            payment,
            receipt.reference if receipt else None,
            ahead=ahead,
            releases_rest=self._calls.charges_once(payment.provider),
            why=_why(ask, ahead=ahead),
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
        order_id = ids.order_of(ask.refund_id)

        async def book(conn: Connection, payment: Payment) -> None:
            await ledger.post(
                conn,
                effect=payment.payment_key,
                order_id=order_id,
                memo=f"refund of {payment.amount}",
                currency=payment.currency,
                postings=accounts.refund_issued(
                    payment.amount_minor,
                    as_credit=payment.provider == STORE_CREDIT,
                    by_bank=await disputes.given_by_bank(conn, payment),
                ),
            )
            await tell(conn, payment, "refunded", ask.by_hand or owed.reason)
            if await refunds.issued(conn, ask.refund_id, payment.amount_minor) and (
                owed.kind == "return"
            ):
                await returns.set_state(conn, ask.refund_id, "refunded")

        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, order_id)
            owed = await _owed(conn, ask.refund_id)
            ask = ask.model_copy(update={"to": ask.to or owed.pay_to})
            # Another way of paying back is another call, also for a refund that was refused before.
            way = f":{STORE_CREDIT}" if ask.to == STORE_CREDIT else ""
            key = _key(f"{ask.refund_id}:refund{way}", ask.attempt, ask.by_hand)
            made = await payments.of_order(conn, order_id)
            tried = [p for p in made if (p.kind, p.part_of) == ("refund", ask.refund_id)]
            planned = begun(tried, key)
            if not planned:
                none_open(tried)
                if owed.unissued == 0:
                    return  # Nothing of it is to be paid, or an earlier try's outcome came late.
                if not ask.by_hand:
                    await _check_not_disputed(conn, order_id)
                shares = shares_of_refund(payments.in_turn(made), ask, owed)
                planned = await self._intend(
                    conn, order_id, "refund", ask.refund_id, key, owed.currency, shares
                )
        await self._calls.perform_all(
            planned,
            lambda payment: self._refund(payment, owed),
            lambda payment: self._calls.settling(payment, book),
        )
        async with self._pool.acquire() as conn:
            owed = await _owed(conn, ask.refund_id)
        if owed.unissued:
            raise no_company_has(owed)

    def _refund(self, payment: Payment, owed: refunds.Refund) -> Call:
        async def call(provider: PaymentProvider) -> PaymentReceipt:
            if payment.authorization_key is None:
                assert isinstance(provider, CreditIssuer)
                async with self._pool.acquire() as conn:
                    customer_id = await orders.customer_id(conn, payment.order_id)
                return await provider.issue(
                    key=payment.payment_key,
                    customer_id=customer_id,
                    amount=payment.amount,
                    order_id=payment.order_id,
                    who=owed.who,
                    why=owed.reason,
                )
            return await provider.refund(
                key=payment.payment_key,
                authorization=await self._calls.authorization(payment),
                amount=payment.amount,
            )

        return call

    async def _intend(
        self,
        conn: Connection,
        order_id: str,
        kind: payments.Kind,
        part: str,
        key: str,
        currency: str,
        shares: Sequence[tuple[Payment | None, int]],
    ) -> list[Planned]:
        """Write an intent for each share: of an authorization, paid by hand, or store credit."""
        planned = []
        for number, (authorization, amount) in enumerate(shares, start=1):
            by_hand = key.endswith(f":{BY_HAND}")
            intent = Intent(
                key=key if number == 1 else f"{key}/{number}",
                kind=kind,
                amount=Money(minor=amount, currency=currency),
                provider=_provider_of(authorization, by_hand=by_hand),
                tender=authorization.tender if authorization else 1,
                authorization_key=authorization.payment_key if authorization else None,
                part_of=part,
            )
            planned.append(Planned(*await payments.intend(conn, order_id, intent)))
        return planned


def _capture(payment: Payment, references: Mapping[str, str | None]) -> Call:
    async def call(provider: PaymentProvider) -> PaymentReceipt:
        authorization = references.get(payment.authorization_key or "")
        assert authorization is not None  # What it is charged to was made there.
        return await provider.capture(
            key=payment.payment_key, authorization=authorization, amount=payment.amount
        )

    return call


async def _owed(conn: Connection, refund_id: str) -> refunds.ToPay:
    """A refund that was granted. Raises NotFound."""
    owed = await refunds.find(conn, refund_id)
    if owed is None:
        raise NotFound(f"no refund {refund_id} was granted")
    return owed


async def _check_not_disputed(conn: Connection, order_id: str) -> None:
    """Nothing is paid back while a bank has taken money back, or might: that would pay twice."""
    why_not = await payments.why_no_refund(conn, order_id)
    if why_not:
        raise Refused(why_not)


def _provider_of(authorization: Payment | None, *, by_hand: bool) -> str:
    if authorization is not None:
        return authorization.provider
    return BY_HAND if by_hand else STORE_CREDIT


def _key(first: str, attempt: int, by_hand: str | None) -> str:
    if by_hand is not None:
        return f"{first}:{BY_HAND}"
    return first if attempt == 1 else f"{first}:{attempt}"


def _why(ask: Charge, *, ahead: bool) -> str:
    if ask.by_hand is not None:
        return ask.by_hand
    return "the whole order, before it ships" if ahead else f"{ask.part_id} shipped"
