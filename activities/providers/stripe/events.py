"""The news in Stripe's events. Read as data, because fields that are not used here may change.

By source: Stripe API reference, "Types of events" and "The Dispute object". An event holds the
object as it was when the event was made. `request.idempotency_key` is the key of the call that
caused it; our own calls leave theirs in the object's metadata as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, Field

from activities.payments.event_reader import read_as
from activities.providers.stripe.amounts import from_stripe
from activities.providers.stripe.answers import KEY
from domain.errors import InvalidInput
from domain.money import Money
from domain.payments.disputes import Dispute, DisputeState
from domain.payments.elsewhere import PaidBack
from domain.payments.provider_events import DisputeNews, News, PaymentFate, PaymentNews

_FATES: Final[dict[str, PaymentFate]] = {
    "payment_intent.amount_capturable_updated": "authorized",
    "payment_intent.succeeded": "captured",
    "charge.captured": "captured",
    "charge.refunded": "refunded",
    "refund.created": "refunded",
    "payment_intent.payment_failed": "failed",
    "payment_intent.canceled": "ended",
    "charge.expired": "ended",
    "refund.failed": "refund_failed",
}


_REFUNDS: Final = ("re_", "pyr_")
"""The ids of refunds begin so."""

_SINCE: Final = "2025-03-31"
"""Since this version of Stripe's API, a refund is always of money that was charged."""

_UPDATES: Final = ("refund.updated", "charge.refund.updated")
"""Events that hold a whole refund. Stripe has no event of its own for a cancelled refund."""


def _id_of(value: Any) -> Any:
    """An object's id, whether the field holds that alone or the whole object."""
    return value.get("id") if isinstance(value, Mapping) else value


Reference = Annotated[str | None, BeforeValidator(_id_of)]
Seconds = Annotated[int, Field(strict=True, ge=0, lt=253_402_300_800)]


class _Request(BaseModel):
    idempotency_key: str | None = None


class _Data(BaseModel):
    object: dict[str, Any]


class _Event(BaseModel):
    type: str
    created: Seconds
    api_version: str | None = None
    data: _Data
    request: _Request | None = None


class _Move(BaseModel):
    """A balance transaction; `amount` is negative when Stripe took it from us."""

    amount: int
    fee: int = 0
    currency: str


class _EvidenceDetails(BaseModel):
    due_by: Seconds | None = None


class _Dispute(BaseModel):
    id: str
    amount: Annotated[int, Field(strict=True, gt=0)]
    currency: str
    charge: Reference = None
    payment_intent: Reference = None
    status: str
    reason: str | None = None
    created: Seconds
    balance_transactions: tuple[_Move, ...] = ()
    evidence_details: _EvidenceDetails | None = None


class _Payment(BaseModel):
    """The common fields of a PaymentIntent, a Charge and a Refund."""

    id: str
    payment_intent: Reference = None
    latest_charge: Reference = None
    metadata: dict[str, str] = {}
    cancellation_reason: str | None = None
    failure_reason: str | None = None


class _Refund(BaseModel):
    """A Refund, as a whole."""

    id: str
    amount: Annotated[int, Field(strict=True, gt=0)] | None = None
    currency: str | None = None
    charge: Reference = None
    payment_intent: Reference = None
    status: str | None = None


def read_event(body: Mapping[str, Any]) -> News | None:
    """Turn an event of Stripe into news; None when it is of no use here."""
    event = read_as(_Event, body, where="event")
    said_at = datetime.fromtimestamp(event.created, UTC)
    if event.type.startswith("charge.dispute."):
        told = read_as(_Dispute, event.data.object, where="event data.object")
        return DisputeNews(dispute=_dispute(told, said_at))
    fate = _FATES.get(event.type)
    if event.type in _UPDATES and event.data.object.get("status") in ("failed", "canceled"):
        fate = "refund_failed"
    if fate is None:
        return None
    payment = read_as(_Payment, event.data.object, where="event data.object")
    caused_by = event.request.idempotency_key if event.request else None
    keys = dict.fromkeys((caused_by, payment.metadata.get(KEY)))
    of_refund = fate in ("refunded", "refund_failed") and payment.id.startswith(_REFUNDS)
    # The payment intent of a refund has other refunds, too, and this event is about one of them.
    around = () if of_refund else (payment.payment_intent, payment.latest_charge)
    return PaymentNews(
        fate=fate,
        keys=tuple(key for key in keys if key),
        references=tuple(name for name in (payment.id, *around) if name),
        said_at=said_at,
        why=payment.failure_reason or payment.cancellation_reason or "",
        refund=_refund(event) if of_refund and fate == "refunded" else None,
    )


def _refund(event: _Event) -> PaidBack | None:
    """The refund that an event holds, if it is one of money that was charged.

    In older versions of Stripe's API, what a capture does not take is a refund as well.
    """
    if (event.api_version or _SINCE) < _SINCE:
        return None
    told = read_as(_Refund, event.data.object, where="event data.object")
    authorization = told.payment_intent or told.charge
    if authorization is None or told.amount is None or told.currency is None:
        return None
    if told.status in ("failed", "canceled"):
        return None
    amount = _money(told.amount, told.currency)
    return PaidBack(reference=told.id, authorization=authorization, amount=amount)


def _dispute(told: _Dispute, said_at: datetime) -> Dispute:
    moves = told.balance_transactions
    # All moves are in the currency of the account's payouts.
    fee_currency = moves[0].currency if moves else told.currency
    fee = sum(move.fee for move in moves if move.currency == fee_currency)
    subjects = tuple(name for name in (told.payment_intent, told.charge) if name)
    if not subjects:
        raise InvalidInput("names neither a payment_intent nor a charge", where="event data.object")
    due_by = told.evidence_details.due_by if told.evidence_details else None
    return Dispute(
        dispute_id=told.id,
        subjects=subjects,
        amount=_money(told.amount, told.currency),
        fee=_money(max(0, fee), fee_currency),
        state=_state(told.status, taken=sum(move.amount for move in moves) < 0),
        moves=len(moves),
        reason=told.reason or "",
        opened_at=datetime.fromtimestamp(told.created, UTC),
        respond_by=datetime.fromtimestamp(due_by, UTC) if due_by else None,
        said_at=said_at,
    )


def _money(amount: int, currency: str) -> Money:
    try:
        return from_stripe(amount, currency)
    except ValueError as error:
        raise InvalidInput(str(error), where="event data.object") from None


def _state(status: str, *, taken: bool) -> DisputeState:
    """Stripe's status as a state. Settled early is lost, if Stripe took the money for it."""
    try:
        state = DisputeState(status)
    except ValueError:
        raise InvalidInput(
            f"a dispute cannot be {status[:40]!r}; this version of Orderloom does not know that",
            where="event data.object.status",
        ) from None
    return DisputeState.LOST if state == DisputeState.PREVENTED and taken else state
