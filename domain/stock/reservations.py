"""What an order asks of stock when it comes in, and what it gets."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.fulfilment.fulfilments import Planned
from domain.orders.order import Order
from domain.orders.quantities import LineUnits
from domain.orders.sourcing_rules import SourcingRules


class ReserveStock(BaseModel):
    """Reserve all lines of a new order at once. `run_id`: the workflow's first run, its owner.

    `backorder`: what is not there is waited for, where its item allows that.
    """

    model_config = ConfigDict(frozen=True)

    order: Order
    run_id: str
    partly_available: Literal["ship_available", "all_or_nothing"]
    backorder: bool = True
    sourcing: SourcingRules = SourcingRules()


class Reserved(BaseModel):
    """What was reserved, what is waited for, and what cannot be had.

    Nothing reserved and nothing waited for: rejected.
    """

    model_config = ConfigDict(frozen=True)

    fulfilments: tuple[Planned, ...] = ()
    backordered: LineUnits = {}
    missing: LineUnits = {}
