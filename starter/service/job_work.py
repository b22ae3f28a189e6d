"""The work on a job, by its rows: what `starter/jobs/` asks and tells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from domain.jobs.jobs import FilePart, ItemFault, NewItem, OpenItem, ResultFile, State, Told
from store.database import Pool
from store.jobs import jobs, work

Standing: TypeAlias = work.Standing
"""A job as its work begins, or goes on."""


class JobWork:
    """Safe to be used by two attempts at once: what one has done, the other finds."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def begin(self, job_id: str) -> Standing:
        """waiting → running; and how it stands. Raises NotFound."""
        async with self._pool.acquire() as conn, conn.transaction():
            return await work.begin(conn, job_id)

    async def file(self, job_id: str) -> bytes:
        """The file that an import is made of; empty once all of it has rows."""
        parts: list[bytes] = []
        while True:
            async with self._pool.acquire() as conn:
                part = await jobs.part(conn, job_id, len(parts) + 1)
            if part is None:
                return b"".join(parts)
            parts.append(part)

    async def latest(self, job_id: str) -> int:
        """The number of the last item that has a row."""
        async with self._pool.acquire() as conn:
            return await work.latest(conn, job_id)

    async def found(
        self, job_id: str, first: int, items: Sequence[NewItem], reached: Any, *, is_last: bool
    ) -> bool:
        """Give items rows, numbered from `first`, and remember the place behind them.

        False: nothing more is to be read.
        """
        async with self._pool.acquire() as conn, conn.transaction():
            standing = await work.lock(conn, job_id)
            if standing.has_ended or standing.items_known or standing.cancel_asked:
                return False
            await work.add_items(conn, job_id, first, items)
            await work.reach(conn, job_id, reached)
            if is_last:
                await work.all_known(conn, job_id)
        return not is_last

    async def claim(self, job_id: str, at_most: int) -> Sequence[OpenItem] | None:
        """Items to be worked on. Empty: none is left. None: it has ended, by this or before.

        Where somebody wants it cancelled, the rest is skipped, and only what has begun is left.
        """
        async with self._pool.acquire() as conn, conn.transaction():
            standing = await work.lock(conn, job_id)
            if standing.has_ended:
                return None
            if standing.cancel_asked:
                await work.skip(conn, job_id)
            items = await work.claim(conn, job_id, at_most)
            if not items and standing.cancel_asked:
                await work.end(conn, job_id, "cancelled")
                return None
            return items

    async def tell(self, job_id: str, told: Sequence[Told]) -> None:
        """Tell what became of items, each once."""
        async with self._pool.acquire() as conn, conn.transaction():
            await work.lock(conn, job_id)
            await work.tell(conn, job_id, told)

    async def write(self, standing: Standing, part: FilePart, result: ResultFile) -> bool:
        """Write a part of its file, if nobody else has meanwhile. False: the job has ended.

        `result`: what the whole file is called.
        """
        job_id = standing.job_id
        async with self._pool.acquire() as conn, conn.transaction():
            now = await work.lock(conn, job_id)
            if now.has_ended:
                return False
            if now.cancel_asked:
                await work.end(conn, job_id, "cancelled")
                return False
            if now.reached != standing.reached:
                return True
            await work.write(conn, job_id, part)
            if part.is_last:
                await work.end(conn, job_id, "done", result=result)
            return not part.is_last

    async def end(self, job_id: str, state: State, failure: ItemFault | None = None) -> None:
        """It is done, or has failed."""
        async with self._pool.acquire() as conn, conn.transaction():
            await work.lock(conn, job_id)
            await work.end(conn, job_id, state, failure=failure)
