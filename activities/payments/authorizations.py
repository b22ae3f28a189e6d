"""Authorizations: made and renewed by the payment plan, and released.

`money_calls` tells how each call is made safe.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from temporalio import activity

from activities.payments.contracts import Authorize, Void
from activities.payments.money_calls import (
    Call,
    MoneyCalls,
    Planned,
    Settle,
    refusal_of,
    tell,
    void_key,
)
from activities.payments.provider import PaymentProvider, PaymentReceipt
from activities.provider_errors import Declined
from domain.errors import IllegalTransition
from domain.money import Money
from domain.orders.voucher_codes import kept_if_code
from domain.payments.cover import ENDED, SHARED, Standing, When
from domain.payments.plan import Make, Payer, Plan, plan
from store import clock
from store.database import Connection, Pool
from store.locks import lock_order
from store.payments import authorizations, cover, payments
from store.payments.cover import Paying
from store.payments.payments import Intent, Payment

ORDER_OVER: Final = ("rejected", "cancelled", "closed")


class Authorizations:
    """Authorizations, with the database pool and the payment providers (by name) injected."""

    def __init__(self, pool: Pool, providers: Mapping[str, PaymentProvider]) -> None:
        self._pool = pool
        self._calls = MoneyCalls(pool, providers)

    @activity.defn
    async def authorize_payment(self, ask: Authorize) -> None:
        """Carry out the payment plan, until the payment holds. At first this confirms the order.

        Fails with type `declined` when a company refuses for good, and `action_required` when the
        customer has to confirm the payment first.
        """
        # Each is made once here: one whose authorization ends at once would be made for ever.
        ask = ask.model_copy(update={"token": kept_if_code(ask.token)})
        made: set[tuple[int, str]] = set()
        # Authorize one after the other, so that a refusal never leaves a later one pending. Nothing
        # is locked meanwhile: of two attempts that do the same, one writes the intent.
        while True:
            async with self._pool.acquire() as conn:
                found = await authorizations.paying(conn, ask.order_id, ask.edit)
            _check(found, ask.attempt)
            if ask.token and not found.pays_with(ask.provider, ask.token):
                await self._bring(found, ask)
                continue
            begun = next((each for each in found.authorizations if each.open), None)
            new = begun is None
            if begun is None:
                todo = self._plan(found, ask)
                if todo.bind:
                    await self._tidy_up(ask)
                    continue
                make = next((x for x in todo.make if (x.payer, x.part) not in made), None)
                if make is None:
                    await self._end(found, ask, todo)
                    return
                made.add((make.payer, make.part))
                begun = await self._intend(found, ask, make)
                if begun is None:
                    continue  # Another attempt was faster: look what it does.
            if await self._authorize(found, ask, Planned(begun, new=new)):
                return

    async def _bring(self, found: Paying, ask: Authorize) -> None:
        """Keep what the customer has brought: later authorizations are made with it, too.

        Raises NotFound for a provider that is not there or not taken, and keeps nothing then.
        """
        provider = ask.provider or found.tenders[-1].provider
        self._calls.provider(provider)
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, ask.order_id)
            await cover.bring(conn, ask.order_id, provider, ask.token)

    def _plan(self, found: Paying, ask: Authorize, besides: Payment | None = None) -> Plan:
        """The plan; `besides`: as if that authorization had been made."""
        payers = [
            Payer(
                number,
                once=self._charges_once(tender.provider),
                limit=tender.most,
                # The customer brings another token in the place of the last one.
                refused=tender.most is not None and found.refused(number),
                least=self._calls.least(tender.provider, found.currency),
            )
            for number, tender in enumerate(found.tenders, start=1)
        ]
        now = clock.now()
        standing = found.standing
        if besides is not None:
            part, amount = besides.part_of, besides.amount_minor
            standing.append(Standing(besides.payment_key, besides.tender, part, amount, now))
        when = When(now=now, until=ask.until or now, spare=ask.spare)
        needs = found.needs(ask.parts[0] if ask.parts else "", ahead=ask.ahead)
        return plan(needs, payers, standing, when, ask.parts or None)

    def _charges_once(self, provider: str) -> bool:
        return provider in self._calls.providers and self._calls.charges_once(provider)

    async def _intend(self, found: Paying, ask: Authorize, make: Make) -> Payment | None:
        """Write the intent. None: there is one with its key by now.

        The customer may change the means of payment after a refusal, so no intent is written before
        its turn.
        """
        tender = found.tenders[make.payer - 1]
        self._calls.provider(tender.provider)
        number = len(found.authorizations) + 1
        first = f"{ask.order_id}:authorize"
        intent = Intent(
            key=first if number == 1 else f"{first}:{number}",
            kind="authorize",
            amount=Money(minor=make.amount, currency=found.currency),
            provider=tender.provider,
            tender=make.payer,
            part_of=make.part,
        )
        whole = make.part == SHARED and self._charges_once(tender.provider)
        async with self._pool.acquire() as conn:
            return await authorizations.intend(conn, ask.order_id, intent, whole=whole)

    async def _authorize(self, found: Paying, ask: Authorize, planned: Planned) -> bool:
        """Bring an authorization to its outcome. True: the order is confirmed with that."""
        payment = planned.payment
        token = found.tenders[payment.tender - 1].token
        last = found.decision == "received" and not self._plan(found, ask, payment).make
        total = sum(each.room for each in found.standing) + payment.amount_minor
        amount = Money(minor=total, currency=found.currency)
        decision: str | None = None

        async def call(provider: PaymentProvider) -> PaymentReceipt:
            return await provider.authorize(
                key=payment.payment_key,
                order_id=payment.order_id,
                amount=payment.amount,
                token=token,
            )

        async def settle(receipt: PaymentReceipt | None) -> bool:
            nonlocal decision
            decision = await self._made(payment, receipt, confirms=amount if last else None)
            return decision is not None

        await self._calls.perform(planned, call, settle)
        if decision in ORDER_OVER:
            over = "the order was over before it was authorized"
            await self._release(Void(order_id=ask.order_id, why=over))
            raise IllegalTransition(f"order {ask.order_id} is {decision}: nothing is authorized")
        return last and decision == "received"

    async def _made(
        self, payment: Payment, receipt: PaymentReceipt | None, *, confirms: Money | None = None
    ) -> str | None:
        async with self._pool.acquire() as conn:
            return await authorizations.made(
                conn,
                payment,
                receipt.reference if receipt else None,
                receipt.expires_at if receipt else None,
                confirms=confirms,
            )

    async def _end(self, found: Paying, ask: Authorize, todo: Plan) -> None:
        """All is authorized: release authorizations that were replaced, or confirm the order."""
        if todo.void or todo.close:
            await self._tidy_up(ask)
        if todo.void or any(each.kind == "void" and each.open for each in found.operations):
            # The refusal is recorded. The new one stands, and the old one ends by itself.
            with suppress(Declined):
                await self._perform_voids(ask.order_id, "it ended soon, and there is another one")
        if found.decision == "received":
            total = sum(each.room for each in found.standing)
            async with self._pool.acquire() as conn:
                amount = Money(minor=total, currency=found.currency)
                await authorizations.confirm(conn, ask.order_id, amount)

    async def _tidy_up(self, ask: Authorize) -> None:
        """Give authorizations another part, or release those that are replaced, by the plan.

        It is made again under the order's lock.
        """
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, ask.order_id)
            found = await authorizations.paying(conn, ask.order_id, ask.edit)
            todo = self._plan(found, ask)
            for key, part in todo.bind.items():
                await authorizations.bind(conn, key, part)
            if todo.make:
                return
            for old in found.authorizations:
                if old.payment_key in todo.void:
                    await self._intend_void(conn, old)
                if old.payment_key in (*todo.void, *todo.close):
                    await payments.release(conn, old.payment_key)

    @activity.defn
    async def void_payment(self, ask: Void) -> None:
        """Undo authorize_payment; at the order's end it also releases the amounts left uncaptured.

        An authorization that was never made needs nothing. One whose outcome is unknown is looked
        up first, and given up if the provider has not seen it.
        """

        async with self._pool.acquire() as conn:
            made = await payments.authorizations(conn, ask.order_id)
        for payment in made:
            if payment.open:
                await self._calls.conclude(payment, self._late(payment))
        await self._release(ask)

    def _late(self, payment: Payment) -> Settle:
        async def settle(receipt: PaymentReceipt | None) -> bool:
            return await self._made(payment, receipt) is not None

        return settle

    async def _release(self, ask: Void) -> None:
        """Release authorized amounts that are not charged: all of them, or those not needed."""
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, ask.order_id)
            found = await cover.paying(conn, ask.order_id)
            made = [each for each in found.authorizations if each.room]
            if ask.beyond:
                made = cover.beyond_need(found, ahead=ask.ahead, spare=ask.spare)
            for payment in made:
                await self._intend_void(conn, payment)
        await self._perform_voids(ask.order_id, ask.why)

    async def _intend_void(self, conn: Connection, authorization: Payment) -> None:
        intent = Intent(
            key=void_key(authorization),
            kind="void",
            amount=Money(minor=authorization.room, currency=authorization.currency),
            provider=authorization.provider,
            tender=authorization.tender,
            authorization_key=authorization.payment_key,
        )
        await payments.intend(conn, authorization.order_id, intent)

    async def _perform_voids(self, order_id: str, why: str) -> None:
        async def told(conn: Connection, payment: Payment) -> None:
            await tell(conn, payment, "authorization released", why)

        async with self._pool.acquire() as conn:
            known = await payments.of_order(conn, order_id)
        holding = {p.payment_key for p in known if p.kind == "authorize" and p.room}
        refused: Declined | None = None  # Raised after every release has been asked for.
        for payment in known:
            if payment.kind == "void" and (payment.open or payment.authorization_key in holding):
                try:
                    # An earlier attempt may have asked for it already, so look it up first.
                    planned = Planned(payment, new=payment.state == "requested")
                    settle = self._calls.settling(payment, told)
                    await self._calls.perform(planned, self._void(payment), settle)
                except Declined as refusal:
                    # It has ended by itself, or the company has ended it.
                    if refusal.code not in ENDED:
                        refused = refused or refusal
        if refused is not None:
            raise refused

    def _void(self, payment: Payment) -> Call:
        async def call(provider: PaymentProvider) -> PaymentReceipt:
            return await provider.void(
                key=payment.payment_key, authorization=await self._calls.authorization(payment)
            )

        return call


def _check(found: Paying, attempt: int) -> None:
    """Raises Declined if this attempt was refused, and IllegalTransition if it comes too late."""
    over = found.decision in ORDER_OVER
    if over or (found.decision == "received" and found.voided):
        what = found.decision if over else "being undone"
        raise IllegalTransition(f"order {found.order_id} is {what}: nothing is authorized for it")
    failed = [each for each in found.authorizations if each.state == "failed"]
    if len(failed) >= attempt:
        raise refusal_of(sorted(failed, key=lambda each: each.requested_at)[attempt - 1])
