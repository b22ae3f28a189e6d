"""One location's part of an order: its states, and its planned units."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from domain.orders.fulfilment_state import FulfilmentState
from domain.orders.handling import SHIPPED, Handling
from domain.orders.quantities import LineUnits

RECALLABLE: tuple[FulfilmentState, ...] = ("open", "picking", "picked", "packed", "labelled")
"""The states before the hand-over, in which a fulfilment can be stopped."""
PICKED: tuple[FulfilmentState, ...] = ("picked", "packed", "labelled")
"""Its goods are off the shelf, and still here."""


class Planned(BaseModel):
    """A fulfilment before it is written: its id, location and units, which have one handling."""

    model_config = ConfigDict(frozen=True)

    fulfilment_id: str
    location: str
    units: LineUnits
    handling: Handling = SHIPPED
