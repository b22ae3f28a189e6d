"""Compared days and differences as the API tells them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from domain.payments.reconciliation import DifferenceClass, Kind, Ours, Remedy, Theirs
from domain.views.order_snapshot import AmountText
from starter.http.amounts import amount, told
from store.payments.reconciliation import Day, KeptDifference, Resolution
from store.payments.resolving import Resolved


class _Shown(BaseModel):
    model_config = ConfigDict(frozen=True)


class OurSide(_Shown):
    """The operation in our records."""

    key: str
    order_id: str
    kind: Kind
    amount: AmountText
    currency: str
    state: Literal["requested", "unknown", "succeeded", "failed"]
    code: str | None
    reference: str | None
    requested_at: datetime
    settled_at: datetime | None


class TheirSide(_Shown):
    """The effect in the company's list."""

    key: str
    order_id: str
    kind: Kind
    amount: AmountText
    currency: str
    reference: str
    authorization: str
    at: datetime


class ShownDifference(_Shown):
    """A difference between a company's records and ours. `order_id`: empty where none is known."""

    difference_id: int
    provider: str
    day: date
    subject: str
    what: DifferenceClass
    order_id: str
    why: str
    remedy: Remedy
    ours: OurSide | None
    theirs: TheirSide | None
    resolution: Resolution
    note: str
    who: str
    found_at: datetime
    closed_at: datetime | None


class ResolvedDifference(ShownDifference):
    """One that a person has just resolved.

    `recorded`: so much was recorded for its order as paid back elsewhere; `beyond`: what of it is
    more than the customer was charged. Both in `recorded_currency`.
    """

    recorded: AmountText | None
    beyond: AmountText | None
    recorded_currency: str | None


class ComparedDay(Day):
    """A company's day at its last comparison. `listed`: the effects in the company's list."""


class Comparison(_Shown):
    """A comparison. running: it goes on, and asking again waits for the same one."""

    day: date
    status: Literal["running", "done"]
    days: tuple[ComparedDay, ...] = ()


def difference_of(one: KeptDifference) -> ShownDifference:
    """A difference with both sides."""
    return ShownDifference(**_difference(one))


def resolved_of(done: Resolved) -> ResolvedDifference:
    """The same of one that was just resolved, with what was recorded for its order."""
    return ResolvedDifference(**_difference(done), **_recorded(done))


def _difference(one: KeptDifference) -> dict[str, Any]:
    told_of = one.model_dump(include=set(ShownDifference.model_fields))
    sides: dict[str, Any] = {
        "ours": None if one.ours is None else OurSide(**_side(OurSide, one.ours)),
        "theirs": None if one.theirs is None else TheirSide(**_side(TheirSide, one.theirs)),
    }
    return told_of | sides


def _side(shown: type[BaseModel], side: Ours | Theirs) -> dict[str, Any]:
    fields = side.model_copy(update={"fee_minor": None, "by_hand_minor": None})
    return {name: value for name, value in told(fields).items() if name in shown.model_fields}


def _recorded(done: Resolved) -> dict[str, Any]:
    sums = {"recorded": done.recorded, "beyond": done.beyond}
    told_of: dict[str, Any] = {
        name: None if one is None else amount(one.minor, one.currency) for name, one in sums.items()
    }
    currency = None if done.recorded is None else done.recorded.currency
    return told_of | {"recorded_currency": currency}


def day_of(day: Day) -> ComparedDay:
    """A day of a list."""
    return ComparedDay(**dict(day))
