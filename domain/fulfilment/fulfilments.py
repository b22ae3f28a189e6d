"""One location's part of an order: its states, and its planned units."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.orders.quantities import LineUnits

FulfilmentState = Literal[
    "open",  # Reserved; not released to the warehouse.
    "picking",
    "picked",
    "packed",
    "labelled",  # Waits for the hand-over.
    "shipped",
    "delivered",
    "cancelled",  # Recalled, or no unit of it was found.
    "exception",  # Lost, or on its way back to the sender.
]

RECALLABLE: tuple[FulfilmentState, ...] = ("open", "picking", "picked", "packed", "labelled")
"""The states before the hand-over, in which a fulfilment can be stopped."""


class Planned(BaseModel):
    """A fulfilment before it is written: its id, location and units."""

    model_config = ConfigDict(frozen=True)

    fulfilment_id: str
    location: str
    units: LineUnits
