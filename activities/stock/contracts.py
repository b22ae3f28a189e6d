"""The inputs and answers of the activities for claims on stock."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.ids import WHO
from domain.orders.quantities import LineUnits
from domain.orders.refund_rules import Granted
from domain.orders.sourcing_rules import SourcingRules


class ReserveAgain(BaseModel):
    """Reserve other units in new fulfilments, for those of one that were not found or were lost.

    `source` says how the order counts them now: `open` after a short pick, `shipped` when the
    carrier lost them. Units that cannot be had are backordered in this `round` where that is
    allowed; otherwise they are cancelled, or stay lost. `avoid`: a location whose count is in
    doubt, or that has `refused`.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    fulfilment_id: str
    units: LineUnits
    source: Literal["open", "shipped"]
    replace: bool
    backorder: bool = False
    round: int = 1
    avoid: str | None = None
    refused: bool = False
    reason: str
    sourcing: SourcingRules = SourcingRules()

    @property
    def effect(self) -> str:
        return f"reserve_again:{self.fulfilment_id}:{self.source}"


class ReleaseStock(BaseModel):
    """Give claims back and cancel their units. `units`: by fulfilment id.

    `backordered` units stop waiting, and so do claims that have become backorders by now.
    `decision` ends an order that is not confirmed: one that is by now keeps all of it.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    effect: str
    units: dict[str, LineUnits] = {}
    backordered: LineUnits = {}
    decision: Literal["rejected", "cancelled"] | None = None
    what: str
    why: str
    who: str = WHO

    @property
    def refund_id(self) -> str:
        """The id of the refund for these units."""
        return f"{self.order_id}:{self.effect}"


class Released(BaseModel):
    """What is owed back for units that were cancelled; None: nothing was paid for them.

    `confirmed`: nothing was released, because an attempt to authorize the payment of which nobody
    heard has confirmed the order. The warehouse may have begun with it.
    """

    model_config = ConfigDict(frozen=True)

    refund: Granted | None = None
    confirmed: bool = False


class TakeOut(BaseModel):
    """Take units out of a fulfilment before its hand-over, and cancel them.

    `effect`: once for each look at the rows. `keeps_label`: a parcel that is opened for it keeps
    its label, because that is valid for a lighter one, too.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    fulfilment_id: str
    units: LineUnits
    effect: str
    what: str
    why: str
    who: str = WHO
    keeps_label: bool = False

    @property
    def refund_id(self) -> str:
        """The id of the refund for these units."""
        return f"{self.order_id}:{self.effect}"


class TakenOut(BaseModel):
    """What was taken out of a fulfilment.

    `taken`: these `units` are cancelled, and `refund` is owed back for them; `label_unused`: the
    label of its parcel is to be given back. `recall`: nothing was done, because it has to be
    stopped as a whole. `gone`: nothing was done, because it claims none of the units: it was handed
    over, or they were not found, and its order hears of that.
    """

    model_config = ConfigDict(frozen=True)

    outcome: Literal["taken", "recall", "gone"]
    units: LineUnits = {}
    refund: Granted | None = None
    label_unused: bool = False


class Reassign(BaseModel):
    """Move the units that are still wanted from a recalled fulfilment to a new one."""

    model_config = ConfigDict(frozen=True)

    fulfilment_id: str
    units: LineUnits

    @property
    def effect(self) -> str:
        return f"reassign:{self.fulfilment_id}"
