"""A workshop: it engraves what orders want engraved, and sends it. It knows Temporal, and no more.

Nothing here is Orderloom's. What it is given and what it answers is the contract of
docs/handlings.md, and the same in any language that has a Temporal SDK. People at the machine tell
it by signals how far they have come.

    TEMPORAL_ADDRESS=127.0.0.1:7233 python examples/workshop/engraving.py
"""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio import workflow
from temporalio.client import Client
from temporalio.envconfig import ClientConfig
from temporalio.worker import Worker

TASK_QUEUE = "engraving"


@workflow.defn(name="Engrave")
class Engrave:
    """Engraves the units of one fulfilment."""

    def __init__(self) -> None:
        self.engraved = self.told = 0
        self.is_unwanted = False
        self.answer: dict[str, Any] | None = None

    @workflow.run
    async def run(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Wait for the people at the machine. `asked` says which units, of which order."""
        units = sum(line["quantity"] for line in asked["lines"])
        while self.answer is None:
            await workflow.wait_condition(
                lambda: self.answer is not None or self.is_unwanted or self.engraved > self.told
            )
            if self.engraved > self.told:
                self.told = self.engraved
                await self._tell("progress", f"{self.told} of {units} engraved")
            if self.is_unwanted:
                self.is_unwanted = False
                if self.engraved:
                    await self._tell("cannot_stop", f"{self.engraved} of {units} are engraved")
                else:
                    return {"outcome": "stopped", "note": "nothing was engraved"}
        return self.answer

    @workflow.signal
    def cancel(self) -> None:
        """Orderloom asks to stop. It is answered by the result, or by `cannot_stop`."""
        self.is_unwanted = True

    @workflow.signal
    def one_engraved(self) -> None:
        """A person has engraved one unit."""
        self.engraved += 1

    @workflow.signal
    def sent(self, parcel: dict[str, str]) -> None:
        """A person has handed it over, as {"carrier": "dhl", "tracking_number": "JD01"}."""
        self.answer = {"outcome": "done", **parcel}

    @workflow.signal
    def taken_along(self) -> None:
        """The customer has come and taken it."""
        self.answer = {"outcome": "done", "note": "taken along"}

    @workflow.signal
    def spoiled(self, why: str) -> None:
        """It cannot be done."""
        self.answer = {"outcome": "failed", "note": why}

    async def _tell(self, signal: str, note: str) -> None:
        parent = workflow.info().parent
        assert parent is not None  # Orderloom has begun it
        asker = workflow.get_external_workflow_handle(parent.workflow_id)
        await asker.signal(signal, {"note": note})


async def main() -> None:
    """Work until somebody ends it."""
    client = await Client.connect(**ClientConfig.load_client_connect_config())
    await Worker(client, task_queue=TASK_QUEUE, workflows=[Engrave]).run()


if __name__ == "__main__":
    asyncio.run(main())
