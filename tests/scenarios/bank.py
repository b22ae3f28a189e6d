"""A payment company behind which cards are blocked, and a shop that is paid through it."""

from __future__ import annotations

import random
from typing import Any

from temporalio.client import Client

from activities.payments.provider import PaymentReceipt
from activities.provider_errors import DeclineCode, Declined
from activities.providers.sandbox.payment import SandboxPayment
from domain.money import Money
from store.database import Pool
from tests.support.builders import a_policy
from tests.support.shop import Shop

PATIENT = {"give_up_after": 60, "return_window": 0.5}


class Bank(SandboxPayment):
    """A payment company behind which a card is blocked after a while."""

    most = 1000_00  # of one authorization, in minor units

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.blocked: set[str] = set()

    async def authorize(
        self, *, key: str, order_id: str, amount: Money, token: str
    ) -> PaymentReceipt:
        """Refuse a blocked card, whatever it was good for before, and what is too much."""
        if token in self.blocked:
            raise Declined(DeclineCode.CARD_DECLINED, "the card is blocked")
        if amount.minor > self.most:
            raise Declined(DeclineCode.INSUFFICIENT_FUNDS, "there is not so much on the card")
        return await super().authorize(key=key, order_id=order_id, amount=amount, token=token)


def shop_with(pool: Pool, temporal: Client, **company: Any) -> Shop:
    """A shop whose payment company differs."""
    shop = Shop(pool, temporal, a_policy(**PATIENT))
    shop.payment = Bank(pool, random=random.Random(7), **company)
    return shop


def bank(shop: Shop) -> Bank:
    assert isinstance(shop.payment, Bank)
    return shop.payment


async def kinds(shop: Shop, order_id: str) -> list[str]:
    return [done.kind for done in await shop.payment.operations(order_id)]
