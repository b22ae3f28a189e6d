"""The delivery of events to one subscription: as long as there are some, and then it ends.

What is sent, what came of it and when it is tried again are rows. So a run that is lost loses
nothing: the relay starts another one when something is due.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from temporalio import workflow

from workflows.engine import results, timeouts

with workflow.unsafe.imports_passed_through():
    from activities.notifications.delivering import Deliver, Deliveries

ROUNDS_A_RUN: Final = 200
"""Then it continues as new, so that its history stays short."""


@workflow.defn(name="EventDelivery")
class EventDeliveryWorkflow:
    """One subscription. A signal has it look again."""

    def __init__(self) -> None:
        self._called = False

    @workflow.run
    async def run(self, ask: Deliver) -> None:
        """Send what is due, wait for what is to be tried again, and end when nothing is left."""
        for _ in range(ROUNDS_A_RUN):
            self._called = False
            done = await results.insist(
                Deliveries.deliver_events,
                ask,
                start_to_close_timeout=timeouts.EVENT_DELIVERY,
                heartbeat_timeout=timeouts.EVENT_ATTEMPT,
                retry_policy=timeouts.DATABASE_RETRY,
                summary=f"Send events to {ask.subscription_id}",
            )
            if done.next_at is not None:
                await self._wait(done.next_at - workflow.now())
            elif not done.more and not self._called:
                return
        workflow.continue_as_new(ask)

    @workflow.signal
    def look(self) -> None:
        """Something is due."""
        self._called = True

    async def _wait(self, pause: timedelta) -> None:
        try:
            await workflow.wait_condition(
                lambda: self._called,
                timeout=max(pause, timedelta(seconds=0.1)),
                timeout_summary="Until an event is sent again",
            )
        except TimeoutError:
            return
