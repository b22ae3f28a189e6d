"""Which units of an order go where it is changed to fewer: those that cost the least to stop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict

from domain.errors import Refused
from domain.fulfilment.fulfilments import RECALLABLE
from domain.fulfilment.taking_out import is_busy
from domain.orders.fulfilment_state import FulfilmentState
from domain.orders.handling import DROP_SHIP, SERVICE, Handling, is_outside
from domain.orders.quantities import LineId, LineUnits


class Part(BaseModel):
    """A fulfilment that has not left, and the units that it claims.

    `label`: what became of the wish for one; None: there was none yet.
    """

    model_config = ConfigDict(frozen=True)

    state: FulfilmentState
    handling: Handling
    location: str
    label: str | None = None
    claimed: LineUnits = {}


@dataclass(frozen=True)
class Taken:
    """Units that are taken away: of those that are waited for, and from fulfilments."""

    waited_for: dict[LineId, int] = field(default_factory=dict)
    parts: dict[str, LineUnits] = field(default_factory=dict)


def choose(units: LineUnits, waiting: LineUnits, parts: Mapping[str, Part]) -> Taken:
    """Which units go: first those that are waited for, then those that have come least far.

    Of two fulfilments at one stage, the younger one gives them. Raises Refused where these have too
    few, and where one of them cannot be made smaller at this moment.
    """
    waited_for: dict[LineId, int] = {}
    taken: dict[str, dict[LineId, int]] = {}
    for line_id, wanted in units.items():
        left = wanted - _note(waited_for, line_id, wanted, waiting)
        for part in _in_turn(parts):
            if left and parts[part].claimed.get(line_id):
                left -= _note(taken.setdefault(part, {}), line_id, left, parts[part].claimed)
        if left:
            raise moving(line_id)
    for part, some in taken.items():
        _check(parts[part], next(iter(some)))
    return Taken(waited_for, dict(taken))


def check_emptied(taken: Taken, parts: Mapping[str, Part], heard: Mapping[str, LineUnits]) -> None:
    """Raise Refused where one is to be emptied of which the workflow counts more units than these.

    Those are missing, and nobody would see to them once it is stopped.
    """
    for part, units in taken.parts.items():
        if units == parts[part].claimed:
            for line_id, count in heard.get(part, {}).items():
                if count != units.get(line_id, 0):
                    raise moving(line_id)


def _in_turn(parts: Mapping[str, Part]) -> list[str]:
    youngest = sorted(parts, key=lambda each: (len(each), each), reverse=True)
    return sorted(youngest, key=lambda each: RECALLABLE.index(parts[each].state))


def _check(part: Part, line_id: LineId) -> None:
    if part.handling == DROP_SHIP:
        raise with_supplier(line_id)
    if part.state == "labelled" and (part.handling == SERVICE or is_outside(part.handling)):
        raise Refused(
            f"units of line {line_id} are with a workshop, or ready for their appointment: no edit "
            "takes any of them away; cancel them",
            reason="not_in_place",
            instead=("cancel_order",),
        )
    if is_busy(part.state, part.handling, part.label):
        raise moving(line_id)


def moving(line_id: LineId) -> Refused:
    """Something is just happening to units of a line, so none of it can be taken away."""
    return Refused(
        f"units of line {line_id} are just being moved, so it is not known which can be taken "
        "away: ask again in a moment",
        reason="units_moving",
        instead=("edit_order",),
    )


def with_supplier(line_id: LineId) -> Refused:
    """The units were bought for the order, and come or have gone to the customer."""
    return Refused(
        f"units of line {line_id} were bought for this order, and their supplier does not stop "
        "them any more",
        reason="with_supplier",
        instead=("return_items",),
    )


def _note(into: dict[LineId, int], line_id: LineId, wanted: int, there: LineUnits) -> int:
    units = min(wanted, there.get(line_id, 0))
    if units:
        into[line_id] = units
    return units
