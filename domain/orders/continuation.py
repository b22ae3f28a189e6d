"""The input of an order's workflow, and where an order stands, for a run that goes on with it.

A run goes on from rows alone: after an earlier run that continued as new, and after one that
Temporal has lost. The state is as of the rows, so it may be ahead of what the earlier run knew: a
fact that the outside reported meanwhile is in it. What a fact still asks the order to do is told by
it as well.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from domain.orders.fulfilment_state import FulfilmentState
from domain.orders.handling import SHIPPED, Handling
from domain.orders.policy import Policy
from domain.orders.quantities import LineQuantities, LineUnits
from domain.orders.refund_rules import Granted
from domain.orders.terms import Terms

Stage = Literal["planned", "under_way", "await_delivery", "recalled", "to_charge", "ended"]
Action = Literal["retry", "done", "cancel", "store_credit", "send_back", "charge"]
Decision = Literal["received", "confirmed", "rejected", "cancelled", "closed"]
Prepaid = Literal["not_begun", "begun", "charged", "refused"]


class FulfilmentStanding(BaseModel):
    """How far a fulfilment has come, and what the order still has to do about it.

    `state`: that of its row. `units`: those that the order counts on; units that were not found,
    and that nobody has replaced yet, are among them. `planned`: it is to be sent. `await_delivery`:
    it has left. `recalled`: it was stopped, and its steps are not all undone. `since`: since when
    it waits for the warehouse or the carrier. `return_id`: its return, where it comes back
    undeliverable. `due_minor`: so much is still to be charged for it. `label_unused`: its parcel
    was opened, and a label of it is to be given back. `has_lacked`: units of it were missing, and
    that was seen to; a report of it that comes once more says nothing new. `awaits_exchange`: an
    exchange pays what is still to be charged, and it is not known what comes back for it.
    """

    model_config = ConfigDict(frozen=True)

    fulfilment_id: str
    location: str
    handling: Handling = SHIPPED
    state: FulfilmentState
    units: LineUnits
    stage: Literal["planned", "await_delivery", "recalled", "ended"]
    since: datetime | None = None
    return_id: str = ""
    outcome: str = ""
    due_minor: int = 0
    label_unused: bool = False
    has_lacked: bool = False
    awaits_exchange: bool = False


class OpenAttention(BaseModel):
    """A step that needs a person. Without `allowed` answers it ends by itself."""

    model_config = ConfigDict(frozen=True)

    step: str
    since: datetime
    reason: str
    allowed: tuple[Action, ...] = ()


class OpenReturn(BaseModel):
    """A return of the customer whose parcel has not arrived, or that waits for a decision.

    `paid_early`: it is paid back already, and is still to be counted.
    """

    model_config = ConfigDict(frozen=True)

    return_id: str
    units: LineUnits
    since: datetime
    paid_early: bool = False


class AnsweredRequest(BaseModel):
    """A request that was answered: its id, a digest of what was asked, and the answer."""

    model_config = ConfigDict(frozen=True)

    request_id: str
    digest: str
    outcome: dict[str, Any]


class BegunRequest(BaseModel):
    """What earlier runs have done for a request before it was answered.

    `cancelled`: units by line. `return_id`: the return that was approved, of these `units`, or
    about which a person is asked (`asks`).
    `edited`: the order was changed for it.
    """

    model_config = ConfigDict(frozen=True)

    cancelled: LineUnits = {}
    edited: bool = False
    return_id: str = ""
    units: LineUnits = {}
    asks: tuple[str, ...] = ()


class OrderState(BaseModel):
    """Where an order stands, by its rows.

    `lines`: counts by line id, in which missing units that nobody has replaced are still allocated.
    `authorized`: something may be authorized that is neither charged nor released. `round`: the
    number of the present or next wait for backordered units, and since when it lasts. `is_undone`:
    it is not confirmed, and what was authorized for it has been released for good. `owed`:
    refunds that are granted and not paid back. `attempts`: by charge or refund, the number of its
    last try; 1 where there was none. `attempt`: the number of the next try to authorize, or of the
    last one where the customer has not answered its refusal. `holds`: how many there were;
    `is_held`: the last one stands. `begun`: by request id, what was done for requests that were
    not answered.
    """

    model_config = ConfigDict(frozen=True)

    terms: Terms
    decision: Decision
    lines: dict[str, LineQuantities]
    fulfilments: tuple[FulfilmentStanding, ...] = ()
    last_delivery: datetime | None = None
    round: int = 1
    waits_since: datetime | None = None
    authorized: bool = False
    is_undone: bool = False
    prepaid: Prepaid = "not_begun"
    attempt: int = 1
    attempts: dict[str, int] = {}
    owed: tuple[Granted, ...] = ()
    returns: tuple[OpenReturn, ...] = ()
    holds: int = 0
    is_held: bool = False
    attention: tuple[OpenAttention, ...] = ()
    answered: tuple[AnsweredRequest, ...] = ()
    begun: dict[str, BegunRequest] = {}

    @property
    def waits(self) -> frozenset[str]:
        """The names of the steps that wait for the outside, and may be late."""
        steps = [
            f"{'receive_paid_return' if each.paid_early else 'receive_return'} {each.return_id}"
            for each in self.returns
        ]
        for each in self.fulfilments:
            match each.stage:
                case "planned":
                    steps.append(f"pick_pack_ship {each.fulfilment_id}")
                case "await_delivery" if each.return_id:
                    steps.append(f"receive_return {each.return_id}")
                case "await_delivery":
                    steps.append(f"await_delivery {each.fulfilment_id}")
        return frozenset(steps)


class OrderInput(BaseModel):
    """The input of an order's workflow: nothing personal, and nothing that its rows know.

    `goes_on`: an earlier run has begun the order, so this one first reads where it stands.
    `settle`: before that it waits so long. Attempts of a lost run may still be under way, and
    nothing that they do may come after the look.
    `continue_after_events`: it continues as new when its history has this many events, unless the
    server suggests it earlier.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    policy: Policy = Policy()
    goes_on: bool = False
    settle: timedelta = timedelta(0)
    continue_after_events: int | None = None
