"""The sandbox companies as an extension: a payment company, a carrier, and suppliers."""

from __future__ import annotations

from random import SystemRandom
from typing import Final

from pydantic import BaseModel, ConfigDict

from activities.extension import Extension
from activities.providers.sandbox.carrier import SandboxCarrier
from activities.providers.sandbox.pay_pages import SandboxPages
from activities.providers.sandbox.payment import SandboxPayment
from activities.providers.sandbox.supplier import SandboxSupplier
from activities.providers.sandbox.webhooks import read_event


class SandboxSettings(BaseModel):
    """ORDERLOOM_SANDBOX__PAY_PAGES."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pay_pages: str | None = None
    """Where its payment company has pages for customers (`starter/stack/pay_company.py`), such as
    http://127.0.0.1:8123. None: it has none."""


def _pay_pages(settings: SandboxSettings) -> SandboxPages | None:
    return None if settings.pay_pages is None else SandboxPages(settings.pay_pages)


EXTENSION: Final = Extension(
    name="sandbox",
    settings=SandboxSettings,
    payment=lambda _, tools: SandboxPayment(tools.pool, random=SystemRandom()),
    pay_pages=_pay_pages,
    events=lambda _, __: read_event,
    carrier=lambda _, tools: SandboxCarrier(tools.pool, random=SystemRandom()),
    supplier=lambda _, tools: SandboxSupplier(tools.pool, random=SystemRandom()),
)
