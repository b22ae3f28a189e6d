"""The sandbox companies as an extension: a payment company, a carrier, and suppliers."""

from __future__ import annotations

from random import SystemRandom
from typing import Final

from activities.extension import Extension, NoSettings
from activities.providers.sandbox.carrier import SandboxCarrier
from activities.providers.sandbox.payment import SandboxPayment
from activities.providers.sandbox.supplier import SandboxSupplier
from activities.providers.sandbox.webhooks import read_event

EXTENSION: Final = Extension(
    name="sandbox",
    settings=NoSettings,
    payment=lambda _, tools: SandboxPayment(tools.pool, random=SystemRandom()),
    events=lambda _, __: read_event,
    carrier=lambda _, tools: SandboxCarrier(tools.pool, random=SystemRandom()),
    supplier=lambda _, tools: SandboxSupplier(tools.pool, random=SystemRandom()),
)
