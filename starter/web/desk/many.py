"""What can be done with many orders at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from domain.jobs.jobs import NEEDS, Kind
from starter.web.screens.visits import Visit


class Act(NamedTuple):
    """Something to do with many orders. `asks`: the fields that somebody fills in."""

    kind: Kind
    asks: tuple[str, ...] = ()


ACTS: Final[Mapping[str, Act]] = {
    "hold": Act("hold_orders", ("reason", "note")),
    "release": Act("release_orders", ("note",)),
    "cancel": Act("cancel_orders", ("reason",)),
    "charge": Act("charge_orders", ("note",)),
    "slips": Act("print_packing_slips"),
    "labels": Act("print_labels"),
}
"""Name → what it does. The sentences are `many_…`, and `many_…_does`."""
HOLD_REASONS: Final = ("fraud_review", "address", "stock", "other")


def acts_for(visit: Visit) -> list[str]:
    """What somebody may do with many orders."""
    return [name for name, act in ACTS.items() if NEEDS[act.kind] <= visit.person.grant.scopes]
