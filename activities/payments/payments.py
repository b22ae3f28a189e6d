"""Captures and refunds. `money_calls` tells how each call is made safe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from temporalio import activity

from activities.payments.billing import (
    credit,
    grant_refund,
    invoice,
    is_invoiced,
    paid_by_hand,
    settle_refund,
    shares_of_refund,
)
from activities.payments.contracts import Answer, Capture, Invoice, MayRefund, Refund
from activities.payments.money_calls import (
    Call,
    MoneyCalls,
    Planned,
    begun,
    none_open,
    succeeded,
    tell,
    the_same,
)
from activities.payments.provider import CreditIssuer, PaymentProvider, PaymentReceipt
from activities.provider_errors import Declined
from domain.accounting import accounts
from domain.accounting.documents import Seller
from domain.errors import NotAuthorized, Refused
from domain.ids import WHO
from domain.money import Money
from domain.payments.cover import ENDED
from store.accounting import ledger
from store.database import Connection, Pool
from store.locks import lock_order
from store.orders import effects, events, orders
from store.payments import disputes, payments, refunds
from store.payments.payments import BY_HAND, STORE_CREDIT, Intent, Payment


class Payments:
    """Captures and refunds, with the database pool and the payment providers (by name) injected."""

    def __init__(
        self, pool: Pool, providers: Mapping[str, PaymentProvider], seller: Seller | None = None
    ) -> None:
        self._pool = pool
        self._calls = MoneyCalls(pool, providers)
        self._seller = seller or Seller()

    @activity.defn
    async def charge_payment(self, ask: Capture) -> None:
        """Invoice and charge the shipped units, and book both.

        Fails with type `declined` when the provider refuses, and `not_authorized` when the
        authorization cannot be charged any more.
        """
        key = _key(f"{ask.fulfilment_id}:capture", ask.attempt, ask.by_hand)
        total = Money(minor=ask.worth.total, currency=ask.currency)

        async def book(conn: Connection, payment: Payment) -> None:
            await ledger.post(
                conn,
                effect=payment.payment_key,
                order_id=ask.order_id,
                memo=f"capture of {payment.amount}",
                currency=ask.currency,
                postings=accounts.captured(
                    payment.amount_minor,
                    prepaid=ask.prepaid,
                    by_credit=payment.provider == STORE_CREDIT,
                ),
            )
            await tell(conn, payment, "charged", _why(ask))
            tried = await payments.of_part(conn, ask.order_id, "capture", ask.fulfilment_id)
            if succeeded(tried) == total.minor:
                moves = {line_id: {"charged": units} for line_id, units in ask.units.items()}
                await orders.move_lines(conn, ask.order_id, moves)

        shortage: NotAuthorized | None = None
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, ask.order_id)
            tried = await payments.of_part(conn, ask.order_id, "capture", ask.fulfilment_id)
            planned = begun(tried, key)
            if planned:
                the_same(tried, key, total)
            else:
                none_open(tried)
                left = total.minor - succeeded(tried)
                if tried and left == 0:
                    return  # A later try was faster than this one, which has written nothing.
                try:
                    shares = await self._shares_of_capture(conn, ask, left)
                except NotAuthorized as error:
                    shortage = error  # Units that have left are invoiced all the same.
                else:
                    planned = await self._intend(
                        conn, ask.order_id, "capture", ask.fulfilment_id, key, ask.currency, shares
                    )
            if not ask.prepaid and not await is_invoiced(conn, ask):
                await invoice(conn, ask, self._seller, prepaid=False)
        if shortage is not None:
            raise shortage
        try:
            await self._calls.perform_all(planned, self._capture, book)
        except Declined as error:
            if ask.renews and error.code in ENDED:
                raise NotAuthorized(error.message) from error
            error.charged = await self._charged(ask)
            raise

    async def _charged(self, ask: Capture) -> int:
        async with self._pool.acquire() as conn:
            return succeeded(
                await payments.of_part(conn, ask.order_id, "capture", ask.fulfilment_id)
            )

    @activity.defn
    async def invoice_shipment(self, ask: Invoice) -> None:
        """Invoice goods that went out and were charged before."""
        effect = f"{ask.fulfilment_id}:invoiced"
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, ask.order_id)
            if await effects.find(conn, ask.order_id, effect) is not None:
                return
            await events.tell(conn, ask.order_id, effect, "invoiced", who=WHO)
            await invoice(conn, ask, self._seller, prepaid=True)

    async def _shares_of_capture(
        self, conn: Connection, ask: Capture, amount: int
    ) -> list[tuple[Payment | None, int]]:
        """Split a capture over authorizations: those for this parcel first, then by sequence."""
        if amount < 0:
            asked = Money(minor=amount, currency=ask.currency)
            raise Refused(f"capture of {asked}: an amount must not be negative")
        if ask.by_hand or amount == 0:
            return [(None, amount)]
        made = [p for p in await payments.authorizations(conn, ask.order_id) if p.room]
        own = [p for p in made if p.part_of == ask.fulfilment_id]
        shares: list[tuple[Payment | None, int]] = []
        for authorization in own + [p for p in made if p.part_of == ""]:
            share = min(amount, authorization.room)
            if share:
                shares.append((authorization, share))
                amount -= share
        if amount:
            short = Money(minor=amount, currency=ask.currency)
            why = f"{short} of {ask.fulfilment_id} is not authorized, or not any more"
            raise NotAuthorized(why) if ask.renews else Refused(why)
        return shares

    def _capture(self, payment: Payment) -> Call:
        async def call(provider: PaymentProvider) -> PaymentReceipt:
            return await provider.capture(
                key=payment.payment_key,
                authorization=await self._calls.authorization(payment),
                amount=payment.amount,
            )

        return call

    @activity.defn
    async def may_refund(self, ask: MayRefund) -> Answer:
        """Say whether anything of the order may be paid back at all, and if not, why."""
        async with self._pool.acquire() as conn:
            return Answer(why_not=await payments.why_no_refund(conn, ask.order_id))

    @activity.defn
    async def refund_payment(self, ask: Refund) -> None:
        """Grant the refund, pay it back, and book both. After a refusal it is still owed."""
        # Another way of paying back is another call, also for a refund that was refused before.
        way = f":{STORE_CREDIT}" if ask.to == STORE_CREDIT else ""
        key = _key(f"{ask.refund_id}:refund{way}", ask.attempt, ask.by_hand)

        async def book(conn: Connection, payment: Payment) -> None:
            await ledger.post(
                conn,
                effect=payment.payment_key,
                order_id=ask.order_id,
                memo=f"refund of {payment.amount}",
                currency=ask.currency,
                postings=accounts.refund_issued(
                    payment.amount_minor,
                    as_credit=payment.provider == STORE_CREDIT,
                    by_bank=await disputes.given_by_bank(conn, payment),
                ),
            )
            await tell(conn, payment, "refunded", ask.by_hand or ask.why)
            if await refunds.issued(conn, ask.refund_id, payment.amount_minor):
                await settle_refund(conn, ask)

        refusal: Refused | None = None
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, ask.order_id)
            new = await grant_refund(conn, ask)
            tried = await payments.of_part(conn, ask.order_id, "refund", ask.refund_id)
            planned = begun(tried, key)
            if not planned:
                none_open(tried)
                owed = await refunds.find(conn, ask.refund_id)
                assert owed is not None
                if tried and owed.unissued == 0:
                    return  # An earlier try's outcome arrived late.
                try:
                    if not (new or ask.by_hand):  # The bank may have been asked about it since.
                        await self._check_not_disputed(conn, ask)
                    shares = await shares_of_refund(conn, ask, owed.unissued)
                except Refused as error:
                    refusal = error  # It stays owed.
                else:
                    planned = await self._intend(
                        conn, ask.order_id, "refund", ask.refund_id, key, ask.currency, shares
                    )
            if new:
                await credit(conn, ask, self._seller)
        if refusal is not None:
            raise refusal
        await self._calls.perform_all(planned, lambda p: self._refund(p, ask), book)
        async with self._pool.acquire() as conn:
            owed = await refunds.find(conn, ask.refund_id)
            assert owed is not None
            if owed.unissued:
                raise paid_by_hand(ask, owed.unissued)

    async def _check_not_disputed(self, conn: Connection, ask: Refund) -> None:
        why_not = await payments.why_no_refund(conn, ask.order_id)
        if why_not:
            raise Refused(why_not)

    def _refund(self, payment: Payment, ask: Refund) -> Call:
        async def call(provider: PaymentProvider) -> PaymentReceipt:
            if payment.authorization_key is None:
                assert isinstance(provider, CreditIssuer)
                async with self._pool.acquire() as conn:
                    customer_id = await orders.customer_id(conn, ask.order_id)
                return await provider.issue(
                    key=payment.payment_key,
                    customer_id=customer_id,
                    amount=payment.amount,
                    order_id=ask.order_id,
                    who=ask.who,
                    why=ask.why,
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
            by_hand = amount == 0 or key.endswith(f":{BY_HAND}")
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


def _provider_of(authorization: Payment | None, *, by_hand: bool) -> str:
    if authorization is not None:
        return authorization.provider
    return BY_HAND if by_hand else STORE_CREDIT


def _key(first: str, attempt: int, by_hand: str | None) -> str:
    if by_hand is not None:
        return f"{first}:{BY_HAND}"
    return first if attempt == 1 else f"{first}:{attempt}"


def _why(ask: Capture) -> str:
    if ask.by_hand is not None:
        return ask.by_hand
    return "the whole order, before it ships" if ask.prepaid else f"{ask.fulfilment_id} shipped"
