"""An order as a caller may see it."""

from __future__ import annotations

from domain.errors import NotFound
from domain.views.order_snapshot import OrderSnapshot
from starter.http.callers import Caller


async def mine(caller: Caller, order_id: str) -> OrderSnapshot:
    """An order of the caller's. Raises NotFound, alike for one that is somebody else's."""
    try:
        shown = await caller.here.orders.snapshot(order_id)
    except NotFound:
        shown = None
    if shown is None or not caller.grant.sees(shown.channel, shown.seller):
        raise NotFound(f"there is no order {order_id}")
    return shown
