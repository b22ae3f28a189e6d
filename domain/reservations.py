"""What an order asks of stock when it comes in, and what it gets."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.fulfilments import Planned
from domain.order import Order
from domain.places import SourcingRules


class ReserveStock(BaseModel):
    """Reserve all lines of a new order at once. `run_id`: the workflow's first run, its owner."""

    model_config = ConfigDict(frozen=True)

    order: Order
    run_id: str
    partly_available: Literal["ship_available", "all_or_nothing"]
    sourcing: SourcingRules = SourcingRules()


class Reserved(BaseModel):
    """What was reserved, and what could not be (line id → units). No fulfilments: rejected."""

    model_config = ConfigDict(frozen=True)

    fulfilments: tuple[Planned, ...] = ()
    missing: dict[str, int] = {}
