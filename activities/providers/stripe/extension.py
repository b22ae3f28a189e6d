"""Stripe as an extension: payments and pages, where there is a key, and what reads its events."""

from __future__ import annotations

from typing import Final

from activities.extension import Extension, Tools
from activities.providers.stripe.events import read_event
from activities.providers.stripe.pay_pages import StripePages
from activities.providers.stripe.payment import StripePayment
from activities.providers.stripe.settings import StripeSettings


def _payment(settings: StripeSettings, _: Tools) -> StripePayment | None:
    if settings.api_key is None:
        return None
    return StripePayment(
        settings.api_key, api_base=settings.api_base, multicapture=settings.multicapture
    )


def _pay_pages(settings: StripeSettings) -> StripePages | None:
    if settings.api_key is None:
        return None
    return StripePages(settings.api_key, api_base=settings.api_base)


EXTENSION: Final = Extension(
    name="stripe",
    settings=StripeSettings,
    payment=_payment,
    pay_pages=_pay_pages,
    events=lambda _, __: read_event,
)
