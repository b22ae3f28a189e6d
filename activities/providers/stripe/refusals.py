"""Turns Stripe's errors into ours: a firm no, or an outcome that is not known.

The message of an error about the API key is never passed on, because Stripe repeats a part of the
key in it.
"""

from __future__ import annotations

from typing import Final

import httpx
import stripe

from activities.payments.provider import PaymentKind
from activities.provider_errors import (
    DeclineCode,
    Declined,
    OutcomeUnknown,
    ProviderError,
    TimedOut,
    Unavailable,
)
from activities.providers.stripe.answers import Failure

_BY_CODE: Final = {
    "insufficient_funds": DeclineCode.INSUFFICIENT_FUNDS,
    "authentication_required": DeclineCode.ACTION_REQUIRED,
    "payment_intent_authentication_failure": DeclineCode.ACTION_REQUIRED,
    "capture_charge_authorization_expired": DeclineCode.EXPIRED,
    "charge_expired_for_capture": DeclineCode.EXPIRED,
    "amount_too_large": DeclineCode.AMOUNT_TOO_LARGE,
    "charge_already_captured": DeclineCode.AMOUNT_TOO_LARGE,
    "charge_already_refunded": DeclineCode.AMOUNT_TOO_LARGE,
    "amount_too_small": DeclineCode.INVALID_AMOUNT,
    "invalid_charge_amount": DeclineCode.INVALID_AMOUNT,
    "parameter_invalid_integer": DeclineCode.INVALID_AMOUNT,
    "resource_missing": DeclineCode.NOT_FOUND,
}
_OTHERWISE: Final = {
    "authorize": DeclineCode.CARD_DECLINED,
    "capture": DeclineCode.CAPTURE_REFUSED,
    "refund": DeclineCode.REFUND_REFUSED,
}
_KEY_REFUSED: Final = (
    "Stripe does not accept the API key, or not for this call; "
    "see ORDERLOOM_STRIPE__API_KEY and the key's permissions"
)


class WrongState(Exception):
    """The payment intent is not in a state for this call: nothing was changed."""


def why_failed(failure: Failure | None) -> Declined:
    """The refusal for an authorization that Stripe reports as failed."""
    failure = failure or Failure()
    code = _BY_CODE.get(failure.decline_code or "") or _BY_CODE.get(failure.code or "")
    return Declined(
        code or DeclineCode.CARD_DECLINED, failure.message or "the bank declined the card"
    )


def translate(error: stripe.StripeError, kind: PaymentKind | None) -> ProviderError | WrongState:
    """The error to raise instead; `kind` is the money call's, None for a read."""
    if isinstance(error, stripe.CardError):
        return _refused_card(error, kind)
    if isinstance(error, stripe.InvalidRequestError):
        return _refused_request(error, kind)
    if isinstance(error, stripe.IdempotencyError):
        return Declined(
            DeclineCode.IDEMPOTENCY_CONFLICT,
            "the key was used before for a call with other content",
        )
    return _unclear(error)


def _unclear(error: stripe.StripeError) -> OutcomeUnknown:
    if isinstance(error, stripe.APIConnectionError):
        return _lost(error)
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        return Unavailable(_KEY_REFUSED)
    if isinstance(error, stripe.RateLimitError):
        return Unavailable("Stripe takes no more calls for now, or is at this payment already")
    return Unavailable(f"Stripe answered {error.http_status}{_request(error)}")


def _lost(error: stripe.APIConnectionError) -> OutcomeUnknown:
    if isinstance(error.__cause__, httpx.TimeoutException):
        return TimedOut("Stripe did not answer in time")
    name = type(error.__cause__).__name__ if error.__cause__ else "no answer"
    return Unavailable(f"the connection to Stripe was refused or lost ({name})")


def _refused_card(error: stripe.CardError, kind: PaymentKind | None) -> Declined:
    told = error.error
    decline_code = told.decline_code if told is not None and "decline_code" in told else None
    code = _BY_CODE.get(decline_code or "") or _BY_CODE.get(error.code or "")
    otherwise = _OTHERWISE.get(kind or "", DeclineCode.CARD_DECLINED)
    return Declined(code or otherwise, error.user_message or "the bank declined the card")


def _refused_request(
    error: stripe.InvalidRequestError, kind: PaymentKind | None
) -> ProviderError | WrongState:
    if error.code == "payment_intent_unexpected_state":
        return WrongState(error.user_message)
    message = error.user_message or "the call is not as Stripe wants it"
    code = _BY_CODE.get(error.code or "")
    place = error.param or ""
    if code is None and error.http_status == 404:
        code = DeclineCode.NOT_FOUND
    if code is None and kind == "authorize":
        if place.startswith(("payment_method", "customer")):
            code = DeclineCode.NOT_FOUND  # The token is unknown, or was used already.
        if place == "currency":
            code = DeclineCode.INVALID_AMOUNT
    if code is None and kind == "refund" and place == "amount":
        code = DeclineCode.AMOUNT_TOO_LARGE
    if code is None and kind in ("capture", "refund"):
        code = _OTHERWISE[kind]
    if code is not None:
        return Declined(code, message)
    # Our call or the account's settings are wrong. The card is not refused, so this can be mended.
    return Unavailable(f"Stripe refuses the call ({error.code}, {place}): {message}")


def _request(error: stripe.StripeError) -> str:
    return f" to request {error.request_id}" if error.request_id else ""
