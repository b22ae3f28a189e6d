"""Plays the warehouse, the carriers, the returns desk and suppliers, through their doors.

    report = await simulate(Records(pool), SimulateOptions(speed=10_000, until_idle=True), stop)

What happens, and when, is `starter.simulation.outcomes`'s to say: it follows from the part's id and
from when its task began. So a simulation that is started again goes on with the same story, and
what it had reported already is not reported a second time: a fact told twice is one.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from domain.errors import Refused, Unreachable
from starter.service.service import Records
from starter.simulation import outcomes
from starter.simulation.outcomes import Fate, Scan, SimulateOptions
from starter.simulation.supply import Delivery, deliveries
from store.database import DatabaseFault
from store.purchasing.purchase_reads import PurchaseOrder
from store.views.parcels import ParcelUnderWay
from store.views.warehouse_tasks import Task

__all__ = ["SimulateOptions", "SimulationReport", "Simulator", "simulate"]

logger = logging.getLogger(__name__)

Step = Literal["pick", "put-back", "pack", "handover", "carry", "receive-return", "supply"]

Holds = Callable[[Step, str], bool]
"""Whether a step of this fulfilment, return, purchase order, or order bought for, must wait."""

Told = Callable[["SimulationReport"], None]
_Act = Callable[[Task], Awaitable[None]]

_POLL_S: Final = 0.25
_AT_MOST: Final = 10_000
_WHO: Final = "warehouse (simulated)"
_SENT: Final = ("sent", "acknowledged", "shipped", "partly_received")
_SUPPLIED: Final = {
    "acknowledge": "orders_acknowledged",
    "refuse": "orders_refused",
    "ship": "dispatches",
    "receive": "receipts",
}
_ENDS: Final = {"delivered": "delivered", "failure": "lost", "return_to_sender": "undeliverable"}


class SimulationReport(BaseModel):
    """The reports that were made. `refused`: reports that were refused, each task once."""

    model_config = ConfigDict(frozen=True)

    picked: int = 0
    short_picks: int = 0
    put_back: int = 0
    packed: int = 0
    handed_over: int = 0
    scans: int = 0
    repeated_scans: int = 0
    late_scans: int = 0
    delivered: int = 0
    lost: int = 0
    undeliverable: int = 0
    returns_received: int = 0
    units_missing: int = 0
    units_scrapped: int = 0
    orders_acknowledged: int = 0
    orders_refused: int = 0
    dispatches: int = 0
    receipts: int = 0
    units_received: int = 0
    refused: int = 0


@dataclass(frozen=True)
class _Job:
    """Something to report. A job that must wait has no time."""

    name: tuple[Step, str]
    due: datetime | None
    act: Callable[[], Awaitable[None]]


async def simulate(
    records: Records,
    options: SimulateOptions,
    stop: asyncio.Event,
    *,
    holds: Holds = lambda _, __: False,
    told: Told = lambda _: None,
) -> SimulationReport:
    """Play until `stop` is set, or as the options say. A database that is away is waited for."""
    return await Simulator(records, options, holds=holds, told=told).run(stop)


class Simulator:
    """The people and companies around one shop. `simulate` runs one."""

    def __init__(
        self, records: Records, options: SimulateOptions, *, holds: Holds, told: Told
    ) -> None:
        self._records = records
        self._options = options
        self._fate = Fate(options)
        self._holds = holds
        self._told = told
        self._done: Counter[str] = Counter()
        self._few_at_once = asyncio.Semaphore(options.at_once)
        # By parcel under way: its carrier's scans, and the number of them that were sent.
        self._journeys: dict[str, tuple[Scan, ...]] = {}
        self._scans_sent: dict[str, int] = {}
        # Jobs that the desk refused at the last try. They are tried again, and keep nobody busy.
        self._refused: set[tuple[Step, str]] = set()
        # By open purchase order: the reports that were made.
        self._reported: dict[str, set[str]] = {}

    @property
    def report(self) -> SimulationReport:
        """The reports that were made so far."""
        return SimulationReport(**self._done)

    async def run(self, stop: asyncio.Event) -> SimulationReport:
        """Do the jobs that are due, repeatedly."""
        clock = asyncio.get_running_loop()
        busy_at = clock.time()
        while not stop.is_set():
            before = self.report
            try:
                jobs = await self._jobs()
            except (Unreachable, *DatabaseFault) as fault:
                # No answer does not mean that there is nothing to do.
                logger.warning("the database does not answer: %s", fault)
                busy_at = clock.time()
            else:
                now = datetime.now(UTC)
                due = [job for job in jobs if job.due is not None and job.due <= now]
                await asyncio.gather(*(self._do(job) for job in due))
                if any(job.name not in self._refused for job in jobs):
                    busy_at = clock.time()
            if self.report != before:
                self._told(self.report)
            idle_s = clock.time() - busy_at
            if self._options.until_idle and idle_s >= self._options.idle_after.total_seconds():
                break
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _POLL_S)
        return self.report

    async def _jobs(self) -> list[_Job]:
        """All jobs, due or not."""
        jobs, desk = [], self._records.warehouse
        acts: dict[outcomes.Task, _Act] = {
            "pick": self._pick,
            "put-back": partial(self._report, desk.put_back, "put_back"),
            "pack": partial(self._report, desk.pack, "packed"),
            "handover": partial(self._report, desk.hand_over, "handed_over"),
            "receive-return": self._receive_return,
        }
        for step, act in acts.items():
            for task in await self._records.warehouse.tasks(task=step, at_most=_AT_MOST):
                due = self._fate.due(step, task.part_id, task.since)
                jobs.append(self._job(step, task.part_id, due, partial(act, task)))
        parcels = await self._records.carriers.under_way(at_most=_AT_MOST)
        self._follow(parcels)
        for parcel in parcels:
            fulfilment_id = parcel.fulfilment_id
            left = self._journeys[fulfilment_id][self._scans_sent[fulfilment_id] :]
            if left:
                due = parcel.handed_over_at + left[0].after
                jobs.append(self._job("carry", fulfilment_id, due, partial(self._carry, parcel)))
        orders = await self._records.purchasing.orders(only_open=True, at_most=_AT_MOST)
        self._reported = {one.po_id: self._reported.get(one.po_id, set()) for one in orders}
        for order in orders:
            if order.state in _SENT and order.outstanding:
                jobs += self._supplies(order)
        return jobs

    def _supplies(self, order: PurchaseOrder) -> list[_Job]:
        """The next report about a purchase order, if there is one."""
        said = self._reported[order.po_id]
        left = [one for one in deliveries(order, self._options) if one.key not in said]
        whose = order.order_id or order.po_id
        return [
            self._job("supply", whose, one.due, partial(self._supply, order.po_id, one))
            for one in left[:1]
        ]

    def _job(
        self, step: Step, part_id: str, due: datetime, act: Callable[[], Awaitable[None]]
    ) -> _Job:
        return _Job((step, part_id), None if self._holds(step, part_id) else due, act)

    def _follow(self, parcels: Sequence[ParcelUnderWay]) -> None:
        """Remember the parcels that are under way, and forget the others."""
        on_their_way = [parcel.fulfilment_id for parcel in parcels]
        self._journeys = {
            part_id: self._journeys.get(part_id) or self._fate.journey(part_id)
            for part_id in on_their_way
        }
        self._scans_sent = {part_id: self._scans_sent.get(part_id, 0) for part_id in on_their_way}

    async def _do(self, job: _Job) -> None:
        async with self._few_at_once:
            try:
                await job.act()
                self._refused.discard(job.name)
            except Refused as refusal:
                # Recalled a moment ago, or somebody else has reported it.
                if job.name not in self._refused:
                    self._refused.add(job.name)
                    self._done["refused"] += 1
                    logger.info("refused: %s", refusal)
            except (Unreachable, *DatabaseFault) as fault:
                logger.warning("perhaps not reported, so it will be again: %s", fault)

    async def _pick(self, task: Task) -> None:
        units = {line.line_id: line.quantity for line in task.lines}
        found = self._fate.found(task.part_id, units)
        await self._records.warehouse.pick(task.part_id, found, who=_WHO)
        self._done.update(picked=1, short_picks=int(found != units))

    async def _report(self, say: Callable[..., Awaitable[None]], counted: str, task: Task) -> None:
        await say(task.part_id, who=_WHO)
        self._done.update({counted: 1})

    async def _receive_return(self, task: Task) -> None:
        units = {line.line_id: line.quantity for line in task.lines}
        counted = self._fate.came_back(task.part_id, units)
        await self._records.warehouse.receive_return(task.part_id, counted, who=_WHO)
        self._done.update(
            returns_received=1,
            units_missing=sum(units[k] - count.received for k, count in counted.items()),
            units_scrapped=sum(count.scrapped for count in counted.values()),
        )

    async def _supply(self, po_id: str, one: Delivery) -> None:
        """Play the supplier, or the dock where its goods arrive."""
        buying, supplier = self._records.purchasing, "supplier (simulated)"
        try:
            for _ in range(one.times):
                match one.what:
                    case "acknowledge":
                        await buying.acknowledge(po_id, one.key, one.answer, who=supplier)
                    case "refuse":
                        await buying.refuse(po_id, "cannot serve it", who=supplier)
                    case "ship":
                        await buying.ship(po_id, one.key, one.units, who=supplier)
                    case "receive":
                        await buying.receive(po_id, one.key, one.units, who=_WHO)
        except Refused:
            self._reported[po_id].add(one.key)
            raise
        self._reported[po_id].add(one.key)
        self._done[_SUPPLIED[one.what]] += 1
        if one.what == "receive":
            self._done["units_received"] += sum(one.units.values())

    async def _carry(self, parcel: ParcelUnderWay) -> None:
        """Send the scans that are due.

        A late simulation sends a scan when it gets to it: events after a delivery count from then.
        """
        fulfilment_id, now = parcel.fulfilment_id, datetime.now(UTC)
        journey = self._journeys[fulfilment_id]
        for number in range(self._scans_sent[fulfilment_id], len(journey)):
            scan = journey[number]
            due = parcel.handed_over_at + scan.after
            if due > now:
                break
            for _ in range(scan.times):
                await self._send(parcel, scan, due if scan.late else now)
            self._scans_sent[fulfilment_id] = number + 1

    async def _send(self, parcel: ParcelUnderWay, scan: Scan, happened_at: datetime) -> None:
        heard = await self._records.carriers.event(
            carrier=parcel.carrier,
            tracking_number=parcel.tracking_number,
            event_id=scan.event_id,
            status=scan.status,
            happened_at=happened_at,
        )
        if heard == "repeat":
            self._done.update(repeated_scans=1)
            return
        self._done.update(scans=1, late_scans=int(scan.late))
        if scan.status in _ENDS:
            self._done.update({_ENDS[scan.status]: 1})
