"""Receipts of effects, made from Stripe's records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from activities.payments.provider import PaymentReceipt
from activities.providers.stripe.amounts import from_stripe
from activities.providers.stripe.answers import (
    VOIDING,
    Intent,
    Mark,
    Refund,
    Transaction,
    capture_digest,
    moment,
)
from domain.money import Money

HOLDS_FOR: Final = timedelta(days=7)
"""How long a card's authorization lasts when Stripe does not say."""


def authorized(intent: Intent) -> PaymentReceipt:
    """The receipt of an authorization, whatever happened to it later."""
    before = intent.charge.card.capture_before if intent.charge else None
    at = moment(intent.created)
    return PaymentReceipt(
        key=intent.key,
        kind="authorize",
        reference=intent.id,
        authorization=intent.id,
        order_id=intent.order_id,
        amount=intent.money(intent.amount),
        at=at,
        expires_at=at + HOLDS_FOR if before is None else moment(before),
    )


def captured(
    intent: Intent, booked: Sequence[Transaction], now: datetime
) -> Iterator[PaymentReceipt]:
    """The receipts of an intent's captures.

    `booked` are the captures' bookings; a capture without a booking gets the time `now`. Stripe
    does not say which booking belongs to which capture. Sorted by amount they match, also when the
    account is paid out in another currency. When their numbers differ, all captures get the time of
    the last booking, and no fee is known.
    """
    marks = [*intent.captures]
    others = intent.amount_received - sum(mark.amount for mark in marks)
    if others > 0:
        marks.append(Mark(others, ""))
    by_amount = sorted(booked, key=lambda each: (each.amount, each.created, each.id))
    in_step = len(marks) == len(booked)
    several = intent.charge is not None and intent.charge.captures_several
    charge = intent.charge.id if intent.charge else intent.id
    for index, mark in enumerate(sorted(marks)):
        own = by_amount[index] if in_step else None
        yield PaymentReceipt(
            key=mark.key,
            kind="capture",
            reference=f"{charge}:{capture_digest(mark.key)}" if several else charge,
            authorization=intent.id,
            order_id=intent.order_id,
            amount=intent.money(mark.amount),
            at=own.at if own else _last(booked, now),
            fee=own.kept if own else None,
        )


def voided(intent: Intent, booked: Sequence[Transaction], now: datetime) -> PaymentReceipt | None:
    """The receipt of its end, if somebody voided it; None if it ran out by itself.

    Stripe notes no time when a part was captured: the time of the last capture stands for it.
    """
    if intent.status == "canceled" and intent.authorized and not intent.expired:
        released = intent.money(intent.amount - intent.amount_received)
        at = moment(intent.canceled_at or intent.created)
        return _void(intent, intent.metadata.get(VOIDING, ""), released, at)
    if intent.ended is not None:
        released = intent.money(intent.ended.amount)
        return _void(intent, intent.ended.key, released, _last(booked, now))
    return None


def _last(booked: Sequence[Transaction], now: datetime) -> datetime:
    return max((each.at for each in booked), default=now)


def _void(intent: Intent, key: str, released: Money, at: datetime) -> PaymentReceipt:
    return PaymentReceipt(
        key=key,
        kind="void",
        reference=f"{intent.id}:void",
        authorization=intent.id,
        order_id=intent.order_id,
        amount=released,
        at=at,
    )


def refunded(refund: Refund) -> PaymentReceipt:
    """The receipt of a refund. Without a payment intent, the charge's id stands for it."""
    intent, booked = refund.payment_intent, refund.balance_transaction
    return PaymentReceipt(
        key=refund.key,
        kind="refund",
        reference=refund.id,
        authorization=intent or refund.charge or "",
        order_id=refund.order_id,
        amount=from_stripe(refund.amount, refund.currency),
        at=moment(refund.created),
        fee=booked.kept if isinstance(booked, Transaction) else None,
    )
