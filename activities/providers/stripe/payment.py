"""Stripe as a payment company: a payment intent with manual capture is an authorization.

The rules that it follows, by page of Stripe's documentation:
- "Idempotent requests": every call that changes something has its key. The first answer under a key
  is kept for at least 24 hours, refusals and answers 500 included; another call with the key at the
  same time is refused for now (409), and one with other content for good.
- "Place a hold on a payment method": a capture takes part or all and releases the rest, and Stripe
  cancels an intent that is not captured in time. "Capture a payment multiple times"
  (`multicapture`): the rest stays authorized until it is released.
- Stripe has no look-up by key: each call leaves its key in metadata (see `answers`), and is looked
  up through calls that show the present state. Stripe's search, a minute late, is not used for
  that.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from pydantic import SecretStr
from stripe.params import PaymentIntentCreateParams

from activities.payments.provider import Capabilities, PaymentKind, PaymentReceipt
from activities.provider_errors import DeclineCode, Declined, Unavailable
from activities.providers.stripe import receipts
from activities.providers.stripe.amounts import LEAST, to_stripe
from activities.providers.stripe.answers import (
    KEY,
    ORDER,
    VOID,
    VOIDING,
    Intent,
    Mark,
    Refund,
    capture_mark,
)
from activities.providers.stripe.api import StripeApi, deadline
from activities.providers.stripe.history import History
from activities.providers.stripe.refusals import WrongState, why_failed
from domain.money import Money

ANSWER_WITHIN: Final = timedelta(seconds=25)
"""The time limit for a whole method, of up to four requests. A step must fit in a look-up and a
call.
"""

_SAVED_CARD: Final = "cus_"
_TO_BE_CONFIRMED: Final = ("requires_action", "requires_confirmation")


class StripePayment:
    """A `PaymentProvider`.

    A token is a payment method (`pm_…`), which without a customer can be charged once only; or a
    saved card, `cus_…-pm_…`, which can be authorized again while the customer is away.
    `multicapture`: the account may capture several times. If the card does not allow that, the
    first capture still releases the rest.
    """

    def __init__(
        self,
        api_key: SecretStr,
        *,
        api_base: str | None = None,
        multicapture: bool = False,
        answer_within: timedelta = ANSWER_WITHIN,
    ) -> None:
        self._api = StripeApi(api_key, api_base=api_base, timeout=answer_within)
        self._history = History(self._api)
        self._multicapture = multicapture
        self._within = answer_within

    @property
    def capabilities(self) -> Capabilities:
        """The capabilities that the account's settings give."""
        return Capabilities(
            captures="several" if self._multicapture else "once",
            holds_for=receipts.HOLDS_FOR,
            keys_live=timedelta(hours=24),
            least=LEAST,
        )

    async def close(self) -> None:
        """Close its connections."""
        await self._api.close()

    async def authorize(
        self, *, key: str, order_id: str, amount: Money, token: str
    ) -> PaymentReceipt:
        """Create and confirm a payment intent."""
        params: PaymentIntentCreateParams = {
            "amount": to_stripe(amount),
            "currency": amount.currency.lower(),
            "capture_method": "manual",
            "confirm": True,
            "allowed_payment_method_types": ["card"],
            "metadata": {ORDER: order_id, KEY: key},
        }
        if token.startswith(_SAVED_CARD):
            params["customer"], _, params["payment_method"] = token.partition("-")
            params["off_session"] = True
        else:
            params["payment_method"] = token
        if self._multicapture:
            params["payment_method_options"] = {"card": {"request_multicapture": "if_available"}}
        async with deadline(self._within):
            return await self._authorization(await self._api.create_intent(params, key=key))

    async def capture(self, *, key: str, authorization: str, amount: Money) -> PaymentReceipt:
        """Capture part or all."""
        asked = to_stripe(amount)
        async with deadline(self._within):
            before = await self._intent_in(authorization, amount.currency)
            several = before.charge is not None and before.charge.captures_several
            final = False if several else None
            mark = capture_mark(key, asked)
            try:
                intent = await self._api.capture(authorization, asked, mark, key=key, final=final)
            except WrongState:
                raise _not_capturable(await self._api.intent(authorization)) from None
            if several:  # Stripe may repeat an old answer that does not show later captures yet.
                intent = await self._api.intent(authorization)
            return _there(await self._history.find(intent, "capture", key), intent)

    async def void(self, *, key: str, authorization: str) -> PaymentReceipt:
        """Release the uncaptured amount.

        When a part was captured for good, nothing is left to release: that is a void of 0.
        """
        async with deadline(self._within):
            intent = await self._api.intent(authorization)
            if intent.amount_received == 0:
                if intent.status != "canceled":
                    await self._api.mark(authorization, {VOIDING: key})
                try:
                    intent = await self._api.cancel(authorization, key=key)
                except WrongState:
                    intent = await self._api.intent(authorization)
                    if intent.amount_received == 0:
                        raise _ended(intent) from None
            if intent.amount_received > 0:
                intent = await self._end(intent, key)
            return _there(await self._history.find(intent, "void", key), intent)

    async def _end(self, intent: Intent, key: str) -> Intent:
        """Close a payment intent with a capture: a mark says that it has ended."""
        if intent.ended is not None:
            if intent.ended.key != key:
                raise _ended(intent)
            return intent
        if intent.status == "requires_capture":
            mark = Mark(intent.amount - intent.amount_received, key)
            try:
                return await self._api.capture(intent.id, 0, {VOID: str(mark)}, key=key, final=True)
            except WrongState:
                raise _ended(await self._api.intent(intent.id)) from None
        await self._api.mark(intent.id, {VOID: str(Mark(0, key))})
        return await self._api.intent(intent.id)

    async def refund(self, *, key: str, authorization: str, amount: Money) -> PaymentReceipt:
        """Refund part or all of a captured amount."""
        asked = to_stripe(amount)
        async with deadline(self._within):
            intent = await self._intent_in(authorization, amount.currency)
            # Stripe could take it for a request to release the authorization.
            if intent.amount_received == 0:
                raise Declined(
                    DeclineCode.AMOUNT_TOO_LARGE, f"nothing was captured of {authorization}"
                )
            marks = {ORDER: intent.order_id, KEY: key}
            try:
                return _given(await self._api.refund(authorization, asked, marks, key=key))
            except WrongState as error:
                raise Declined(DeclineCode.REFUND_REFUSED, str(error)) from None

    async def lookup(
        self, *, key: str, kind: PaymentKind, authorization: str | None, since: datetime
    ) -> PaymentReceipt | None:
        """Look up the call by the key in the metadata."""
        async with deadline(self._within):
            if authorization is None:
                intent = await self._history.authorized_with(key, since)
                return None if intent is None else await self._authorization(intent)
            if kind == "refund":
                refund = await self._history.refunded_with(key, authorization)
                return None if refund is None else _given(refund)
            return await self._history.find(await self._api.intent(authorization), kind, key)

    async def operations(self, order_id: str) -> tuple[PaymentReceipt, ...]:
        """Every effect for this order, by Stripe's search, which is up to a minute late."""
        return await self._history.of_order(order_id)

    async def list_day(self, day: date) -> tuple[PaymentReceipt, ...]:
        """Every effect of one day (UTC) in the whole account."""
        return await self._history.of_day(day)

    async def _authorization(self, intent: Intent) -> PaymentReceipt:
        """The receipt of a payment intent that was created to be authorized.

        An intent that the customer has to confirm is cancelled: the customer brings a new token,
        which makes a new intent, and an old one left open could be confirmed as well.
        """
        if intent.status in _TO_BE_CONFIRMED:
            intent = await self._api.intent(intent.id)  # It may be a kept answer from long ago.
        if intent.status in _TO_BE_CONFIRMED:
            try:
                intent = await self._api.cancel(intent.id, key=None)
            except WrongState:
                intent = await self._api.intent(intent.id)
        elif intent.authorized:
            return receipts.authorized(intent)
        if intent.status == "requires_payment_method":
            raise why_failed(intent.last_payment_error)
        if intent.status == "canceled":
            raise Declined(
                DeclineCode.ACTION_REQUIRED, "the customer has to confirm the payment first"
            )
        raise Unavailable(f"Stripe has not decided yet on {intent.id}: it is {intent.status}")

    async def _intent_in(self, authorization: str, currency: str) -> Intent:
        """The intent.

        Raises Declined if it is in another currency, which Stripe would not check.
        """
        intent = await self._api.intent(authorization)
        if intent.currency.upper() != currency:
            raise Declined(
                DeclineCode.CURRENCY_MISMATCH,
                f"{authorization} is in {intent.currency.upper()}, not in {currency}",
            )
        return intent


def _there(receipt: PaymentReceipt | None, intent: Intent) -> PaymentReceipt:
    if receipt is None:
        raise Unavailable(f"Stripe did as it was asked, and does not show it on {intent.id}")
    return receipt


def _given(refund: Refund) -> PaymentReceipt:
    """The receipt of a refund, also of one that is still on its way."""
    if refund.refused:
        why = refund.failure_reason or refund.status
        raise Declined(DeclineCode.REFUND_REFUSED, f"the bank did not take the refund: {why}")
    return receipts.refunded(refund)


def _not_capturable(intent: Intent) -> Declined:
    if intent.status == "succeeded" and intent.ended is None:
        return Declined(
            DeclineCode.AMOUNT_TOO_LARGE, f"{intent.id} was captured, and the rest released"
        )
    if intent.status in ("succeeded", "canceled"):
        return _ended(intent)
    return Declined(DeclineCode.CAPTURE_REFUSED, f"{intent.id} is {intent.status}")


def _ended(intent: Intent) -> Declined:
    if intent.expired:
        return Declined(DeclineCode.EXPIRED, f"{intent.id} was not captured in time")
    return Declined(DeclineCode.ALREADY_VOIDED, f"{intent.id} was voided before")
