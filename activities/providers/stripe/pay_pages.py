"""Stripe's Checkout, on which a customer leaves a card: it is saved there, and authorized here.

By page of Stripe's documentation:
- "Save a customer's payment information without making an initial payment": a session in the mode
  `setup` confirms the card with the customer's bank, and leaves a payment method of a customer.
  That is a token of `StripePayment`. A session in the mode `payment` would authorize by itself,
  beside the payment plan.
- "Customize the success page": Stripe writes the session's id into the address to come back to.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from pydantic import SecretStr
from stripe.params.checkout import SessionCreateParams

from activities.provider_errors import Declined, OutcomeUnknown
from activities.providers.stripe.answers import SetUp
from activities.providers.stripe.api import StripeApi, deadline
from domain.errors import NotFound, Refused, Unreachable
from domain.payments.pay_pages import REFERENCE, WantedPage

ANSWER_WITHIN: Final = timedelta(seconds=8)
_SESSION: Final = "{CHECKOUT_SESSION_ID}"


class StripePages:
    """A `PayPages`, of one account."""

    name: Final = "Stripe"

    def __init__(self, api_key: SecretStr, *, api_base: str | None = None) -> None:
        self._api = StripeApi(api_key, api_base=api_base, timeout=ANSWER_WITHIN)

    async def close(self) -> None:
        """Close its connections."""
        await self._api.close()

    async def make(self, wanted: WantedPage) -> str:
        """Create a session."""
        params: SessionCreateParams = {
            "mode": "setup",
            "allowed_payment_method_types": ["card"],
            "customer_creation": "always",
            "client_reference_id": wanted.order_id,
            "locale": wanted.language,
            "custom_text": {"submit": {"message": wanted.says}},
            "success_url": wanted.back.replace(REFERENCE, _SESSION),
            "cancel_url": wanted.unpaid,
        }
        try:
            async with deadline(ANSWER_WITHIN):
                session = await self._api.open_session(params, key=wanted.key)
        except OutcomeUnknown as error:
            raise Unreachable(str(error)) from None
        except Declined as error:
            raise Refused(str(error), reason="provider_not_taken") from None
        if session.url is None:
            raise Refused(f"{session.id} has no page any more", reason="provider_not_taken")
        return session.url

    async def token(self, reference: str, order_id: str) -> str | None:
        """Read the session: the saved card, where the customer has left one."""
        try:
            async with deadline(ANSWER_WITHIN):
                session = await self._api.session(reference)
        except OutcomeUnknown as error:
            raise Unreachable(str(error)) from None
        except Declined:
            raise NotFound(f"there is no session {reference}") from None
        if session.client_reference_id != order_id:
            raise NotFound(f"there is no session {reference} of this order")
        intent = session.setup_intent
        if session.status != "complete" or session.customer is None:
            return None
        if not isinstance(intent, SetUp) or intent.payment_method is None:
            return None
        return f"{session.customer}-{intent.payment_method}"
