"""What was decided about orders that were just placed.

Read from the database, where it stands with its effects: an answer from the workflow would cost two
billable actions and two history events an order. One look serves all who wait, however many they
are, and needs no session of its own, as a notification would.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping

from domain.errors import Conflict
from domain.messages import Placement, Units
from domain.order import Order
from store import reads
from store.database import Pool

PAUSE_S_MIN = 0.01
PAUSE_S_MAX = 0.25
"""From one look to the next, in seconds: longer and longer while nothing is decided."""


class Decisions:
    """Answers for everybody who places orders through one client."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._awaited: Counter[str] = Counter()
        self._look: asyncio.Task[Mapping[str, reads.Decision]] | None = None
        self._pause = PAUSE_S_MIN

    async def on_record(self, order: Order) -> Placement | None:
        """What was decided, or None while nothing is. Raises Conflict where it is another order."""
        async with self._pool.acquire() as conn:
            found = await reads.decisions(conn, [order.order_id])
        return _placement(order, found.get(order.order_id))

    async def of(self, order: Order) -> Placement:
        """Wait until it is decided. Raises Conflict where the id was used for other content."""
        self._awaited[order.order_id] += 1
        self._pause = PAUSE_S_MIN
        try:
            while True:
                seen = await self._next_look()
                placement = _placement(order, seen.get(order.order_id))
                if placement is not None:
                    return placement
        finally:
            self._awaited[order.order_id] -= 1

    async def _next_look(self) -> Mapping[str, reads.Decision]:
        if self._look is None or self._look.done():
            self._look = asyncio.create_task(self._look_at_all())
        return await asyncio.shield(self._look)  # others wait for it too

    async def _look_at_all(self) -> Mapping[str, reads.Decision]:
        await asyncio.sleep(self._pause)
        self._pause = min(self._pause * 1.5, PAUSE_S_MAX)
        self._awaited += Counter()  # drops those for whom nobody waits any more
        async with self._pool.acquire() as conn:
            return await reads.decisions(conn, list(self._awaited))


def _placement(order: Order, decision: reads.Decision | None) -> Placement | None:
    if decision is None:
        return None
    if decision.digest != order.digest:
        raise Conflict(
            f"order {order.order_id} was placed before with other content; "
            "cancel that one, or use another channel_order_id"
        )
    if decision.outcome is None:
        return None
    return Placement(
        order_id=order.order_id,
        outcome=decision.outcome,
        reason=decision.reason,
        missing=tuple(Units(line_id=k, quantity=n) for k, n in decision.missing.items()),
    )
