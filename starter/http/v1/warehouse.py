"""The tasks of a warehouse, and what it reports: what it picks, packs, sends and gets back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from domain.fields import Instant, LineId, Reason
from domain.orders.order import LINES_MAX
from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.once import Keyed
from starter.http.paging import Page, Paged
from starter.http.reading import StrictRoute
from starter.http.reports import AtLocation, NoneOrMore, PartId, Report
from starter.service.service import Records
from store.views.warehouse_tasks import Task, TaskKind

router = APIRouter(prefix="/v1", tags=["warehouse"], route_class=StrictRoute)

Reads = Annotated[Caller, may("warehouse:read")]
Writes = Annotated[Caller, may("warehouse:write")]


class Pick(Report):
    """The units that were found (line id → number); left out: all that were asked for.

    A line that is not named was not found at all.
    """

    counted: Annotated[dict[LineId, NoneOrMore] | None, Field(max_length=LINES_MAX)] = None


class Picked(BaseModel):
    """Line id → units that were found, and units that were not."""

    model_config = ConfigDict(frozen=True)

    picked: dict[str, int]
    missing: dict[str, int]


class FulfilmentRefusal(Report):
    """Why the location does not send it."""

    reason: Reason


class Packed(Report):
    """Who has packed it."""


class HandOver(Report):
    """When the carrier took it; left out: now."""

    at: Instant | None = None


class Collected(Report):
    """The customer's code, and when the goods were taken; left out: now."""

    code: Annotated[str, Field(min_length=1, max_length=40)]
    at: Instant | None = None


@router.get(
    "/warehouse-tasks",
    operation_id="listWarehouseTasks",
    summary="List what warehouses are asked to do, the oldest first",
)
async def list_tasks(
    caller: Reads,
    paged: Paged,
    task: TaskKind | None = None,
    order_id: Annotated[str | None, Query(max_length=200)] = None,
    location: AtLocation = None,
) -> Page[Task]:
    """For orders of the key's channels and sellers. A task is gone when it is reported as done."""
    asked: dict[str, Any] = {
        "task": task,
        "order_id": order_id,
        "location": location,
        "channels": caller.channels,
        "sellers": caller.sellers,
    }
    place = paged.after(asked)
    after = None if place is None else (datetime.fromisoformat(place[0]), str(place[1]))
    found = await caller.here.warehouse.tasks(**asked, after=after, at_most=paged.at_most)
    return paged.page(
        asked,
        found,
        place=lambda one: (one.since.isoformat(), one.part_id),
        show=lambda one: one,
    )


@router.post(
    "/fulfilments/{fulfilment_id}/pick",
    operation_id="pickFulfilment",
    summary="Report a pick",
    response_model=Picked,
)
async def pick(
    fulfilment_id: PartId,
    content: Annotated[Pick, example({"counted": {"1": 2}, "by": "anna"})],
    caller: Writes,
    once: Keyed,
) -> Response:
    """Units that were not found are taken off the stock, and sourced from elsewhere."""
    await caller.check_part(fulfilment_id)

    async def work(here: Records) -> Picked:
        who = caller.who(content.by)
        return Picked(**await here.warehouse.pick(fulfilment_id, content.counted, who=who))

    return await once.in_database(work)


@router.post(
    "/fulfilments/{fulfilment_id}/refuse",
    operation_id="refuseFulfilment",
    summary="Report that a location will not send what is to be picked there",
    response_model=Picked,
)
async def refuse(
    fulfilment_id: PartId,
    content: Annotated[FulfilmentRefusal, example({"reason": "no room at the dock today"})],
    caller: Writes,
    once: Keyed,
) -> Response:
    """The stock stays where it is, and its units are sourced from elsewhere."""
    await caller.check_part(fulfilment_id)

    async def work(here: Records) -> Picked:
        told = await here.warehouse.refuse(
            fulfilment_id, content.reason, who=caller.who(content.by)
        )
        return Picked(picked=told["picked"], missing=told["missing"])

    return await once.in_database(work)


@router.post(
    "/fulfilments/{fulfilment_id}/pack",
    operation_id="packFulfilment",
    summary="Report that a parcel is closed",
    status_code=204,
)
async def pack(
    fulfilment_id: PartId,
    content: Annotated[Packed, example({"by": "anna"})],
    caller: Writes,
    once: Keyed,
) -> Response:
    """Its label is bought then."""
    await caller.check_part(fulfilment_id)
    return await once.in_database(
        lambda here: here.warehouse.pack(fulfilment_id, who=caller.who(content.by))
    )


@router.post(
    "/fulfilments/{fulfilment_id}/hand-over",
    operation_id="handOverFulfilment",
    summary="Report that the carrier, or the customer, has it",
    status_code=204,
)
async def hand_over(
    fulfilment_id: PartId,
    content: Annotated[HandOver, example({"at": "2026-11-28T16:00:00+01:00", "by": "anna"})],
    caller: Writes,
    once: Keyed,
) -> Response:
    """From then on its units can only be returned. A label that is being bought is waited for."""
    await caller.check_part(fulfilment_id)
    return await once.in_database(
        lambda here: here.warehouse.hand_over(
            fulfilment_id, at=content.at, who=caller.who(content.by)
        )
    )


@router.post(
    "/fulfilments/{fulfilment_id}/collect",
    operation_id="collectFulfilment",
    summary="Report that the customer has collected goods that lay ready",
    status_code=204,
)
async def collect(
    fulfilment_id: PartId,
    content: Annotated[Collected, example({"code": "7KQ4MXN", "by": "anna"})],
    caller: Writes,
    once: Keyed,
) -> Response:
    """With the customer's code. After five wrong ones in a row none is looked at for 15 minutes."""
    await caller.check_part(fulfilment_id)
    # Beside the transaction of the key, which a refusal would undo: wrong codes are counted.
    await caller.here.warehouse.try_code(fulfilment_id, content.code)
    return await once.in_database(
        lambda here: here.warehouse.collect(
            fulfilment_id, content.code, at=content.at, who=caller.who(content.by)
        )
    )
