"""The inputs and the answer of the activities for claims."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from activities.payments.contracts import Refusal
from domain.fulfilment.fulfilments import Planned
from domain.orders.claim_messages import ClaimOutcome, ClaimRequest, DecideClaimRequest
from domain.orders.claim_rules import ClaimRules
from domain.orders.refund_rules import Granted
from domain.orders.sourcing_rules import SourcingRules


class MakeClaim(BaseModel):
    """A claim that somebody makes, and the rules of its order.

    `turn`: what is refused in it stays refused, also for an attempt that comes late. The request
    may be made again in another turn.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    request_id: str
    request: ClaimRequest
    rules: ClaimRules
    sourcing: SourcingRules = SourcingRules()
    turn: str = ""


class DecideClaim(BaseModel):
    """What a person decides about a claim, and the rules of its order. `turn`: as in MakeClaim."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    request_id: str
    request: DecideClaimRequest
    rules: ClaimRules
    sourcing: SourcingRules = SourcingRules()
    turn: str = ""


class ClaimAnswer(BaseModel):
    """What became of a claim; or of nothing, because it was `refused`.

    `refund`: what is owed for it from now on. `sent_again`: what goes out for its units.
    """

    model_config = ConfigDict(frozen=True)

    outcome: ClaimOutcome | None = None
    refund: Granted | None = None
    sent_again: tuple[Planned, ...] = ()
    refused: Refusal | None = None
