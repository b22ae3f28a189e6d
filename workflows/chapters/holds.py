"""Order holds: the order says that it waits, and for what."""

from __future__ import annotations

import asyncio

from temporalio import workflow

from workflows.engine.steps import Steps

with workflow.unsafe.imports_passed_through():
    from activities.orders.order_records import Hold, OrderRecords


class OrderHolds:
    """The holds of one order, numbered; one at a time."""

    def __init__(self, steps: Steps, order_id: str, numbered: int) -> None:
        self._steps = steps
        self._order_id = order_id
        self.numbered = numbered
        self._recording = asyncio.Lock()  # a hold is on record before it is released

    async def hold(self, note: str) -> None:
        """The order waits; `note` says for what."""
        async with self._recording:
            self.numbered += 1
            ask = Hold(order_id=self._order_id, number=self.numbered, note=note)
            await self._steps.record(
                OrderRecords.note_hold, ask, self._order_id, "Held for payment"
            )

    async def release(self, who: str, *, unpaid: str = "") -> None:
        """End the hold. `unpaid`: the reason, when no payment came."""
        async with self._recording:
            ask = Hold(
                order_id=self._order_id, number=self.numbered, note=unpaid, released=True, who=who
            )
            await self._steps.record(OrderRecords.note_hold, ask, self._order_id, "Goes on")
