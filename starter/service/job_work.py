"""The work on a job, by its rows: what `starter/jobs/` asks and tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from domain.access.keys import Grant
from domain.jobs.jobs import (
    NEEDS,
    OF_STAFF,
    FilePart,
    ItemFault,
    MakerMayNot,
    NewItem,
    OpenItem,
    ResultFile,
    Told,
)
from store.access import keys
from store.database import Connection, Pool
from store.jobs import jobs, work
from store.staff import people

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
        self, job: Standing, first: int, items: Sequence[NewItem], reached: Any, *, is_last: bool
    ) -> bool:
        """Give items rows, numbered from `first`, and remember the place behind them.

        False: nothing more is to be read, or another attempt has read on from where the job stood.
        """
        job_id = job.job_id
        async with self._pool.acquire() as conn, conn.transaction():
            now = await work.lock(conn, job_id)
            if now.has_ended or now.items_known or now.cancel_asked or now.reached != job.reached:
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

    async def tell(self, job_id: str, told: Sequence[Told]) -> int:
        """Tell what became of items, each once. Returns how many had not been told before."""
        async with self._pool.acquire() as conn, conn.transaction():
            await work.lock(conn, job_id)
            return await work.tell(conn, job_id, told)

    async def write(self, standing: Standing, part: FilePart, result: ResultFile) -> bool:
        """Write a part of its file. False: the job has ended.

        It is left out where another attempt has written it meanwhile, or a customer was erased
        whom it may name: then it is read anew. `result`: what the whole file is called.
        """
        job_id = standing.job_id
        async with self._pool.acquire() as conn, conn.transaction():
            now = await work.lock(conn, job_id)
            if now.has_ended:
                return False
            if now.cancel_asked:
                await work.end(conn, job_id, "cancelled")
                return False
            if (now.reached, now.erased) != (standing.reached, standing.erased):
                return True
            await work.write(conn, job_id, part)
            if part.is_last:
                await work.end(conn, job_id, "done", result=result)
            return not part.is_last

    async def finish(self, job_id: str) -> None:
        """It is done, without a file; or by another attempt before."""
        async with self._pool.acquire() as conn, conn.transaction():
            if not (await work.lock(conn, job_id)).has_ended:
                await work.end(conn, job_id, "done")

    async def fail(self, job: Standing, failure: ItemFault, code: str) -> bool:
        """It has failed, where it still stands so. False: it has ended.

        Another attempt may have come further: then this one had something stale before it.
        """
        async with self._pool.acquire() as conn, conn.transaction():
            now = await work.lock(conn, job.job_id)
            if now.has_ended:
                return False
            if (now.items_known, now.reached) != (job.items_known, job.reached):
                return True
            await work.end(conn, job.job_id, "failed", failure=failure, code=code)
            return False

    async def allowed(self, job: Standing) -> Standing:
        """The job, about what its maker may see now and might when it was made.

        Asked before each thing that is done, because rights are taken away to count at once.
        Raises MakerMayNot where they come in no more, or may not do this any more.
        """
        if job.maker.key_id is None:
            return job
        async with self._pool.acquire() as conn:
            grant, locations = await _rights_now(conn, job.maker.key_id)
        if grant is None or not NEEDS[job.kind] <= grant.scopes:
            raise MakerMayNot(
                f"{job.maker.by} may not do this any more, so what was left was not done"
            )
        return replace(job, maker=job.maker.within(grant, locations))

    async def stop(self, job_id: str, why: MakerMayNot) -> None:
        """Do nothing more of it: it has failed, where it has not ended.

        What an attempt has begun and not told may be done or not. Its item says that.
        """
        async with self._pool.acquire() as conn, conn.transaction():
            if (await work.lock(conn, job_id)).has_ended:
                return
            begun = await work.claim(conn, job_id, 0)
            await work.tell(conn, job_id, [unsure(item, why) for item in begun])
            failure = ItemFault(detail=str(why))
            await work.end(conn, job_id, "failed", failure=failure, code=why.kind)


def unsure(item: OpenItem, why: MakerMayNot) -> Told:
    """What is told of an item that has begun, and is not asked again."""
    detail = f"{why}; this one had begun, and may have been done"
    return Told(item.number, "refused", code=why.kind, detail=detail)


async def _rights_now(conn: Connection, key_id: str) -> tuple[Grant | None, tuple[str, ...] | None]:
    """What a maker of jobs may by now, and at which locations. None: they come in no more; all."""
    _, is_person, login = key_id.partition(OF_STAFF)
    if not is_person:
        key = await keys.get(conn, key_id)
        return key.grant() if key.state == "live" else None, None
    person = await people.get(conn, login)
    return person.grant() if person.state == "active" else None, person.locations
