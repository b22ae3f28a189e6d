"""Parcels at the dock that nobody announced."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field
from starlette.responses import Response

from domain.aftersales.return_counts import FoundGoods
from domain.fields import Document, Flag, Id, Reason
from domain.orders.order import LINES_MAX
from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.once import Keyed
from starter.http.reading import StrictRoute
from starter.http.reports import Report
from starter.service.service import Records
from store.aftersales.unannounced import Unannounced

router = APIRouter(prefix="/v1/unannounced-parcels", tags=["warehouse"], route_class=StrictRoute)

_LARGEST = 2**63 - 1
ParcelNo = Annotated[int, Path(ge=1, le=_LARGEST, examples=[17])]


class ParcelFound(Report):
    """What is in the parcel, and where it lies. `order_id`: left out: nobody knows whose it is."""

    location: Id
    units: Annotated[tuple[FoundGoods, ...], Field(min_length=1, max_length=LINES_MAX)]
    order_id: Annotated[str, Field(max_length=300)] | None = None


class Taking(Report):
    """`order_id`: whose it is; left out: as it was told. `late`: also after the return window."""

    order_id: Annotated[str, Field(max_length=300)] | None = None
    late: Flag = False


class Settled(Document):
    """What became of it."""

    note: Reason


@router.post(
    "",
    operation_id="receiveUnannouncedParcel",
    summary="Write down a parcel that no return announced",
    response_model=Unannounced,
)
async def receive(
    content: Annotated[
        ParcelFound,
        example(
            {
                "location": "main",
                "units": [{"sku": "TEA", "quantity": 1, "condition": "opened"}],
                "order_id": "web-1001",
                "by": "anna",
            }
        ),
    ],
    caller: Annotated[Caller, may("warehouse:write")],
    once: Keyed,
) -> Response:
    """It waits for a person, or for `takeUnannouncedParcel`, which makes a return of it."""
    if content.order_id is not None:
        await caller.check_order(content.order_id)

    async def work(here: Records) -> Unannounced:
        return await here.unannounced.receive(
            uuid.uuid4().hex,
            content.units,
            location=content.location,
            order_id=content.order_id,
            who=caller.who(content.by),
        )

    return await once.in_database(work)


@router.get("", operation_id="listUnannouncedParcels", summary="List parcels that nobody announced")
async def list_parcels(
    caller: Annotated[Caller, may("operations:read")],
    open_only: Annotated[bool, Query(alias="open")] = True,
    limit: Annotated[int, Query(ge=1, le=100)] = 100,
) -> list[Unannounced]:
    """The newest first. With `open`, those that are still to be dealt with."""
    return list(await caller.here.unannounced.list(open_only=open_only, at_most=limit))


@router.post(
    "/{parcel_no}/take",
    operation_id="takeUnannouncedParcel",
    summary="Make a return of a parcel at the dock",
    response_model=Unannounced,
)
async def take(
    parcel_no: ParcelNo,
    content: Annotated[Taking, example({"order_id": "web-1001", "by": "anna"})],
    caller: Annotated[Caller, may("operations:write")],
    once: Keyed,
) -> Response:
    """By the rules of returns: approved and counted by itself, refused, or a person decides."""

    async def work() -> Unannounced:
        return await caller.here.unannounced.take(
            parcel_no, content.order_id, late=content.late, who=caller.who(content.by)
        )

    return await once.safe_to_repeat(work)


@router.post(
    "/{parcel_no}/settle",
    operation_id="settleUnannouncedParcel",
    summary="Say that a parcel at the dock was dealt with",
    status_code=204,
)
async def settle(
    parcel_no: ParcelNo,
    content: Annotated[Settled, example({"note": "sent back to the customer"})],
    caller: Annotated[Caller, may("operations:write")],
    once: Keyed,
) -> Response:
    """Nothing is paid back for it."""
    return await once.in_database(lambda here: here.unannounced.settle(parcel_no, content.note))
