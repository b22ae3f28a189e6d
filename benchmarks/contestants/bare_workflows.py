"""The workflows of `null` and `floor`: what Temporal itself costs, without a single effect."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

WAITS = ("pick", "pack", "deliver")
_LONG = timedelta(days=1)


@workflow.defn(name="Null")
class NullWorkflow:
    """No step at all."""

    @workflow.run
    async def run(self) -> None:
        """End at once."""


@workflow.defn(name="Floor")
class FloorWorkflow:
    """Only what an order cannot do without: three waits on people, and the return window."""

    @workflow.run
    async def run(self, return_window: timedelta) -> None:
        """Wait to be picked, packed and delivered, and for the window to pass."""
        for name in WAITS:
            await workflow.execute_activity(name, activity_id=name, start_to_close_timeout=_LONG)
        await workflow.sleep(return_window)
