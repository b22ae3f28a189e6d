"""Keeps long work: files that are taken in or written, and many things that are asked for at once.

A job is a row from here on, whatever becomes of the program that made it. A worker's relay starts
its workflow, and `orderloom serve` does the work.
"""

from __future__ import annotations

import builtins
import secrets
from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from typing import Any, Final

from domain.errors import Conflict, IllegalTransition, NotFound
from domain.fields import Document
from domain.jobs.jobs import (
    ID_LENGTH,
    ID_LETTERS,
    KINDS,
    Job,
    JobItem,
    Kind,
    Maker,
    State,
)
from domain.jobs.options import items_named
from store.database import Pool
from store.jobs import jobs, work

FILE_BYTES_MAX: Final = 64 * 2**20
"""The largest file of an import. It is read at once."""


class Jobs:
    """Jobs: made, listed, read and cancelled."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @staticmethod
    def new_id() -> str:
        """An id for a job that is to be made. Nobody guesses those of others."""
        return "job_" + "".join(secrets.choice(ID_LETTERS) for _ in range(ID_LENGTH))

    async def make(
        self,
        job_id: str,
        kind: Kind,
        options: Document,
        maker: Maker,
        *,
        data: bytes = b"",
    ) -> Job:
        """Write a job down, to be begun by a worker. One of this id is answered as it is.

        `data`: the file of an import. Raises Refused where its key has too many open jobs, and
        Conflict where somebody else has the id, or it is of another kind.
        """
        shown: dict[str, Any] = options.model_dump(
            mode="json", exclude={"order_ids", "answers"}, exclude_none=True, by_alias=True
        )
        items = items_named(options)
        async with self._pool.acquire() as conn, conn.transaction():
            if not await jobs.make(conn, job_id, kind, shown, maker):
                made = await jobs.get(conn, job_id)
                if (made.kind, made.made_by) != (kind, maker.by):
                    raise Conflict(f"{job_id} is another job")
                return made
            if data:
                await work.put_in(conn, job_id, data)
            if items is not None:
                await work.add_items(conn, job_id, 1, items)
                await work.all_known(conn, job_id)
            return await jobs.get(conn, job_id)

    async def get(self, job_id: str) -> Job:
        """How a job stands. Raises NotFound."""
        async with self._pool.acquire() as conn:
            return await jobs.get(conn, job_id)

    async def list(
        self,
        *,
        kinds: Collection[Kind] = KINDS,
        kind: Kind | None = None,
        state: State | None = None,
        channels: Collection[str] | None = None,
        sellers: Collection[str] | None = None,
        locations: Collection[str] | None = None,
        after: tuple[datetime, str] | None = None,
        at_most: int = 100,
    ) -> Sequence[Job]:
        """Jobs, newest first: of some kinds, and of those who see no more than these.

        `after`: a page behind the job that was made then and has this id.
        """
        async with self._pool.acquire() as conn:
            return await jobs.listed(
                conn,
                kinds=kinds,
                kind=kind,
                state=state,
                channels=channels,
                sellers=sellers,
                locations=locations,
                after=after,
                at_most=at_most,
            )

    async def items(
        self, job_id: str, *, outcome: str | None = None, after: int = 0, at_most: int = 100
    ) -> builtins.list[JobItem]:
        """What became of each item, by their numbers, behind the number `after`."""
        async with self._pool.acquire() as conn:
            return await jobs.items(conn, job_id, outcome=outcome, after=after, at_most=at_most)

    async def result(self, job_id: str) -> tuple[Job, AsyncIterator[bytes]]:
        """The file that a job has written, part by part. Raises NotFound where there is none."""
        job = await self.get(job_id)
        if job.result is None:
            why = "it has not ended" if not job.has_ended else "it has none, or it is gone"
            raise NotFound(
                f"there is no file of {job_id}: {why}. A file goes with the job, and when a "
                "customer of its orders is erased"
            )
        return job, self._parts(job_id, job.result.bytes)

    async def _parts(self, job_id: str, size: int) -> AsyncIterator[bytes]:
        """Raises NotFound where the file goes while it is read: nobody takes a half for all."""
        number = read = 0
        while read < size:
            number += 1
            async with self._pool.acquire() as conn:
                part = await jobs.part(conn, job_id, number)
            if part is None:
                raise NotFound(f"the file of {job_id} has just gone: what was read is not whole")
            read += len(part)
            yield part

    async def cancel(self, job_id: str) -> Job:
        """Skip what has not begun. What has begun is finished, and then the job is cancelled.

        Raises NotFound, and IllegalTransition for one that has ended in another way.
        """
        async with self._pool.acquire() as conn, conn.transaction():
            standing = await work.lock(conn, job_id)
            if standing.state in ("done", "failed"):
                raise IllegalTransition(f"{job_id} is {standing.state}: nothing is left to cancel")
            if standing.state == "waiting":
                await work.skip(conn, job_id)
                await work.end(conn, job_id, "cancelled")
            await jobs.ask_to_cancel(conn, job_id)
            return await jobs.get(conn, job_id)
