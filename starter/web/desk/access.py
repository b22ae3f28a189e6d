"""Which orders somebody at the desk sees: those of their channels and sellers."""

from __future__ import annotations

from typing import TypedDict

from domain.errors import NotFound
from starter.web.screens.visits import Visit


class Whose(TypedDict):
    """Limits of a list; None: none."""

    channels: list[str] | None
    sellers: list[str] | None


def theirs(visit: Visit) -> Whose:
    """What of a list is their business."""
    grant = visit.person.grant
    return {
        "channels": None if grant.channels is None else sorted(grant.channels),
        "sellers": None if grant.sellers is None else sorted(grant.sellers),
    }


async def check_order(visit: Visit, order_id: str) -> None:
    """Raises NotFound for an order that is not there, or not theirs: nobody can tell."""
    whose = await visit.here.orders.whose(order_id)
    if whose is None or not visit.person.grant.sees(*whose):
        raise NotFound(f"there is no order {order_id}", reason="no_order")
