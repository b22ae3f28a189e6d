"""Locations: their working days, and the ways of parcels from there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from domain.calendars import WEEKDAYS
from domain.stock.locations import Lane, Location
from starter.service.locations import Locations
from starter.web.screens.visits import Visit
from starter.web.setup.documents import Documents, router_of
from starter.web.setup.fields import Field


class _Locations(Documents[Location]):
    name = "locations"
    code = "location"
    model = Location
    reads = "locations:read"
    writes = "locations:write"
    fields = (
        Field("seller", "choice"),
        Field("priority", "number"),
        Field("calendar.time_zone", "zone", required=True),
        Field("calendar.working_days", "ticks"),
        Field("calendar.holidays"),
        Field("calendar.cut_off", "time"),
        Field("calendar.handling_days", "number"),
        Field("parcels_a_day", "number"),
        Field("lanes", "table", columns=tuple(Lane.model_fields), amounts=("cost",)),
    )

    def door(self, visit: Visit) -> Locations:
        return visit.here.locations

    async def all(self, visit: Visit) -> Sequence[Location]:
        return await visit.here.locations.list()

    def is_theirs(self, visit: Visit, one: Location) -> bool:
        return visit.person.works_at(one.location)

    def may_add(self, visit: Visit) -> bool:
        return visit.person.locations is None

    async def retired(self, visit: Visit) -> set[str]:
        return await visit.here.locations.retired()

    async def options(self, visit: Visit) -> dict[str, list[tuple[str, str]]]:
        return {
            "seller": [(one.seller, one.name) for one in await visit.here.sellers.list()],
            "lanes.country": [("*", visit.words("any")), *visit.words.named_countries()],
            "calendar.working_days": [(one, visit.words(f"on_{one}")) for one in WEEKDAYS],
        }


router: Final = router_of(_Locations())
