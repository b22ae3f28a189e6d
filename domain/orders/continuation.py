"""The input of an order's workflow, and the state that a run hands on when it continues as new.

Each part is written and read by the object that owns it. The defaults are those of a new order.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.orders.messages import (
    AttentionAnswer,
    CancelOutcome,
    CancelRequest,
    ChargeRequest,
    PayOutcome,
    PayRequest,
    Placement,
    RefundOutcome,
    RefundRequest,
    ReturnOutcome,
    ReturnRequest,
)
from domain.orders.policy import Policy
from domain.orders.quantities import LineQuantities, LineUnits

Stage = Literal["planned", "under_way", "await_delivery", "ended"]
Action = Literal["retry", "done", "cancel", "store_credit"]


class FulfilmentProgress(BaseModel):
    """The progress of a fulfilment. `since`: since when it waits for the warehouse or the carrier.

    `return_id` names its return when it comes back undeliverable.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    location: str
    units: LineUnits
    stage: Stage
    since: datetime | None = None
    recalled: bool = False
    return_id: str = ""
    outcome: str = ""


class BookState(BaseModel):
    """The counts of an order: units by line id, and parcels.

    `round`: the number of the present or next wait for backordered units, and its end. `given_up`:
    the reason why the last units were given up. `authorized`: something may be authorized that is
    neither charged nor released.
    """

    model_config = ConfigDict(frozen=True)

    lines: dict[str, LineQuantities] = {}
    fulfilments: tuple[FulfilmentProgress, ...] = ()
    authorized: bool = False
    last_delivery: datetime | None = None
    round: int = 1
    waits_until: datetime | None = None
    given_up: str = ""


class Parked(BaseModel):
    """A step that needs attention."""

    step: str
    number: int
    since: datetime
    reason: str
    allowed: tuple[Action, ...]
    answer: AttentionAnswer | None = None


class StepsState(BaseModel):
    """The steps that need attention. `due`, `since`: of each open wait, by activity id."""

    model_config = ConfigDict(frozen=True)

    raised: int = 0
    parked: tuple[Parked, ...] = ()
    due: dict[str, datetime] = {}
    since: dict[str, datetime] = {}


class ReturnState(BaseModel):
    """An approved return whose parcel has not arrived."""

    model_config = ConfigDict(frozen=True)

    return_id: str
    units: LineUnits
    reason: str


class ReturnsState(BaseModel):
    """The last number given to a return, and the returns under way."""

    model_config = ConfigDict(frozen=True)

    numbered: int = 0
    under_way: tuple[ReturnState, ...] = ()


class PaymentsState(BaseModel):
    """The payments of an order.

    The provider and the token that the customer brought in place of the order's own; the number of
    tries to pay and of order holds; whether somebody has asked to charge it, and whether it was
    charged as a whole, before anything was sent.
    """

    model_config = ConfigDict(frozen=True)

    provider: str = ""
    token: str = ""
    attempt: int = 1
    holds: int = 0
    told_to_charge: bool = False
    charged: bool = False


class AnsweredCancel(BaseModel):
    """A cancellation with a request id, and its answer."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["cancel"] = "cancel"
    request: CancelRequest
    outcome: CancelOutcome


class AnsweredReturn(BaseModel):
    """A return with a request id, and its answer."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["return"] = "return"
    request: ReturnRequest
    outcome: ReturnOutcome


class AnsweredRefund(BaseModel):
    """A refund with a request id, and its answer."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["refund"] = "refund"
    request: RefundRequest
    outcome: RefundOutcome


class AnsweredPay(BaseModel):
    """A payment with a request id, and its answer."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["pay"] = "pay"
    request: PayRequest
    outcome: PayOutcome


class AnsweredCharge(BaseModel):
    """A request to charge the order, and its answer."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["charge"] = "charge"
    request: ChargeRequest
    outcome: PayOutcome


Answered = Annotated[
    AnsweredCancel | AnsweredReturn | AnsweredRefund | AnsweredPay | AnsweredCharge,
    Field(discriminator="kind"),
]


class InboxState(BaseModel):
    """The answered requests, oldest first, and the number of requests without an id."""

    model_config = ConfigDict(frozen=True)

    unnamed: int = 0
    answered: tuple[Answered, ...] = ()


class OrderState(BaseModel):
    """The whole order."""

    model_config = ConfigDict(frozen=True)

    phase: str = "received"
    placement: Placement | None = None
    refusals: int = 0
    cancelled_because: str = ""
    book: BookState = BookState()
    steps: StepsState = StepsState()
    returns: ReturnsState = ReturnsState()
    payments: PaymentsState = PaymentsState()
    inbox: InboxState = InboxState()


class OrderInput(BaseModel):
    """The input of an order's workflow: nothing personal, and nothing that its rows know.

    `continue_after_events`: it continues as new when its history has this many events, unless the
    server suggests it earlier. `state`: the state that the earlier runs have reached.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    policy: Policy = Policy()
    continue_after_events: int | None = None
    state: OrderState | None = None
