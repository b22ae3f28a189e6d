"""Requests about an order's holds, and their answers: hold, release, extend, reject.

Several holds may stand at once. One for the payment is the order's own, and ends when it is paid.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from domain.fields import Flag, Id, Instant, Reason, Who
from domain.orders.messages import OrderRequest, Units

HoldReason = Literal["payment", "fraud_review", "address", "stock", "awaiting_return", "other"]
AskedReason = Literal["fraud_review", "address", "stock", "other"]
AWAITING_RETURN: Final = "awaiting_return"
"""An exchange order's goods stay here until what is exchanged comes back."""
TELLS_CUSTOMER: Final = "tells_customer"
"""In the data of a line about a hold: whether its event becomes a message to the customer."""
HOLDS_MAX: Final = 20
"""So many holds that people and rules have placed may stand at once."""
AtEnd = Literal["release", "reject"]
"""What becomes of an order whose hold has come to its deadline."""


class HoldRequest(OrderRequest):
    """Keep the order's goods here. `owner`: who is to see to it, a role or somebody's name.

    `until`: then it ends by itself, in the way of `at_end`; left out: a person ends it. `tell`: the
    customer gets a message, and another one when the order goes on.
    """

    reason: AskedReason
    note: Reason
    owner: Who = "customer service"
    until: Instant | None = None
    at_end: AtEnd = "release"
    tell: Flag = False


class ReleaseRequest(OrderRequest):
    """End a hold, or all that were placed by people and rules. `note`: why."""

    note: Reason
    hold: Id | None = None


class ExtendRequest(OrderRequest):
    """Give a hold, or all that people and rules have placed, another deadline; null: none.

    `at_end`: left out, it ends as it would have ended; one without a deadline so far is released.
    """

    note: Reason
    until: Instant | None
    hold: Id | None = None
    at_end: AtEnd | None = None


class RejectRequest(OrderRequest):
    """What is held is not wanted: cancel all of the order that has not left, and end its holds.

    `hold`: only if this one stands and its deadline has passed; left out: if any stands.
    """

    note: Reason
    hold: Id | None = None


class StandingHold(BaseModel):
    """A hold that stands. `rule`: the name of the one that has placed it; `who`: or the person.

    `told`: its customer knows of it, and is told when the order goes on.
    `reason` is a plain text, because answers outlive the person whose order it was.
    """

    model_config = ConfigDict(frozen=True)

    hold_id: str
    reason: str
    note: str
    owner: str
    who: str
    rule: str | None = None
    since: datetime
    until: datetime | None = None
    at_end: AtEnd | None = None
    told: bool = False

    @property
    def is_asked_for(self) -> bool:
        """A person or a rule has placed it, and not the order itself."""
        return self.hold_id.startswith("H")


class HoldOutcome(BaseModel):
    """What was done, and which holds of the order stand now."""

    model_config = ConfigDict(frozen=True)

    request_id: str
    outcome: Literal["held", "released", "extended"]
    hold_ids: tuple[str, ...]
    """The holds that were placed, ended, or given another deadline."""
    holds: tuple[StandingHold, ...] = ()
    message: str = ""


class RejectOutcome(BaseModel):
    """What became of the units of an order that was rejected while it was held."""

    model_config = ConfigDict(frozen=True)

    request_id: str
    outcome: Literal["rejected", "partly_rejected", "refused"]
    cancelled: tuple[Units, ...] = ()
    refused: tuple[Units, ...] = ()
    holds: tuple[StandingHold, ...] = ()
    message: str = ""
