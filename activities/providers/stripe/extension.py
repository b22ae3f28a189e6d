"""Stripe as an extension: payments, where there is a key for it, and the reader of its events."""

from __future__ import annotations

from typing import Final

from activities.extension import Extension, Tools
from activities.providers.stripe.events import read_event
from activities.providers.stripe.payment import StripePayment
from activities.providers.stripe.settings import StripeSettings


def _payment(settings: StripeSettings, _: Tools) -> StripePayment | None:
    if settings.api_key is None:
        return None
    return StripePayment(
        settings.api_key, api_base=settings.api_base, multicapture=settings.multicapture
    )


EXTENSION: Final = Extension(
    name="stripe",
    settings=StripeSettings,
    payment=_payment,
    events=lambda _, __: read_event,
)
