"""Payment providers with no company behind them: nothing is listed that we do not know."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from activities.payments.provider import Capabilities, PaymentKind, PaymentReceipt
from domain.money import Money
from store import clock

_FOR_EVER: Final = timedelta(days=3650)


class NoCompany:
    """What such a `PaymentProvider` answers where others ask a company."""

    @property
    def capabilities(self) -> Capabilities:
        """What it authorizes stays authorized, and nobody lists it."""
        return Capabilities(
            captures="several", holds_for=_FOR_EVER, keys_live=_FOR_EVER, listed=False
        )

    async def lookup(
        self, *, key: str, kind: PaymentKind, authorization: str | None, since: datetime
    ) -> PaymentReceipt | None:
        """None: a repeat of the call does nothing twice, and gets the same answer."""
        return None

    async def operations(self, order_id: str) -> tuple[PaymentReceipt, ...]:
        """Nothing that is not on record here."""
        return ()

    async def list_day(self, day: date) -> tuple[PaymentReceipt, ...]:
        """Nothing: the audit compares it with the books."""
        return ()


def receipt(
    key: str, kind: PaymentKind, authorization: str, order_id: str, amount: Money
) -> PaymentReceipt:
    """Of a call that is its own reference, and that is done now."""
    return PaymentReceipt(
        key=key,
        kind=kind,
        reference=key,
        authorization=authorization,
        order_id=order_id,
        amount=amount,
        at=clock.now(),
    )
