"""Whether units can be taken out of a fulfilment in place, and how many."""

from __future__ import annotations

from typing import Literal, NamedTuple

from domain.fulfilment.fulfilments import RECALLABLE
from domain.orders.fulfilment_state import FulfilmentState
from domain.orders.handling import DROP_SHIP, Handling, nobody_picks
from domain.orders.quantities import LineUnits


class Possible(NamedTuple):
    """What is possible: `take` these `units`; stop all of it (`recall`); or nothing (`gone`)."""

    answer: Literal["take", "recall", "gone"]
    units: LineUnits


def possible(
    state: FulfilmentState,
    handling: Handling,
    label: str | None,
    claimed: LineUnits,
    wanted: LineUnits,
) -> Possible:
    """What of the wanted units can be taken out of a fulfilment that claims these.

    `label`: what became of the wish for one; None: there was none yet. All units that it claims are
    a recall. So are any of a parcel whose label is being bought, because nobody knows yet whether
    there is one to give back; and any of what nobody here packs, and so nobody opens.
    """
    units = {k: min(n, claimed.get(k, 0)) for k, n in wanted.items() if min(n, claimed.get(k, 0))}
    # What the supplier has sent is gone, whatever its row says yet.
    if state not in RECALLABLE or handling == DROP_SHIP or not units:
        return Possible("gone", {})
    everything = {line_id: count for line_id, count in claimed.items() if count}
    if units == everything or is_busy(state, handling, label):
        return Possible("recall", {})
    return Possible("take", units)


def is_busy(state: FulfilmentState, handling: Handling, label: str | None) -> bool:
    """Nobody can open it now: its label is being bought, or it is on its way out at once."""
    leaves = nobody_picks(handling) and state in ("picked", "packed", "labelled")
    return leaves or (state == "packed" and label == "requested")
