"""What a cancellation would take out of an order, and from where, before it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.fulfilment.fulfilments import RECALLABLE
from domain.fulfilment.taking_out import possible
from domain.money import Money
from domain.orders.charges import Charges, Owed
from domain.orders.fulfilment_state import FulfilmentState
from domain.orders.handling import BOUGHT, DIGITAL, SERVICE, Handling, is_outside
from domain.orders.messages import Units
from domain.orders.quantities import LineId, LineQuantities, LineUnits
from domain.payments.ways_back import WaysBack
from domain.stock.taking_away import Part


class SmallerPart(BaseModel):
    """A parcel that loses `units`. `state`: how far it has come.

    `how`: all of it is stopped; it is stopped, and its other units go in a new one; its closed box
    is opened; or less of it is picked.
    """

    model_config = ConfigDict(frozen=True)

    fulfilment_id: str
    state: FulfilmentState
    units: tuple[Units, ...]
    how: Literal["stops", "restarts", "opened", "smaller"]


class CancelPreview(BaseModel):
    """What a cancellation would do; nothing is written.

    `refused`: units that stay, each with its rule. `asked_first`: of the `cancelled` units, those
    of which somebody outside has to agree. `not_charged`: less will be charged. `paid_back`: what
    was charged and goes back, by these `ways`.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    cancelled: tuple[Units, ...]
    refused: tuple[Units, ...] = ()
    asked_first: tuple[Units, ...] = ()
    parts: tuple[SmallerPart, ...] = ()
    not_charged: Money
    paid_back: Money
    ways: WaysBack


@dataclass(frozen=True)
class Chosen:
    """Units that would go: all of them by line, and of them those of each fulfilment."""

    units: dict[LineId, int] = field(default_factory=dict)
    parts: dict[str, dict[LineId, int]] = field(default_factory=dict)
    refused: tuple[Units, ...] = ()
    asked_first: dict[LineId, int] = field(default_factory=dict)


def choose(
    wanted: LineUnits,
    lines: Mapping[LineId, LineQuantities],
    handlings: Mapping[LineId, Handling],
    parts: Mapping[str, Part],
) -> Chosen:
    """Which of the wanted units would go, and from where: what is waited for, and is in no
    fulfilment, first; then those of the fulfilments that have come least far.
    """
    units, asked_first, refused = {}, {}, []
    left: dict[LineId, int] = {}
    for line_id, count in wanted.items():
        line = lines[line_id]
        goes = min(count, line.open + line.backordered + line.allocated)
        if goes:
            units[line_id] = goes
            left[line_id] = max(0, goes - line.open - line.backordered)
            if _asks(handlings.get(line_id, "shipped")):
                asked_first[line_id] = goes
        refused += _refused(line_id, count - goes, line, handlings)
    taken: dict[str, dict[LineId, int]] = {}
    for part_id in sorted(parts, key=lambda each: RECALLABLE.index(parts[each].state)):
        for line_id, claimed in parts[part_id].claimed.items():
            more = min(left.get(line_id, 0), claimed)
            if more:
                taken.setdefault(part_id, {})[line_id] = more
                left[line_id] -= more
    return Chosen(units, taken, tuple(refused), asked_first)


def smaller(part_id: str, part: Part, units: Mapping[LineId, int]) -> SmallerPart:
    """A fulfilment that loses these units."""
    answer = possible(part.state, part.handling, part.label, part.claimed, units).answer
    everything = {line_id: n for line_id, n in part.claimed.items() if n}
    how: Literal["stops", "restarts", "opened", "smaller"] = "smaller"
    if answer != "take":
        how = "stops" if everything == dict(units) else "restarts"
    elif part.state in ("packed", "labelled"):
        how = "opened"
    return SmallerPart(fulfilment_id=part_id, state=part.state, units=as_units(units), how=how)


def without(
    lines: Mapping[LineId, LineQuantities], units: Mapping[LineId, int]
) -> dict[LineId, LineQuantities]:
    """The counts of all lines once these units are cancelled, wherever they are now."""
    return {line_id: _less(line, units.get(line_id, 0)) for line_id, line in lines.items()}


def money_without(charges: Charges, units: Mapping[LineId, int]) -> tuple[Owed, int]:
    """What is owed back once these units are cancelled, and what is not charged, in minor units.

    Nothing is changed. `units`: that have not left.
    """
    lines = {k: n for k in charges.worth if (n := charges.units(k)) is not None}
    after = Charges(
        without(lines, units),
        charges.worth,
        charges.money,
        refunded=charges.refunded,
        invoiced=charges.invoiced,
        goodwill=charges.goodwill,
    )
    owed = after.cancelled(dict.fromkeys(units, 0))
    return owed, charges.left_to_charge - after.left_to_charge


def as_units(units: Mapping[LineId, int]) -> tuple[Units, ...]:
    """The units of each line."""
    return tuple(Units(line_id=line_id, quantity=n) for line_id, n in units.items() if n)


def _less(line: LineQuantities, count: int) -> LineQuantities:
    waits = min(line.backordered, max(0, count - line.open))
    claimed = max(0, count - line.open - waits)
    return line.unbackorder(waits).unallocate(claimed).cancel(count)


def _asks(handling: Handling) -> bool:
    return handling in BOUGHT or handling == SERVICE or is_outside(handling)


def _refused(
    line_id: LineId, count: int, line: LineQuantities, handlings: Mapping[LineId, Handling]
) -> list[Units]:
    left = min(count, line.shipped)
    code = handlings.get(line_id) == DIGITAL
    why = {
        "digital_delivered" if code else "handed_over": left,
        "already_cancelled": count - left,
    }
    return [Units(line_id=line_id, quantity=n, reason=reason) for reason, n in why.items() if n]
