"""A payment company's day and ours: the operations of both sides, and their differences."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

Kind = Literal["authorize", "capture", "void", "refund"]

GIVEN_UP: Final = "not_found"
"""Code of an authorization that failed here because the company had not seen it."""


class Ours(BaseModel):
    """A payment operation in our records.

    `by_hand_minor`, for a void: the amount that was charged by hand. The company knows nothing of
    it, and may release it with the rest.
    """

    model_config = ConfigDict(frozen=True)

    key: str
    provider: str
    order_id: str
    kind: Kind
    amount_minor: int
    currency: str
    state: Literal["requested", "unknown", "succeeded", "failed"]
    code: str | None = None
    reference: str | None = None
    requested_at: datetime
    settled_at: datetime | None = None
    by_hand_minor: int = 0

    @property
    def open(self) -> bool:
        """Whether it was requested and its outcome is not known here."""
        return self.state in ("requested", "unknown")

    @property
    def given_up(self) -> bool:
        """Whether it is an authorization that was recorded as never made."""
        return self.kind == "authorize" and self.state == "failed" and self.code == GIVEN_UP


class Theirs(BaseModel):
    """An effect in the company's list. `key` and `order_id` are empty where it has none."""

    model_config = ConfigDict(frozen=True)

    key: str
    kind: Kind
    reference: str
    authorization: str
    order_id: str
    amount_minor: int
    currency: str
    at: datetime
    fee_minor: int = 0
    fee_currency: str = ""

    @property
    def day(self) -> date:
        """The day (UTC) on which it counts."""
        return self.at.astimezone(UTC).date()


class DifferenceClass(StrEnum):
    """The kinds of differences."""

    MISSING_HERE = "missing_here"  # It took effect there, and we do not know it.
    MISSING_THERE = "missing_there"  # We have it as done, and the company does not.
    AMOUNT = "amount"  # Both have it, with different amounts or currencies.
    STATE = "state"  # Both have it, with different outcomes.


class Remedy(StrEnum):
    """The rule by which a difference is mended."""

    RETRY = "retry"  # The order's own step finds the outcome: it is the only writer.
    VOID = "void"  # An authorization that nobody wants is released there.
    OPERATOR = "operator"  # A person decides: no rule would be right every time.


class Difference(BaseModel):
    """One difference between the two sides. `subject` names it within its day.

    That is the key, or the company's reference if there is no key or the key is taken already.
    """

    model_config = ConfigDict(frozen=True)

    subject: str
    what: DifferenceClass
    why: str
    remedy: Remedy
    ours: Ours | None = None
    theirs: Theirs | None = None

    @property
    def order_id(self) -> str:
        """The order that it belongs to; empty if neither side names one."""
        return self.ours.order_id if self.ours else self.theirs.order_id if self.theirs else ""


class Comparison(BaseModel):
    """A compared day. `under_way`: operations so recent that no outcome is due yet."""

    model_config = ConfigDict(frozen=True)

    day: date
    listed: int
    matched: tuple[Theirs, ...] = ()
    under_way: int = 0
    differences: tuple[Difference, ...] = ()


class Moment(BaseModel):
    """When the two sides were read. An effect after `listed_at` cannot be in the company's list.

    `patience`: how long a call may be under way before an open outcome is a difference.
    """

    model_config = ConfigDict(frozen=True)

    day: date
    provider: str
    listed_at: datetime
    patience: timedelta = timedelta(minutes=5)
