"""What an edit would make of an order's amounts, before it is applied: for the payment to hold."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from domain.orders.amounts import LineWorth
from domain.orders.quantities import LineUnits


class ProposedLine(LineWorth):
    """A line with its new worth. `cancelled`: of its units. `more`: than were ordered before."""

    model_config = ConfigDict(frozen=True)

    cancelled: int = 0
    more: int = 0


class Proposal(BaseModel):
    """All lines as they would be, of this version of the order: for another one it says nothing.

    `taken`: units by fulfilment that would not be sent. `keeps`: lines that were there before keep
    their amounts, because something is charged.
    """

    model_config = ConfigDict(frozen=True)

    version: int
    lines: tuple[ProposedLine, ...]
    taken: dict[str, LineUnits] = {}
    keeps: bool = False
