"""Order holds: the order says that it waits, and for what."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime

from temporalio import workflow

from workflows.engine.steps import Steps
from workflows.engine.summaries import in_a_line

with workflow.unsafe.imports_passed_through():
    from activities.orders.order_records import Hold, OrderRecords


@dataclass(frozen=True)
class OpenHold:
    """The order waits to be paid. `until`: as long as the customer has for it.

    Without an end, somebody here has to say that it is charged.
    """

    note: str
    since: datetime
    until: datetime | None


class OrderHolds:
    """The holds of one order, numbered; one at a time."""

    def __init__(self, steps: Steps, order_id: str) -> None:
        self._steps = steps
        self._order_id = order_id
        self.numbered = 0
        self.open: OpenHold | None = None
        self._recording = asyncio.Lock()  # a hold is on record before it is released

    async def take_up(self, count: int, *, is_held: bool) -> None:
        """Go on after an earlier run. A hold that stands ends: what still waits holds it anew."""
        self.numbered = count
        if is_held:
            await self.release("orderloom", unpaid="the order was taken up again")

    async def hold(self, note: str, until: datetime | None = None) -> None:
        """The order waits; `note` says for what, and `until` how long."""
        self.open = OpenHold(note, workflow.now(), until)
        async with self._recording:
            self.numbered += 1
            ask = Hold(order_id=self._order_id, number=self.numbered, note=note)
            await self._steps.record(
                OrderRecords.note_hold, ask, self._order_id, in_a_line(f"Held: {note}")
            )

    def refused_again(self, note: str) -> None:
        """Another payment was refused: the order goes on waiting."""
        if self.open is not None:
            self.open = replace(self.open, note=note)

    async def release(self, who: str, *, unpaid: str = "") -> None:
        """End the hold. `unpaid`: the reason, when no payment came."""
        self.open = None
        async with self._recording:
            ask = Hold(
                order_id=self._order_id, number=self.numbered, note=unpaid, released=True, who=who
            )
            await self._steps.record(OrderRecords.note_hold, ask, self._order_id, "Held no more")
