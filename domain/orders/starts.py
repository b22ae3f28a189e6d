"""What it takes to start the workflow of an order on record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from domain.money import Money
from domain.orders.order import Order
from domain.orders.policy import Policy


@dataclass(frozen=True)
class OrderStart:
    """An order whose workflow is to be started. Nothing here is personal.

    `bulk`: it is one of many, and its work lets that of others pass.
    """

    order_id: str
    channel: str
    channel_order_id: str
    service: str
    lines: int
    total: Money
    policy: Policy
    bulk: bool = False

    @classmethod
    def of(cls, order: Order, policy: Policy, *, bulk: bool = False) -> Self:
        """The start of an order that a channel brings."""
        return cls(
            order_id=order.order_id,
            channel=order.channel,
            channel_order_id=order.channel_order_id,
            service=order.shipping.service,
            lines=len(order.lines),
            total=Money(minor=order.total_minor, currency=order.currency),
            policy=policy,
            bulk=bulk,
        )
