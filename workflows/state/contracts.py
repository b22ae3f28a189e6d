"""The input of an order's workflow, its requests, and its answers."""

from __future__ import annotations

from typing import Literal

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from pydantic import BaseModel, ConfigDict

    from domain.orders.continuation import OrderState
    from domain.orders.order import Order
    from domain.orders.policy import Policy


class OrderInput(BaseModel):
    """The input of an order's workflow.

    `continue_after_events`: it continues as new when its history has this many events, unless the
    server suggests it earlier. `state`: the state that the earlier runs have reached.
    """

    model_config = ConfigDict(frozen=True)

    order: Order
    policy: Policy = Policy()
    continue_after_events: int | None = None
    state: OrderState | None = None


class OrderResult(BaseModel):
    """How the order ended."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    outcome: Literal["closed", "cancelled", "rejected"]
    reason: str = ""


class OrderView(BaseModel):
    """The workflow's own view of the order, for debugging; status reads come from the database."""

    model_config = ConfigDict(frozen=True)

    phase: str
    lines: dict[str, dict[str, int]]
    fulfilments: dict[str, str]
    attention: dict[str, str]
