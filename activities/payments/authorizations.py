"""Authorizations: made, renewed, and released. `money_calls` tells how each call is made safe."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

from temporalio import activity

from activities.payments.contracts import Authorize, Authorized, Reauthorize, TenderAsk, Void
from activities.payments.money_calls import (
    ENDED,
    Call,
    MoneyCalls,
    Planned,
    Then,
    refusal_of,
    succeeded,
    tell,
    void_key,
)
from activities.payments.provider import PaymentProvider, PaymentReceipt
from activities.provider_errors import Declined
from domain.errors import Conflict, IllegalTransition
from domain.ids import WHO
from domain.money import Money
from store import clock
from store.database import Connection, Pool
from store.fulfilment import fulfilments
from store.locks import lock_order
from store.orders import effects, events, orders
from store.payments import cover, payments
from store.payments.payments import Intent, Payment

ORDER_OVER: Final = ("rejected", "cancelled", "closed")


class Authorizations:
    """Authorizations, with the database pool and the payment providers (by name) injected."""

    def __init__(self, pool: Pool, providers: Mapping[str, PaymentProvider]) -> None:
        self._pool = pool
        self._calls = MoneyCalls(pool, providers)

    @activity.defn
    async def authorize_payment(self, ask: Authorize) -> Authorized:
        """Authorize every tender; when all have succeeded, confirm the order.

        Fails with type `declined` when a company refuses for good.
        """
        # Authorize one tender at a time, so that a refusal never leaves a later one pending.
        while True:
            async with self._pool.acquire() as conn, conn.transaction():
                order = await lock_order(conn, ask.order_id)
                made = _of_attempt(await payments.authorizations(conn, ask.order_id), ask.attempt)
                wanted = {
                    (tender.number, part): _missing(made, tender.number, part, amount)
                    for tender in ask.tenders
                    for part, amount in self._parts(tender).items()
                }
                planned = await self._intend_next(conn, ask.order_id, made, wanted, ask.tenders)
                if planned is None:
                    await self._confirm(conn, ask, made)
                    return self._authorized(made)
                if order["decision"] in ORDER_OVER:
                    # An attempt that was given up goes on after the order was undone.
                    raise IllegalTransition(
                        f"order {ask.order_id} is {order['decision']}: nothing is authorized for it"
                    )
            await self._authorize(planned, ask.tenders, _nothing)

    async def _confirm(self, conn: Connection, ask: Authorize, made: Sequence[Payment]) -> None:
        """Confirm the order once, and let the warehouse begin. The caller holds the order's lock.

        Does nothing when an authorization was released: then the order is being undone.
        """
        effect, held = f"{ask.order_id}:authorize:confirmed", sum(each.room for each in made)
        if held < ask.amount.minor or await effects.find(conn, ask.order_id, effect) is not None:
            return
        await orders.decide(conn, ask.order_id, "confirmed")
        await fulfilments.release_to_warehouse(conn, ask.order_id)
        data = {"amount_minor": ask.amount.minor, "currency": ask.amount.currency}
        why = f"{ask.amount} authorized"
        await events.tell(conn, ask.order_id, effect, "confirmed", who=WHO, why=why, data=data)

    @activity.defn
    async def reauthorize_payment(self, ask: Reauthorize) -> Authorized:
        """Renew authorizations that end before `until`, and authorize what a parcel still lacks.

        Fails with type `declined` when a company refuses for good.
        """

        made_now: set[str] = set()

        def lasts(payment: Payment) -> bool:
            return payment.payment_key in made_now or _lasts(payment, ask.until)

        async def renewed(conn: Connection, payment: Payment) -> None:
            made_now.add(payment.payment_key)
            await tell(conn, payment, "authorization renewed", f"{payment.amount} authorized")
            for old in await payments.authorizations(conn, ask.order_id):
                if old.room and not lasts(old) and await self._is_replaced(conn, old, payment):
                    # Otherwise a capture under way needs it.
                    if old.capture_granted == old.captured:
                        await self._intend_void(conn, old)
                    await payments.release(conn, old.payment_key)

        while True:  # First finish the authorizations that an earlier attempt has begun.
            async with self._pool.acquire() as conn, conn.transaction():
                await lock_order(conn, ask.order_id)
                made = _of_attempt(await payments.authorizations(conn, ask.order_id), ask.attempt)
                lacking = await self._lacking(conn, ask, made, lasts)
                planned = await self._intend_next(conn, ask.order_id, made, lacking, ask.tenders)
            if planned is None:
                break
            await self._authorize(planned, ask.tenders, renewed)
        # The refusal is recorded. The new authorization stands, and the old one ends by itself.
        with suppress(Declined):
            await self._perform_voids(ask.order_id, "it ended soon, and there is another one")
        async with self._pool.acquire() as conn:
            return self._authorized(await payments.authorizations(conn, ask.order_id))

    async def _is_replaced(self, conn: Connection, old: Payment, new: Payment) -> bool:
        """Whether the new one has the same purpose, or nothing will be charged to the old one."""
        if old.tender != new.tender or old.part_of == new.part_of:
            return old.tender == new.tender
        return old.part_of != "" and not await fulfilments.is_live(conn, old.part_of)

    async def _lacking(
        self,
        conn: Connection,
        ask: Reauthorize,
        made: Sequence[Payment],
        lasts: Callable[[Payment], bool],
    ) -> dict[tuple[int, str], int]:
        """The minor units to authorize again, by (tender, part).

        The caller holds the order's lock.
        """
        lacking: dict[tuple[int, str], int] = {}
        fulfilment = await fulfilments.find(conn, ask.part)
        if fulfilment is not None and fulfilment["state"] == "cancelled":
            return lacking  # It was stopped, and its authorizations were released.
        charged = await payments.of_part(conn, ask.order_id, "capture", ask.part)
        left = ask.amount - succeeded(charged)
        if any(authorization.part_of == "" for authorization in made):
            left += await cover.promised_besides(conn, ask.order_id, ask.part)
        others = []
        for authorization in made:
            if authorization.part_of not in ("", ask.part):
                others.append(authorization)
                continue
            if authorization.room and not lasts(authorization):
                # Renew the whole amount: the order's other parcels need it, too.
                key = (authorization.tender, authorization.part_of)
                lacking[key] = lacking.get(key, 0) + authorization.room
            left -= authorization.room
        for authorization in others:
            if left > 0 and lasts(authorization) and await self._is_free(conn, authorization, left):
                await payments.bind(conn, authorization.payment_key, ask.part)
                left -= authorization.room
        if left > 0:
            main = ask.tenders[-1]
            part = ask.part if self._calls.charges_once(main.provider) else ""
            lacking[main.number, part] = lacking.get((main.number, part), 0) + left
        return lacking

    async def _is_free(self, conn: Connection, authorization: Payment, amount: int) -> bool:
        """Whether its part will not be charged, and it is uncharged and large enough."""
        live = await fulfilments.is_live(conn, authorization.part_of)
        return not live and authorization.capture_granted == 0 and authorization.room >= amount

    def _parts(self, tender: TenderAsk) -> dict[str, int]:
        """The purposes of a tender's authorizations: part → amount, or "" for the whole order.

        Where an authorization can be charged once only, each part gets its own.
        """
        if tender.parts and self._calls.charges_once(tender.provider):
            return tender.parts | tender.most
        return {"": tender.amount}

    async def _intend_next(
        self,
        conn: Connection,
        order_id: str,
        made: Sequence[Payment],
        wanted: Mapping[tuple[int, str], int],
        tenders: Sequence[TenderAsk],
    ) -> Planned | None:
        """Write the next wanted intent, or return one that is open. None: all are authorized.

        The customer may change the means of payment after a refusal, so no intent is written before
        its turn.
        """
        for payment in made:
            if payment.open:
                return Planned(payment, new=False)
        currency = (await payments.sums(conn, order_id)).currency
        providers = {tender.number: tender.provider for tender in tenders}
        for tender, _ in wanted:
            self._calls.provider(providers[tender])
        number = len(await payments.authorizations(conn, order_id)) + 1
        for (tender, part), amount in wanted.items():
            if amount <= 0 and number > 1:
                continue  # An order that costs nothing has one authorization, of zero.
            intent = Intent(
                key=f"{order_id}:authorize" if number == 1 else f"{order_id}:authorize:{number}",
                kind="authorize",
                amount=Money(minor=amount, currency=currency),
                provider=providers[tender],
                tender=tender,
                part_of=part,
            )
            return Planned(*await payments.intend(conn, order_id, intent))
        return None

    async def _authorize(self, planned: Planned, tenders: Sequence[TenderAsk], then: Then) -> None:
        payment = planned.payment
        token = next(tender.token for tender in tenders if tender.number == payment.tender)

        async def call(provider: PaymentProvider) -> PaymentReceipt:
            return await provider.authorize(
                key=payment.payment_key,
                order_id=payment.order_id,
                amount=payment.amount,
                token=token,
            )

        await self._calls.perform(planned, call, then)

    def _authorized(self, made: Sequence[Payment]) -> Authorized:
        standing = [payment for payment in made if payment.room]
        ends = [(payment.expires_at, payment.part_of) for payment in standing if payment.expires_at]
        return Authorized(
            # Sorted so that the soonest end is written last and stays.
            until={part: end for end, part in sorted(ends, reverse=True)},
            once=any(self._calls.charges_once(payment.provider) for payment in standing),
        )

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
                await self._calls.conclude(payment, _nothing)
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, ask.order_id)
            for payment in await payments.authorizations(conn, ask.order_id):
                if payment.room:
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
                    await self._calls.perform(planned, self._void(payment), told)
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


async def _nothing(conn: Connection, payment: Payment) -> None:
    """The callback for an authorization that changes nothing else."""


def _of_attempt(made: Sequence[Payment], attempt: int) -> list[Payment]:
    """The authorizations that stand or are under way.

    Raises Declined if this attempt was refused.
    """
    failed = [payment for payment in made if payment.state == "failed"]
    if len(failed) >= attempt:
        raise refusal_of(sorted(failed, key=lambda each: each.requested_at)[attempt - 1])
    return [payment for payment in made if payment.state != "failed"]


def _lasts(authorization: Payment, until: datetime) -> bool:
    """Whether it can be charged until then, or is so new that another would last no longer."""
    ends, made = authorization.expires_at, authorization.requested_at
    if ends is None or authorization.holds_until(until):
        return True
    return clock.now() - made < (ends - made) / 10


def _missing(made: Sequence[Payment], tender: int, part: str, amount: int) -> int:
    """The minor units that a tender still has to authorize for a part; charged amounts count, too.

    Raises Conflict when an open authorization for the part has another amount.
    """
    own = [payment for payment in made if (payment.tender, payment.part_of) == (tender, part)]
    missing = amount - sum(payment.amount_minor for payment in own)
    if missing < 0:
        key, found = own[0].payment_key, own[0].amount
        raise Conflict(f"payment {key} is an authorize of {found} already")
    return missing
