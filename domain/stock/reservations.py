"""A new order's request for stock, and the answer."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from domain.fulfilment.fulfilments import Planned
from domain.orders.quantities import LineUnits
from domain.orders.refund_rules import Granted
from domain.orders.terms import Terms


class ReserveStock(BaseModel):
    """Reserve all lines of an order at once, as its policy says. The order is on record."""

    model_config = ConfigDict(frozen=True)

    order_id: str


class Reserved(BaseModel):
    """The reserved, the backordered and the missing units.

    With nothing reserved or backordered, the order is rejected. `refund`: what is owed back for
    missing units that were paid for.
    """

    model_config = ConfigDict(frozen=True)

    fulfilments: tuple[Planned, ...] = ()
    backordered: LineUnits = {}
    missing: LineUnits = {}
    refund: Granted | None = None


class ReservedOrder(Reserved):
    """The answer to the first step of an order's workflow: its terms, and what was reserved."""

    terms: Terms
