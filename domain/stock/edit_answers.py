"""An edit as a step of the order's workflow: what is asked, and the answer."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from domain.fulfilment.fulfilments import Planned
from domain.orders.edit_messages import EditOutcome, EditRequest
from domain.orders.proposals import Proposal
from domain.orders.quantities import LineUnits
from domain.orders.refund_rules import Granted
from domain.orders.terms import Terms


class ApplyEdit(BaseModel):
    """Change an order on record: all of it, or nothing.

    `fulfilments` and `waiting`: the units that the order's workflow counts on in those that are
    under way, and those that it waits for. Where rows say otherwise, something is just happening to
    these units, and none is taken away. `round`: in which added units are waited for.
    `called_back`: lines of which suppliers were asked to stop what they were asked for.

    `turn`: what changes nothing in it stays so, also for an attempt that comes late. The next look
    is another turn.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    request_id: str
    request: EditRequest
    fulfilments: dict[str, LineUnits] = {}
    waiting: LineUnits = {}
    round: int = 1
    called_back: frozenset[str] = frozenset()
    turn: str = ""

    @property
    def effect(self) -> str:
        return f"edit:{self.request_id}"


class Refusal(BaseModel):
    """A rule says no: the error's stable type, the words, the rule's code, and the way on."""

    model_config = ConfigDict(frozen=True)

    kind: str
    message: str
    reason: str = ""
    instead: tuple[str, ...] = ()


class Applied(BaseModel):
    """The order is changed. `terms`: those that it has from now on.

    `fulfilments` and `backordered` have the added units. `waited_for` and `taken` are units that
    were taken away, from those that were waited for and from fulfilments; of these, the `emptied`
    have nothing left to send. `labels_unused`: fulfilments of which a label is to be given back.
    `refunds`: what is owed back.
    """

    model_config = ConfigDict(frozen=True)

    outcome: EditOutcome
    terms: Terms
    fulfilments: tuple[Planned, ...] = ()
    backordered: LineUnits = {}
    waited_for: LineUnits = {}
    taken: dict[str, LineUnits] = {}
    emptied: tuple[str, ...] = ()
    labels_unused: tuple[str, ...] = ()
    refunds: tuple[Granted, ...] = ()


class EditAnswer(BaseModel):
    """It is applied or refused; or something has to be done first, and nothing is changed.

    `to_call_back`: units that are waited for, and that a supplier may have been asked for.
    `to_authorize`: more has to be authorized.
    """

    model_config = ConfigDict(frozen=True)

    applied: Applied | None = None
    refused: Refusal | None = None
    to_call_back: LineUnits = {}
    to_authorize: Proposal | None = None
