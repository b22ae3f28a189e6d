"""News from payment companies, in one form for all of them.

News about a payment is only a hint: the order's own step looks the key up and records the outcome.
About disputes, and refunds that nobody here asked for, news is a source of its own.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.payments.disputes import Dispute
from domain.payments.elsewhere import PaidBack

PaymentFate = Literal["authorized", "captured", "refunded", "failed", "ended", "refund_failed"]


class PaymentNews(BaseModel):
    """News about a payment. `keys` and `references` name it, as far as the company does.

    ended: an authorization that cannot be charged any more, canceled or expired. refund_failed: a
    refund that the customer's bank sent back, maybe long after it had succeeded. `refund`: the
    whole refund, where the company tells it.
    """

    model_config = ConfigDict(frozen=True)

    fate: PaymentFate
    keys: tuple[str, ...]
    references: tuple[str, ...]
    said_at: datetime
    why: str = ""
    refund: PaidBack | None = None


class DisputeNews(BaseModel):
    """News about a dispute."""

    model_config = ConfigDict(frozen=True)

    dispute: Dispute


News = PaymentNews | DisputeNews


class Wake(BaseModel):
    """A step of an order that needs attention, and could now continue by itself."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    step: str
    why: str
