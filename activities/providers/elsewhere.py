"""Payments that were taken before their orders came, by the shop that sends the orders.

The token of such an order names its payment there. The money is with the shop already, so an
authorization or a charge succeeds at once, and nobody is called. What is to be paid back is paid
back there, by a person: the step asks one, and the answer `done` books it.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final, NoReturn

from activities.extension import Extension, NoSettings
from activities.payments.provider import Capabilities, PaymentKind, PaymentReceipt
from activities.provider_errors import DeclineCode, Declined
from domain.money import Money
from domain.orders.providers import ELSEWHERE
from store import clock

_FOR_EVER: Final = timedelta(days=3650)


class Elsewhere:
    """A `PaymentProvider` without a company: nothing is kept of it but our own payments."""

    @property
    def capabilities(self) -> Capabilities:
        """Money that is there stays there, and nobody lists it."""
        return Capabilities(
            captures="several", holds_for=_FOR_EVER, keys_live=_FOR_EVER, listed=False
        )

    async def authorize(
        self, *, key: str, order_id: str, amount: Money, token: str
    ) -> PaymentReceipt:
        """The amount is there. Its reference is the token: the shop's name of the payment."""
        return _there(key, "authorize", token, token, order_id, amount)

    async def capture(self, *, key: str, authorization: str, amount: Money) -> PaymentReceipt:
        """The amount was taken before."""
        return _there(key, "capture", key, authorization, "", amount)

    async def void(self, *, key: str, authorization: str) -> PaymentReceipt:
        """Raises Declined: the money is taken already. It can be paid back, not released."""
        _ask_a_person(authorization)

    async def refund(self, *, key: str, authorization: str, amount: Money) -> PaymentReceipt:
        """Raises Declined: a person pays it back there."""
        _ask_a_person(authorization, f"{amount} of it")

    async def lookup(
        self, *, key: str, kind: PaymentKind, authorization: str | None, since: datetime
    ) -> PaymentReceipt | None:
        """None: a repeat of the call gets the same answer."""
        return None

    async def operations(self, order_id: str) -> tuple[PaymentReceipt, ...]:
        """An empty list: the shop does not tell us what was done with its payments."""
        return ()

    async def list_day(self, day: date) -> tuple[PaymentReceipt, ...]:
        """Nothing, likewise."""
        return ()


def _there(
    key: str, kind: PaymentKind, reference: str, authorization: str, order_id: str, amount: Money
) -> PaymentReceipt:
    return PaymentReceipt(
        key=key,
        kind=kind,
        reference=reference,
        authorization=authorization,
        order_id=order_id,
        amount=amount,
        at=clock.now(),
    )


def _ask_a_person(payment: str, amount: str = "what is left of it") -> NoReturn:
    raise Declined(
        DeclineCode.REFUND_REFUSED,
        f"it was paid where it was sold, as {payment}: pay back {amount} there, and answer done",
    )


EXTENSION: Final = Extension(
    name=ELSEWHERE, settings=NoSettings, payment=lambda _settings, _tools: Elsewhere()
)
