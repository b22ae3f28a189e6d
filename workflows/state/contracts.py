"""The answers of an order's workflow."""

from __future__ import annotations

from typing import Literal, TypeAlias

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from pydantic import BaseModel, ConfigDict


OrderEnd: TypeAlias = Literal["closed", "cancelled", "rejected"]


class OrderResult(BaseModel):
    """How the order ended."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    outcome: OrderEnd
    reason: str = ""


class OrderView(BaseModel):
    """The workflow's own view of the order, for debugging; status reads come from the database."""

    model_config = ConfigDict(frozen=True)

    phase: str
    lines: dict[str, dict[str, int]]
    fulfilments: dict[str, str]
    attention: dict[str, str]
