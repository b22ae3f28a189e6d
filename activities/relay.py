"""The relay of a worker: duties that run at intervals, and at once when they are called for.

It is part of every worker. The composition root hands in its list of duties. Most of them hand on
rows of the store: to a step that waits, or to a workflow that must be started. Several relays share
the work.
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
"""The rows that a duty takes at a time."""

RPC_TIMEOUT: Final = timedelta(seconds=10)
"""The time that one call to Temporal may take; the other duties wait for so long."""

PAUSE_AFTER_FAULT_S: Final = 1.0


@dataclass
class Duty:
    """A task that the relay repeats every `every` seconds, and when it is called for.

    `channel`: the database notification that calls for it at once. `beside`: it may
    take long, so the rest goes on meanwhile; it is not begun again before it has ended.
    """

    run: Callable[[], Awaitable[object]]
    every_s: float
    channel: str | None = None
    beside: bool = False
    due: float = -inf

    def called(self) -> None:
        """Do it in the next round."""
        self.due = -inf


class Relay:
    """Does its duties in their sequence, until it is cancelled."""

    def __init__(self, pool: Pool, duties: Sequence[Duty]) -> None:
        self._pool = pool
        self._duties = duties
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Do every duty when it is due. During a fault of the database, wait."""
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
                if conn.is_closed():
                    conn.terminate()  # the driver drops its listeners only so

        await conn.add_listener(channel, awaken)
        heard.push_async_callback(stop)

    async def _work_for_ever(self) -> None:
        for duty in self._duties:
            duty.called()  # Notifications were lost until now.
        async with AsyncExitStack() as ending:
            beside = [_Beside(duty) for duty in self._duties if duty.beside]
            for one in beside:
                ending.push_async_callback(one.stop)
            while True:
                await self._round(beside)

    async def _round(self, beside: Sequence[_Beside]) -> None:
        clock = asyncio.get_running_loop().time
        self._wake.clear()
        for one in beside:
            if clock() >= one.duty.due:
                one.duty.due = clock() + one.duty.every_s
                one.begin()
        for duty in self._duties:
            if not duty.beside and clock() >= duty.due:
                # Set before the duty runs, so that a call during it counts.
                duty.due = clock() + duty.every_s
                await duty.run()
        pause_s = min(duty.due for duty in self._duties) - clock()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), max(0, pause_s))


class _Beside:
    """A duty that runs beside the others, one run at a time."""

    def __init__(self, duty: Duty) -> None:
        self.duty = duty
        self._task: asyncio.Future[object] | None = None

    def begin(self) -> None:
        """Begin a run, unless one is under way. Raises what the last one ended with."""
        if self._task is not None:
            if not self._task.done():
                return
            self._task.result()
        self._task = asyncio.ensure_future(self.duty.run())

    async def stop(self) -> None:
        """End the run that is under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
