"""Payment operations at a provider, and the sums of an order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.money import Money
from domain.orders.providers import BY_CODE

Kind = Literal["authorize", "capture", "void", "refund"]
PaymentState = Literal["requested", "unknown", "succeeded", "failed"]

BY_HAND = "by_hand"
"""The provider of operations that an operator did outside Orderloom."""

CAME_BACK = "came_back"
"""The code of a refund that failed after it had succeeded: the customer's bank sent it back."""

STORE_CREDIT = "store_credit"
"""The provider of payments with, and refunds as, store credit."""

OWN_MONEY = (STORE_CREDIT, *BY_CODE)
"""Providers that are no companies: what is paid back to them stays with us as a debt."""


class Payment(BaseModel):
    """One operation at a provider. unknown: requested without an answer; the key is looked up.

    `tender`: the place of its means of payment in the order's list, from 1. `authorization_key`:
    the authorization of a capture, void or refund. `part_of`: the part that it belongs to, such as
    a fulfilment. The sums are those of an authorization. `whole`: it pays for all of the order with
    one charge.
    """

    model_config = ConfigDict(frozen=True)

    payment_key: str
    order_id: str
    kind: Kind
    amount_minor: int
    currency: str
    state: PaymentState
    provider: str
    reference: str | None
    code: str
    message: str
    requested_at: datetime
    settled_at: datetime | None
    tender: int = 1
    authorization_key: str | None = None
    part_of: str = ""
    expires_at: datetime | None = None
    capture_granted: int = 0
    captured: int = 0
    refund_granted: int = 0
    refunded: int = 0
    released: int = 0
    whole: bool = False

    @property
    def amount(self) -> Money:
        return Money(minor=self.amount_minor, currency=self.currency)

    @property
    def open(self) -> bool:
        """Whether its outcome is not known."""
        return self.state in ("requested", "unknown")

    @property
    def done(self) -> bool:
        """Whether it took effect.

        A refund that its bank sent back later still counts as done here.
        """
        return self.state == "succeeded" or self.code == CAME_BACK

    @property
    def room(self) -> int:
        """The part of an authorization that is neither charged nor released, also after its end."""
        taken = self.capture_granted + self.released
        return self.amount_minor - taken if self.state == "succeeded" else 0

    def holds_until(self, moment: datetime) -> bool:
        """Whether the authorization has not ended at that moment."""
        return self.expires_at is None or self.expires_at > moment

    @property
    def refundable(self) -> int:
        """The amount that can be paid back through the authorization."""
        return self.captured - self.refund_granted


class OrderMoney(BaseModel):
    """An order's sums, in minor units. Granted sums are requested or owed; the others are done."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    currency: str
    authorized: int
    capture_granted: int
    captured: int
    refund_granted: int
    refunded: int
    released: int
    disputed: int
    disputed_abroad: bool
    voided: bool


@dataclass(frozen=True)
class Intent:
    """An operation that will be requested from a provider."""

    key: str
    kind: Kind
    amount: Money
    provider: str
    tender: int = 1
    authorization_key: str | None = None
    part_of: str = ""
