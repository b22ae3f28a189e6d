"""The inputs and answers of the fulfilment activities."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.orders.fulfilment_state import FulfilmentState
from domain.orders.quantities import LineUnits


class Part(BaseModel):
    """Names one fulfilment."""

    model_config = ConfigDict(frozen=True)

    fulfilment_id: str


class Sending(BaseModel):
    """A fulfilment that is to be sent. Its units may become fewer meanwhile: rows have them.

    `ahead`: the order is charged as a whole before that; otherwise it waits until what is due as it
    leaves can be charged, which rows say. An authorization must last for `lasting` when the label
    is bought. After that, and where none lasts so long, it is renewed `renew_before` its end.
    The address is read from the order's row: nothing personal enters Temporal.
    """

    model_config = ConfigDict(frozen=True)

    fulfilment_id: str
    ahead: bool = False
    lasting: timedelta = timedelta(0)
    renew_before: timedelta = timedelta(0)


class Sent(BaseModel):
    """How the wait for the warehouse has ended: it has left, or the order has to decide.

    `shipped`: the carrier has `units` of it, and `due_minor` is to be charged for them. `short`:
    `missing` were not found. `refused`: the location sends none of it, all is `missing`, and it
    says `why`. `backordered`: all of it, which is `missing` here, fell back to backorder, because a
    count found too few. `unpaid`: its money does not hold until it leaves. `recalled`: it was
    stopped. `goes_on`: what was late has happened, so it is in `state` now. `failed`: the workshop
    could not do its work, and says `why`.
    """

    model_config = ConfigDict(frozen=True)

    outcome: Literal[
        "shipped", "short", "refused", "backordered", "unpaid", "recalled", "goes_on", "failed"
    ]
    units: LineUnits = {}
    missing: LineUnits = {}
    why: str = ""
    state: FulfilmentState | None = None
    due_minor: int = 0


class Look(BaseModel):
    """Which of an order's fulfilments to look at.

    `within`: how long each may be in a state. One that is late is told when it goes on.
    """

    model_config = ConfigDict(frozen=True)

    fulfilment_ids: tuple[str, ...]
    within: dict[FulfilmentState, timedelta] = {}


class Stage(BaseModel):
    """A fulfilment's state, since when, and for how long by the database's clock."""

    model_config = ConfigDict(frozen=True)

    state: FulfilmentState
    since: datetime
    lasted: timedelta


class Stages(BaseModel):
    """The stage of each fulfilment that was looked at, by its id."""

    model_config = ConfigDict(frozen=True)

    stages: dict[str, Stage]


class Recalled(BaseModel):
    """The state in which the fulfilment was stopped; None when it had already left.

    `labelled`: a label was bought for it, or perhaps. `units` are those that are claimed for it,
    without the units that were not found. `kept_by`: the code of the rule that keeps it, if one
    does.
    """

    model_config = ConfigDict(frozen=True)

    caught: FulfilmentState | None
    kept_by: str = ""
    labelled: bool = False
    units: LineUnits = {}
