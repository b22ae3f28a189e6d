"""Disputes: a customer's bank takes a payment back, or asks about it first.

A company reports a dispute in pieces that arrive late, twice and in any order. Each piece holds the
whole dispute at one moment, so nothing is added up: the latest piece counts.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from domain.accounting import accounts
from domain.accounting.accounts import Postings
from domain.errors import Conflict
from domain.money import Money


class DisputeState(StrEnum):
    """Stripe's words. A warning is an inquiry: the bank only asks, and no money moves.

    A chargeback takes the money at once; won gives it back. A lost one can be appealed with some
    kinds of payment. Prevented: settled before anything was taken.
    """

    WARNING_NEEDS_RESPONSE = "warning_needs_response"
    WARNING_UNDER_REVIEW = "warning_under_review"
    WARNING_CLOSED = "warning_closed"
    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    APPEAL_NEEDS_RESPONSE = "appeal_needs_response"
    APPEAL_UNDER_REVIEW = "appeal_under_review"
    PREVENTED = "prevented"
    LOST = "lost"
    WON = "won"


_ORDER: Final = {state: place for place, state in enumerate(DisputeState)}
_INQUIRY: Final = frozenset(list(DisputeState)[:3])
_UNDECIDED: Final = frozenset({DisputeState.NEEDS_RESPONSE, DisputeState.UNDER_REVIEW})
_APPEALED: Final = frozenset({DisputeState.APPEAL_NEEDS_RESPONSE, DisputeState.APPEAL_UNDER_REVIEW})

AWAITED: Final = frozenset(
    {
        *(DisputeState.WARNING_NEEDS_RESPONSE, DisputeState.NEEDS_RESPONSE),
        DisputeState.APPEAL_NEEDS_RESPONSE,
    }
)
"""The bank waits for our answer. In all others it is the bank's turn, or it has decided."""

CLOSED: Final = frozenset(
    {DisputeState.WARNING_CLOSED, DisputeState.PREVENTED, DisputeState.LOST, DisputeState.WON}
)


class Dispute(BaseModel):
    """A dispute as the company reported it at `said_at`, by the company's clock.

    `subjects` are the company's ids of the payment. `fee` is the company's fee for it so far,
    `moves` the number of its movements of money so far. `respond_by`: the deadline for evidence.
    """

    model_config = ConfigDict(frozen=True)

    dispute_id: str
    subjects: tuple[str, ...]
    amount: Money
    fee: Money
    state: DisputeState
    moves: int = 0
    reason: str = ""
    opened_at: datetime
    respond_by: datetime | None = None
    said_at: datetime

    @property
    def is_open(self) -> bool:
        return self.state not in CLOSED

    @property
    def held(self) -> int:
        """The amount that cannot be refunded: the customer's bank has it, or may get it."""
        return self.amount.minor if self.booked else 0

    @property
    def booked(self) -> Postings:
        """The postings for the amount, in the dispute's present state."""
        if self.state in _UNDECIDED | _APPEALED:
            return accounts.disputed(self.amount.minor)
        if self.state == DisputeState.LOST:
            return accounts.dispute_lost(self.amount.minor)
        return {}

    @property
    def fee_booked(self) -> Postings:
        """The postings for the fee."""
        return accounts.dispute_fee(self.fee.minor)


def latest(one: Dispute, other: Dispute) -> Dispute:
    """The piece that counts of two pieces of one dispute, whichever arrived first.

    The later piece counts, with two exceptions: a chargeback does not become an inquiry again, and
    a decision stands unless there is an appeal or another decision. Of two pieces of the same
    second, the one with more progress counts.

    Raises Conflict when their amounts, or their fees, are in different currencies.
    """
    for ours, theirs in ((one.amount, other.amount), (one.fee, other.fee)):
        if ours.minor and theirs.minor and ours.currency != theirs.currency:
            raise Conflict(f"dispute {one.dispute_id} was about {ours}, and now about {theirs}")
    return max(one, other, key=_age)


def _age(piece: Dispute) -> tuple[Any, ...]:
    phase = 0 if piece.state in _INQUIRY else 1 if piece.state in _UNDECIDED else 2
    return (
        *(phase, piece.said_at, _ORDER[piece.state], piece.moves),
        # Arbitrary, but always the same, when a company reports two things at once.
        *(piece.fee.minor, piece.amount.minor, piece.reason, piece.fee.currency, piece.subjects),
        *(piece.opened_at, piece.respond_by is not None, piece.respond_by or piece.said_at),
    )
