"""The effects that Stripe has on record: of one payment intent, of one order, of one day."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from activities.payments.provider import PaymentKind, PaymentReceipt
from activities.providers.stripe import receipts
from activities.providers.stripe.answers import ORDER, Charge, Intent, Refund, Transaction
from activities.providers.stripe.api import StripeApi
from store import clock

CLOCKS_APART: Final = timedelta(minutes=10)
"""The largest difference between our clock and Stripe's that is allowed for."""


class History:
    """Reads only data that Stripe shows at once, except in `of_order`."""

    def __init__(self, api: StripeApi) -> None:
        self._api = api

    async def find(self, intent: Intent, kind: PaymentKind, key: str) -> PaymentReceipt | None:
        """The effect of the call with this key on a payment intent; not for refunds."""
        found = await self._effects(intent)
        return next((done for done in found if (done.kind, done.key) == (kind, key)), None)

    async def authorized_with(self, key: str, since: datetime) -> Intent | None:
        """The payment intent that was created with this key, not before this time."""
        async for intent in self._api.intents(since - CLOCKS_APART):
            if intent.key == key:
                return intent
        return None

    async def refunded_with(self, key: str, authorization: str) -> Refund | None:
        """The refund of a payment intent that was asked for with this key."""
        async for refund in self._api.refunds(authorization):
            if refund.key == key:
                return refund
        return None

    async def of_order(self, order_id: str) -> tuple[PaymentReceipt, ...]:
        """Every effect for an order, oldest first. Effects of the last minute may be missing."""
        found = []
        async for intent in self._api.search_intents(ORDER, order_id):
            found += await self._effects(intent)
            found += [
                receipts.refunded(refund)
                async for refund in self._api.refunds(intent.id)
                if not refund.refused
            ]
        return _in_order(found)

    async def of_day(self, day: date) -> tuple[PaymentReceipt, ...]:
        """Every effect of one day (UTC), oldest first.

        Stripe notes the end of an authorization only on the payment intent, and lists intents by
        the time of their creation. So the intents of earlier days are read too, for as many days as
        an authorization lasts.
        """
        since = datetime.combine(day, time(), UTC)
        before = since + timedelta(days=1)
        found = []
        async for intent in self._api.intents(since - receipts.HOLDS_FOR - CLOCKS_APART, before):
            found += [done for done in await self._effects(intent) if done.kind != "capture"]
        async for intent in self._captured_between(since, before):
            found += [done for done in await self._effects(intent) if done.kind == "capture"]
        found += [
            receipts.refunded(refund)
            async for refund in self._api.refunds_between(since, before)
            if not refund.refused
        ]
        return _in_order([done for done in found if since <= done.at < before])

    async def _captured_between(self, since: datetime, before: datetime) -> AsyncIterator[Intent]:
        seen = set()
        async for booked in self._api.booked_between(since, before):
            charge = booked.source
            if isinstance(charge, Charge) and charge.id not in seen:
                seen.add(charge.id)
                yield _intent_of(charge, booked)

    async def _effects(self, intent: Intent) -> list[PaymentReceipt]:
        """The effects on a payment intent, without refunds."""
        if not intent.authorized:
            return []
        now = clock.now()
        booked = await self._booked(intent)
        ended = receipts.voided(intent, booked, now)
        return [
            receipts.authorized(intent),
            *receipts.captured(intent, booked, now),
            *([] if ended is None else [ended]),
        ]

    async def _booked(self, intent: Intent) -> tuple[Transaction, ...]:
        """The bookings of its captures. The charge itself names only one of them."""
        charge = intent.charge
        if charge is None or intent.amount_received == 0:
            return ()
        if charge.captures_several:
            return tuple([booked async for booked in self._api.booked(charge.id)])
        booked = charge.balance_transaction
        return (booked,) if isinstance(booked, Transaction) else ()


def _intent_of(charge: Charge, booked: Transaction) -> Intent:
    """The payment intent of a charge, holding the charge. A charge without one gets a stand-in."""
    parts = {"latest_charge": charge.model_copy(update={"balance_transaction": booked})}
    if isinstance(charge.payment_intent, Intent):
        return charge.payment_intent.model_copy(update=parts)
    return Intent(
        id=charge.payment_intent or charge.id,
        status="succeeded",
        amount=charge.amount,
        currency=charge.currency,
        created=charge.created,
        amount_received=charge.amount_captured,
    ).model_copy(update=parts)


def _in_order(found: list[PaymentReceipt]) -> tuple[PaymentReceipt, ...]:
    return tuple(sorted(found, key=lambda done: done.at))
