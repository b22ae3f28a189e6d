"""The relay of a worker: work that is done again and again, and at once when it is called for.

Part of every worker. What it does is a list of duties, which the composition root hands in. Most of
them hand something on that lies in the store: to a step that waits for it, or to a workflow that is
to be started. Several relays share the work.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import timedelta
from math import inf
from typing import Final

from store.database import Connection, DatabaseFault, Pool

logger = logging.getLogger(__name__)

BATCH: Final = 100
"""A duty takes so many rows at a time."""

RPC_TIMEOUT: Final = timedelta(seconds=10)
"""One call that Temporal does not answer keeps the other duties waiting for so long at most."""

PAUSE_AFTER_FAULT_S: Final = 1.0


@dataclass
class Duty:
    """Something that the relay does again and again: `every` so many seconds, or when called for.

    `channel`: the notification of the database that calls for it at once.
    """

    run: Callable[[], Awaitable[object]]
    every_s: float
    channel: str | None = None
    due: float = -inf

    def called(self) -> None:
        """Do it with the next round."""
        self.due = -inf


class Relay:
    """Does its duties until it is cancelled, in the sequence in which they are listed."""

    def __init__(self, pool: Pool, duties: Sequence[Duty]) -> None:
        self._pool = pool
        self._duties = duties
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Do every duty as it comes due. A fault of the database is waited out."""
        while True:
            try:
                async with self._pool.acquire() as listening, AsyncExitStack() as heard:
                    for duty in self._duties:
                        if duty.channel is not None:
                            await self._listen(listening, heard, duty, duty.channel)
                    await self._work_for_ever()
            except DatabaseFault as fault:
                logger.warning("relay paused: %s", fault)
                await asyncio.sleep(PAUSE_AFTER_FAULT_S)

    async def _listen(
        self, conn: Connection, heard: AsyncExitStack, duty: Duty, channel: str
    ) -> None:
        def awaken(*_: object) -> None:
            duty.called()
            self._wake.set()

        async def stop() -> None:
            with suppress(*DatabaseFault):
                await conn.remove_listener(channel, awaken)

        await conn.add_listener(channel, awaken)
        heard.push_async_callback(stop)

    async def _work_for_ever(self) -> None:
        clock = asyncio.get_running_loop().time
        for duty in self._duties:
            duty.called()  # nobody heard what was called for until now
        while True:
            self._wake.clear()
            for duty in self._duties:
                if clock() >= duty.due:
                    duty.due = clock() + duty.every_s  # before: what is called for meanwhile counts
                    await duty.run()
            pause_s = min(duty.due for duty in self._duties) - clock()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), max(0, pause_s))
