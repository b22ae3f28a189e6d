"""One location's part of an order: its states, and its planned units."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.orders.quantities import LineUnits

FulfilmentState = Literal[
    "open",  # reserved; not released to the warehouse
    "picking",
    "picked",
    "packed",
    "labelled",  # waits for the hand-over
    "shipped",
    "delivered",
    "cancelled",  # recalled, or nothing of it was found
    "exception",  # lost, or on its way back to the sender
]

RECALLABLE: tuple[FulfilmentState, ...] = ("open", "picking", "picked", "packed", "labelled")
"""Until the hand-over, a fulfilment can be stopped."""


class Planned(BaseModel):
    """A fulfilment as planned."""

    model_config = ConfigDict(frozen=True)

    fulfilment_id: str
    location: str
    units: LineUnits
