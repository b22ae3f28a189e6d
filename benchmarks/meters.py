"""CPU, memory and write-ahead log, read from the system and from PostgreSQL."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import psutil

from store.database import Pool

Groups = Mapping[str, Sequence[int]]
"""Who is measured → the process ids at the top of its process trees."""

_SAMPLE_S = 0.25


@dataclass(frozen=True)
class Reading:
    """What the meters stood at. CPU in seconds by group, WAL in bytes since the beginning.

    `generator` is a group too: this process, without the servers that are its children.
    """

    cpu_s: dict[str, float]
    wal_bytes: int


async def read(groups: Groups, pool: Pool | None) -> Reading:
    """Read all meters."""
    wal_bytes = 0
    if pool is not None:
        async with pool.acquire() as conn:
            wal_bytes = int(
                await conn.fetchval("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')")
            )
    return Reading(
        cpu_s={
            **{name: sum(map(_cpu_s, pids)) for name, pids in groups.items()},
            "generator": time.process_time(),
        },
        wal_bytes=wal_bytes,
    )


@dataclass
class Peak:
    """The most memory that each group was seen with, in bytes."""

    memory: dict[str, int] = field(default_factory=dict)

    def look(self, groups: Groups) -> None:
        """Look once more."""
        for name, pids in groups.items():
            now = sum(map(_memory, pids))
            self.memory[name] = max(now, self.memory.get(name, 0))


@asynccontextmanager
async def watching_memory(groups: Groups) -> AsyncIterator[Peak]:
    """Look four times a second, until the block ends."""
    peak = Peak()

    async def watch() -> None:
        while True:
            peak.look(groups)
            await asyncio.sleep(_SAMPLE_S)

    watcher = asyncio.create_task(watch())
    try:
        yield peak
    finally:
        watcher.cancel()
        with suppress(asyncio.CancelledError):
            await watcher


def _cpu_s(pid: int) -> float:
    """Of the process, of its living children, and of those that it has seen off."""
    try:
        process = psutil.Process(pid)
        own = process.cpu_times()
        total = own.user + own.system + own.children_user + own.children_system
        for child in process.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                times = child.cpu_times()
                total += times.user + times.system
    except psutil.NoSuchProcess:
        return 0.0
    return total


def _memory(pid: int) -> int:
    """Resident bytes of the process tree; what its processes share is counted once."""
    alone, shared = 0, 0
    try:
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                memory = one.memory_info()
                common = getattr(memory, "shared", 0)  # Linux alone tells
                alone += memory.rss - common
                shared = max(shared, common)
    except psutil.NoSuchProcess:
        return 0
    return alone + shared
