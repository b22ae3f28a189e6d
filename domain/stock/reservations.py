"""A new order's request for stock, and the answer."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.fulfilment.fulfilments import Planned
from domain.orders.order import Order
from domain.orders.quantities import LineUnits
from domain.orders.sourcing_rules import SourcingRules


class ReserveStock(BaseModel):
    """Reserve all lines of a new order at once. `run_id`: the workflow's first run, its owner.

    `backorder`: missing units are backordered, where their item allows that.
    """

    model_config = ConfigDict(frozen=True)

    order: Order
    run_id: str
    partly_available: Literal["ship_available", "all_or_nothing"]
    backorder: bool = True
    sourcing: SourcingRules = SourcingRules()


class Reserved(BaseModel):
    """The reserved, the backordered and the missing units.

    With nothing reserved or backordered, the order is rejected.
    """

    model_config = ConfigDict(frozen=True)

    fulfilments: tuple[Planned, ...] = ()
    backordered: LineUnits = {}
    missing: LineUnits = {}
