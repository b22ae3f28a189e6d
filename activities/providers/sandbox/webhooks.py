"""Events that the sandbox payment company sends by itself: made and signed here, and read again.

The frame and the signature are Stripe's; the content is the company's own and simple. As at Stripe,
every event about a dispute holds the whole dispute as it is at that time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from activities.payments.event_reader import read_as
from domain.errors import InvalidInput
from domain.money import Money, decimals
from domain.payments import signatures
from domain.payments.disputes import Dispute, DisputeState
from domain.payments.elsewhere import PaidBack
from domain.payments.provider_events import DisputeNews, News, PaymentFate, PaymentNews

FEE_MINOR: Final = 15_00
"""The company's fee for a chargeback, in minor units of the payment's currency."""

Minor = Annotated[int, Field(strict=True, ge=0)]


@dataclass(frozen=True)
class SignedEvent:
    """A request as the company sends it: the raw body, and the header with its signature."""

    body: bytes
    signature: str


class SandboxDispute(BaseModel):
    """A dispute in the company's own words. `authorization` is its id of the payment."""

    model_config = ConfigDict(frozen=True)

    id: str
    authorization: str
    amount_minor: Annotated[int, Field(strict=True, gt=0)]
    currency: str
    fee_minor: Minor = 0
    status: DisputeState
    reason: str = ""
    opened: int
    respond_by: int | None = None


class SandboxPaymentEvent(BaseModel):
    """News about a payment operation, named by the key of its call, its id, or both.

    Of a refund, `authorization` is the company's id of the payment, with the amount.
    """

    model_config = ConfigDict(frozen=True)

    key: str | None = None
    reference: str | None = None
    why: str = ""
    authorization: str | None = None
    amount_minor: Minor = 0
    currency: str = ""


class _Frame(BaseModel):
    type: str
    created: int
    data: dict[str, Any]


def dispute_event(
    event_id: str, dispute: SandboxDispute, *, what: str, at: datetime, secret: str
) -> SignedEvent:
    """Make an event about a dispute.

    `what` is "opened", "updated", "funds_withdrawn", "closed" or the like.
    """
    return _signed(event_id, f"dispute.{what}", dispute, at, secret)


def payment_event(
    event_id: str, fate: PaymentFate, payment: SandboxPaymentEvent, *, at: datetime, secret: str
) -> SignedEvent:
    """Make an event about a payment operation."""
    return _signed(event_id, f"payment.{fate}", payment, at, secret)


def read_event(body: Mapping[str, Any]) -> News | None:
    """Turn an event of this company into news; None when it is of no use here."""
    frame = read_as(_Frame, body, where="event")
    about, _, what = frame.type.partition(".")
    said_at = datetime.fromtimestamp(frame.created, UTC)
    if about == "dispute":
        return _dispute(read_as(SandboxDispute, frame.data, where="event data"), what, said_at)
    if about == "payment" and what in get_args(PaymentFate):
        fate: PaymentFate = what  # type: ignore[assignment] # it was found among the fates above
        payment = read_as(SandboxPaymentEvent, frame.data, where="event data")
        return PaymentNews(
            fate=fate,
            keys=(payment.key,) if payment.key else (),
            references=(payment.reference,) if payment.reference else (),
            said_at=said_at,
            why=payment.why,
            refund=_refund(payment) if fate == "refunded" else None,
        )
    return None


def _refund(told: SandboxPaymentEvent) -> PaidBack | None:
    if not (told.reference and told.authorization and told.amount_minor):
        return None
    decimals(told.currency)  # Raises when it is no currency.
    amount = Money(minor=told.amount_minor, currency=told.currency)
    return PaidBack(reference=told.reference, authorization=told.authorization, amount=amount)


def _dispute(told: SandboxDispute, what: str, said_at: datetime) -> DisputeNews:
    decimals(told.currency)  # Raises when it is no currency.
    moves: Literal[0, 1, 2] = 2 if what == "funds_reinstated" else 1 if told.fee_minor else 0
    try:
        respond_by = (
            None if told.respond_by is None else datetime.fromtimestamp(told.respond_by, UTC)
        )
        opened_at = datetime.fromtimestamp(told.opened, UTC)
    except (OverflowError, ValueError, OSError):
        raise InvalidInput("is not a time", where="event data") from None
    return DisputeNews(
        dispute=Dispute(
            dispute_id=told.id,
            subjects=(told.authorization,),
            amount=Money(minor=told.amount_minor, currency=told.currency),
            fee=Money(minor=told.fee_minor, currency=told.currency),
            state=told.status,
            moves=moves,
            reason=told.reason,
            opened_at=opened_at,
            respond_by=respond_by,
            said_at=said_at,
        )
    )


def _signed(event_id: str, kind: str, data: BaseModel, at: datetime, secret: str) -> SignedEvent:
    body = json.dumps(
        {
            "id": event_id,
            "type": kind,
            "created": int(at.timestamp()),
            "data": data.model_dump(mode="json"),
        }
    ).encode()
    return SignedEvent(body=body, signature=signatures.sign(body, secret, at=at))
