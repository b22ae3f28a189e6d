"""Locations: the warehouses and shops that keep stock."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from domain.fields import Document, Id
from domain.stock.locations import Location
from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.once import Keyed
from starter.http.paging import Page, Paged
from starter.http.reading import StrictRoute
from starter.http.reports import AtLocation
from starter.service.service import Records
from store.stock.location_changes import Left

router = APIRouter(prefix="/v1/locations", tags=["locations"], route_class=StrictRoute)

Reads = Annotated[Caller, may("locations:read")]
Writes = Annotated[Caller, may("locations:write")]

TOGETHER_MAX: Final = 100


class ListedLocation(Location):
    """A location. A retired one sends and takes nothing new."""

    retired: bool = False


class SomeLocations(Document):
    """Locations, with all there is to know about them."""

    locations: Annotated[list[Location], Field(min_length=1, max_length=TOGETHER_MAX)]


class Retired(BaseModel):
    """A location that sends and takes nothing new, and what is still there or on its way there."""

    model_config = ConfigDict(frozen=True)

    location: str
    left: Left


@router.get("", operation_id="listLocations", summary="List locations")
async def list_locations(
    caller: Reads, paged: Paged, location: AtLocation = None
) -> Page[ListedLocation]:
    """Their calendars, their limits a day, and their lanes with prices and days."""
    asked: dict[str, Any] = {"location": location}
    place = paged.after(asked)
    after = None if place is None else str(place[0])
    found = await caller.here.locations.list(location, after=after, at_most=paged.at_most)
    retired = await caller.here.locations.retired()
    return paged.page(
        asked,
        found,
        place=lambda one: (one.location,),
        show=lambda one: ListedLocation.model_construct(
            **dict(one), retired=one.location in retired
        ),
    )


@router.put("", operation_id="setLocations", summary="Set locations", status_code=204)
async def set_locations(
    content: Annotated[
        SomeLocations,
        example(
            {
                "locations": [
                    {
                        "location": "main",
                        "calendar": {
                            "time_zone": "Europe/Berlin",
                            "working_days": ["mon", "tue", "wed", "thu", "fri"],
                            "holidays": "DE",
                            "cut_off": "14:00:00",
                        },
                        "lanes": [
                            {
                                "country": "DE",
                                "cost": "4.90",
                                "currency": "EUR",
                                "transit_days": 1,
                            }
                        ],
                    }
                ]
            }
        ),
    ],
    caller: Writes,
) -> None:
    """New ones are made. All are set, or none where one is wrong; others stay as they are.

    What is left out of a location gets its default; its lanes are replaced by those that are named.
    """
    await caller.here.locations.save(content.locations)


@router.post(
    "/{location}/retire",
    operation_id="retireLocation",
    summary="Stop a location from sending and taking anything new",
    response_model=Retired,
)
async def retire(location: Id, caller: Writes, once: Keyed) -> Response:
    """Open parcels there are still sent, or refused, and goods on their way there may arrive."""

    async def work(here: Records) -> Retired:
        return Retired(location=location, left=await here.locations.retire(location))

    return await once.in_database(work)


@router.post(
    "/{location}/reopen",
    operation_id="reopenLocation",
    summary="Let a retired location send and take again",
    status_code=204,
)
async def reopen(location: Id, caller: Writes, once: Keyed) -> Response:
    """Its levels are to be set again."""
    return await once.in_database(lambda here: here.locations.reopen(location))


@router.delete(
    "/{location}",
    operation_id="removeLocation",
    summary="Remove a location that never held, sent or expected anything",
    status_code=204,
)
async def remove(location: Id, caller: Writes) -> None:
    """Any other one can be retired."""
    await caller.here.locations.remove(location)
