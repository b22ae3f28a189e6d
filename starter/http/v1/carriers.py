"""What carriers say about parcels, and the parcels that they have."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from domain.errors import NotFound
from domain.fields import Document, Instant, Note, Printable, Reason
from domain.fulfilment.tracking import CarrierStatus, Heard
from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.once import Keyed
from starter.http.paging import Page, Paged
from starter.http.reading import StrictRoute
from starter.service.service import Records
from store.views.parcels import ParcelUnderWay
from store.warehouse.carrier_messages import CarrierMessage

router = APIRouter(prefix="/v1", tags=["carriers"], route_class=StrictRoute)

_LARGEST: Final = 2**53 - 1


class CarrierEvent(Document):
    """A carrier's scan of a parcel.

    `event_id`: the carrier's own id of it. `happened_at`: left out: now. `detail`: in the carrier's
    words.
    """

    carrier: Printable
    tracking_number: Printable
    event_id: Printable
    status: CarrierStatus
    happened_at: Instant | None = None
    detail: Note = ""


class HeardEvent(BaseModel):
    """What became of a scan.

    `of another`: it was before the number was in use here, so it changes nothing, and a person is
    asked which parcel it is about.
    """

    model_config = ConfigDict(frozen=True)

    heard: Heard


class Settling(Document):
    """`note`: how a person has dealt with the message."""

    note: Reason


@router.post(
    "/carrier-events",
    operation_id="reportCarrierEvent",
    summary="Report a carrier's scan of a parcel",
    response_model=HeardEvent,
)
async def report(
    content: Annotated[
        CarrierEvent,
        example(
            {
                "carrier": "sandbox",
                "tracking_number": "SBX000000001",
                "event_id": "scan-17",
                "status": "in_transit",
                "happened_at": "2026-11-28T18:30:00+01:00",
                "detail": "sorted in Leipzig",
            }
        ),
    ],
    caller: Annotated[Caller, may("carriers:write")],
    once: Keyed,
) -> Response:
    """Late and repeated ones do no harm: a scan is known by its `event_id`, under whatever key."""
    carrier, number = content.carrier, content.tracking_number
    if caller.grant.is_restricted:
        whose = await caller.here.carriers.whose(carrier, number)
        if not whose or not all(caller.grant.sees(*one) for one in whose):
            raise NotFound(f"no parcel has {carrier} number {number}")

    async def work(here: Records) -> HeardEvent:
        heard = await here.carriers.event(**content.model_dump())
        return HeardEvent(heard=heard)

    return await once.in_database(work)


@router.get(
    "/parcels",
    operation_id="listParcels",
    summary="List the parcels that carriers have, the oldest first",
)
async def list_parcels(
    caller: Annotated[Caller, may("carriers:read")], paged: Paged
) -> Page[ParcelUnderWay]:
    """Handed over, and neither delivered nor given up; of the key's channels and sellers."""
    asked: dict[str, Any] = {"channels": caller.channels, "sellers": caller.sellers}
    place = paged.after(asked)
    after = None if place is None else (datetime.fromisoformat(place[0]), str(place[1]))
    found = await caller.here.carriers.under_way(**asked, after=after, at_most=paged.at_most)
    return paged.page(
        asked,
        found,
        place=lambda one: (one.handed_over_at.isoformat(), one.fulfilment_id),
        show=lambda one: one,
    )


@router.get(
    "/carrier-messages",
    operation_id="listCarrierMessages",
    summary="List what carriers have sent by themselves",
)
async def list_messages(
    caller: Annotated[Caller, may("operations:read")],
    paged: Paged,
    failed: Annotated[bool, Query(description="Only what needs a person.")] = False,
) -> Page[CarrierMessage]:
    """The newest first, without their bodies, and what came of each."""
    asked = {"failed": failed}
    place = paged.after(asked)
    found = await caller.here.carriers.messages(
        failed=failed, after=None if place is None else int(place[0]), at_most=paged.at_most
    )
    return paged.page(asked, found, place=lambda one: [one.message_no], show=lambda one: one)


@router.post(
    "/carrier-messages/{message_no}/settle",
    operation_id="settleCarrierMessage",
    summary="Say that a carrier's message was dealt with",
    status_code=204,
)
async def settle_message(
    message_no: Annotated[int, Path(ge=1, le=_LARGEST, examples=[17])],
    content: Annotated[Settling, example({"note": "a parcel of another shop"})],
    caller: Annotated[Caller, may("operations:write")],
    once: Keyed,
) -> Response:
    """With all others about the same unknown parcel. It is not read again."""
    return await once.in_database(
        lambda here: here.carriers.settle_message(message_no, content.note)
    )
