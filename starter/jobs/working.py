"""A turn of work on a job: the activity that a job's workflow asks for.

It lives in `orderloom serve`, where the doors are that place and cancel orders. It has no rule of
its own: what it asks and tells are rows.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from itertools import islice
from typing import Final

from temporalio import activity

from domain.errors import InvalidInput, NotFound, OrderloomError, Unreachable
from domain.jobs.jobs import (
    ItemFault,
    MakerMayNot,
    NewItem,
    OpenItem,
    Told,
    WorkedOnJob,
    WorkOnJob,
)
from domain.jobs.options import PRINTED_MAX
from domain.views.order_filters import OrderFilters
from starter.jobs.exports import EXPORTS, export_of, order_ids
from starter.jobs.items import AT_ONCE, DO, TOGETHER
from starter.jobs.papers import PRINTS, drawn, result
from starter.jobs.reading import items_of
from starter.service.job_work import Standing, unsure
from starter.service.service import Service

logger = logging.getLogger("orderloom.jobs")

TURN_S: Final = 30.0
"""A turn begins nothing more after so many seconds."""

HEARTBEAT_S: Final = 2.0
ITEMS_A_ROUND: Final = 16
ITEMS_TOGETHER: Final = 200
READ_TOGETHER: Final = 500

TRIES_MAX: Final = 3
"""A server that is away is waited for, however long. One order that does not answer is not."""

ROUND_TRIES_MAX: Final = 10
"""A whole job is given up later: a server that comes back can break several connections."""

AGAIN_AFTER_S: Final = 1.0
ITEM_SECONDS_MAX: Final = 40.0
"""One try of an item. All of its tries fit into `workflows.engine.timeouts.JOB_TURN`."""

DEFECT: Final = "this is a fault of Orderloom: the log of `orderloom serve` says more"


class JobActivities:
    """Work on jobs, by the doors."""

    def __init__(self, here: Service) -> None:
        self._here = here

    @activity.defn
    async def work_on_job(self, ask: WorkOnJob) -> WorkedOnJob:
        """Do some of a job, and tell whether more is left."""
        clock = asyncio.get_running_loop().time
        until = clock() + TURN_S
        async with _heard_of():
            try:
                while await self._insist(ask.job_id):
                    if clock() > until:
                        return WorkedOnJob(more=True)
            except NotFound as error:
                # It was forgotten, or never made: there is nothing to do.
                logger.warning("%s", error)
            except Unreachable:
                # What the database says can quote a row, and Temporal is no place for that.
                raise Unreachable("a server does not answer") from None
        return WorkedOnJob(more=False)

    async def _insist(self, job_id: str) -> bool:
        """A piece of work, tried again. False: the job has ended, also because no try helped.

        Raises Unreachable while a server is away, and NotFound.
        """
        work = self._here.job_work
        for _ in range(ROUND_TRIES_MAX):
            try:
                return await self._round(job_id)
            except Unreachable as error:
                await self._check_servers()
                _log(job_id, error.__cause__ or error)
            except OrderloomError:
                raise
            except Exception as defect:  # noqa: BLE001 - it is tried again, and then told in the job
                _log(job_id, defect)
            await asyncio.sleep(AGAIN_AFTER_S)
        return await work.fail(await work.begin(job_id), ItemFault(detail=DEFECT), "defect")

    async def _round(self, job_id: str) -> bool:
        """A piece of work. False: the job has ended."""
        work = self._here.job_work
        job = await work.begin(job_id)
        if job.has_ended:
            return False
        try:
            job = await work.allowed(job)
            if job.kind in EXPORTS:
                export = export_of(job)
                part = await export.part(self._here, job)
                return await work.write(job, part, export.result(job))
            if not job.items_known and not job.cancel_asked:
                await self._read(job)
                return True
            return await self._do_some(job)
        except Unreachable:
            raise
        except MakerMayNot as no:
            await work.stop(job_id, no)
            return False
        except OrderloomError as error:
            return await work.fail(job, ItemFault(detail=str(error)), error.kind)

    async def _read(self, job: Standing) -> None:
        """Give every item its row. Another attempt goes on behind the last one."""
        work, number = self._here.job_work, await self._here.job_work.latest(job.job_id)
        if "where" in job.options:
            await self._resolve(job, number)
            return
        rest = items_of(job.kind, await work.file(job.job_id), job.options)
        await asyncio.to_thread(_pass_over, rest, number)
        goes_on = True
        while goes_on:
            some = await asyncio.to_thread(_some, rest)
            is_last = len(some) < READ_TOGETHER
            goes_on = await work.found(job, number + 1, some, job.reached, is_last=is_last)
            number += len(some)

    async def _resolve(self, job: Standing, number: int) -> None:
        """Find a page of the orders that the job is about, as they are when it begins."""
        filters = OrderFilters.model_validate(job.options["where"])
        page = await order_ids(self._here, job, filters, READ_TOGETHER)
        if job.kind in PRINTS and number + len(page.order_ids) > PRINTED_MAX:
            raise InvalidInput(
                f"these are more than {PRINTED_MAX} orders: print fewer", where="where"
            )
        items = [NewItem(content={}, reference=one) for one in page.order_ids]
        await self._here.job_work.found(job, number + 1, items, page.reached, is_last=page.is_last)

    async def _do_some(self, job: Standing) -> bool:
        """Do some items. False: none is left, and the job has ended."""
        work = self._here.job_work
        together = TOGETHER.get(job.kind)
        items = await work.claim(job.job_id, ITEMS_TOGETHER if together else ITEMS_A_ROUND)
        if items is None:
            return False
        if not items:
            part = await drawn(self._here, job) if job.kind in PRINTS else None
            if part is None:
                await work.finish(job.job_id)
                return False
            return await work.write(job, part, result(job))
        if together is not None:
            # Where one of them is wrong, each alone says which.
            with suppress(Exception):
                async with asyncio.timeout(ITEM_SECONDS_MAX):
                    await together(self._here, job, items)
                    return True
        await self._do(job, items)
        return True

    async def _do(self, job: Standing, items: Sequence[OpenItem]) -> None:
        """Do these, and tell what became of each, also where one of them cannot be done now."""
        slots = asyncio.Semaphore(AT_ONCE.get(job.kind, 1))
        # One after the other: of two that are about one order, the first in the file begins first.
        asking = asyncio.Lock()

        async def allowed() -> Standing:
            async with asking:
                return await self._here.job_work.allowed(job)

        async def one(item: OpenItem) -> Told:
            async with slots:
                told = await self._one(job, item, allowed)
            if told.outcome == "refused":
                # It may have taken long. An attempt that ends in the middle leaves it behind.
                await self._here.job_work.tell(job.job_id, [told])
            return told

        outcomes = await asyncio.gather(*(one(item) for item in items), return_exceptions=True)
        told = [outcome for outcome in outcomes if isinstance(outcome, Told)]
        if told:
            await self._here.job_work.tell(job.job_id, told)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    async def _one(
        self, job: Standing, item: OpenItem, allowed: Callable[[], Awaitable[Standing]]
    ) -> Told:
        """Do one item. Raises Unreachable while a server is away."""
        silence = Unreachable("it does not answer in time")
        for _ in range(TRIES_MAX):
            try:
                async with asyncio.timeout(ITEM_SECONDS_MAX):
                    return await DO[job.kind](self._here, await allowed(), item)
            except TimeoutError:
                pass
            except Unreachable as error:
                silence = error
            except MakerMayNot as no:
                # The next round ends the job.
                return unsure(item, no) if item.again else Told(item.number, "skipped")
            except OrderloomError as error:
                return _refused(item, error)
            except Exception as defect:  # noqa: BLE001 - one item's defect does not stop the others
                _log(job.job_id, defect)
                return Told(item.number, "refused", code="defect", detail=DEFECT)
            await self._check_servers()
            await asyncio.sleep(AGAIN_AFTER_S)
            item = replace(item, again=True)
        return _refused(item, silence)

    async def _check_servers(self) -> None:
        """Raises Unreachable while a server is away: then there is nothing else to be blamed."""
        await self._here.check_schema()
        await self._here.check_temporal()


def _refused(item: OpenItem, error: OrderloomError) -> Told:
    field = error.where or "" if isinstance(error, InvalidInput) else ""
    detail = str(error).removeprefix(f"{field}: ") if field else str(error)
    fault = ItemFault(line=item.line, field=field, detail=detail)
    return Told(
        item.number,
        "refused",
        code=error.kind,
        detail=str(error),
        faults=(fault,) if item.line is not None or field else (),
    )


def _pass_over(rest: Iterator[NewItem], count: int) -> None:
    for _ in islice(rest, count):
        pass


def _some(rest: Iterator[NewItem]) -> list[NewItem]:
    return list(islice(rest, READ_TOGETHER))


def _log(job_id: str, defect: BaseException) -> None:
    # Its message may quote what a customer wrote: the log gets its type and its place.
    where = "".join(traceback.format_tb(defect.__traceback__))
    logger.error("%s has a defect: %s\n%s", job_id, type(defect).__name__, where)


@asynccontextmanager
async def _heard_of() -> AsyncIterator[None]:
    """Inside, the server hears every few seconds that this attempt lives."""

    async def tell() -> None:
        while True:
            activity.heartbeat()
            await asyncio.sleep(HEARTBEAT_S)

    telling = asyncio.create_task(tell())
    try:
        yield
    finally:
        telling.cancel()
        with suppress(asyncio.CancelledError):
            await telling
