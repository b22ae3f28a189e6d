"""Locations that hold stock, and the way of a parcel from each of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, model_validator

from domain.calendars import Calendar, arrives_on
from domain.errors import InvalidInput
from domain.fields import Amount, CountryOrAny, Currency, Document, Id, Service, inconsistent
from domain.money import to_minor
from domain.sellers import Code
from domain.stock.location_ranking import Place
from domain.stored import is_stored

ANYWHERE: Final = "*"


class Lane(Document):
    """The way from a location to a part of the world, with one or any of the carrier's services.

    For a parcel the closest lane counts: of its service before any service, then of its country
    before any country, then of the longest postal prefix.
    """

    country: CountryOrAny = ANYWHERE
    postal_prefix: Annotated[str, Field(max_length=32)] = ""
    service: Service = ANYWHERE
    cost: Amount
    currency: Currency
    distance_km: Annotated[int, Field(strict=True, ge=0, le=40_000)] = 0
    transit_days: Annotated[int, Field(strict=True, ge=0, le=365)] = 1
    """The carrier's working days from hand-over to delivery."""

    @property
    def cost_minor(self) -> int:
        """The cost of a parcel, in minor units."""
        return to_minor(self.cost, self.currency)


class Location(Document):
    """A warehouse or a shop. A left-out field has its default."""

    location: Id
    seller: Code | None = None
    """Whose goods lie there. Left out: as before, or the only seller."""
    priority: Annotated[int, Field(strict=True, ge=0, le=1_000_000)] = 100
    """The lowest is preferred, if all else is equal."""
    calendar: Calendar = Calendar()
    parcels_a_day: Annotated[int, Field(strict=True, ge=1, le=10_000_000)] | None = None
    """The most parcels that leave on a day; others leave on a later day. Left out: no limit."""
    lanes: Annotated[tuple[Lane, ...], Field(max_length=10_000)] = ()

    @model_validator(mode="after")
    def _consistent(self, info: ValidationInfo) -> Self:
        if is_stored(info):
            return self
        seen: set[tuple[str, str, str]] = set()
        for index, lane in enumerate(self.lanes):
            try:
                to_minor(lane.cost, lane.currency)
            except InvalidInput as error:
                raise inconsistent(f"lanes[{index}].cost", str(error)) from None
            key = (lane.country, lane.postal_prefix, lane.service)
            if key in seen:
                raise inconsistent(f"lanes[{index}]", "there is a lane for the same already")
            seen.add(key)
        return self


class Locations(Document):
    """A file of locations: what `orderloom locations list --json` prints and `import` reads."""

    locations: Annotated[tuple[Location, ...], Field(max_length=10_000)]


class Promise(BaseModel):
    """When a parcel leaves its location, and when it arrives."""

    model_config = ConfigDict(frozen=True)

    leaves_on: date
    arrives_on: date


class Way(BaseModel):
    """One location's way to send one order's parcel: its own figures, and its closest lane's."""

    model_config = ConfigDict(frozen=True)

    location: str
    priority: int
    calendar: Calendar
    parcels_a_day: int | None
    to_send: int
    """Parcels that it still has to send, if it has a limit a day."""
    has_lanes: bool
    """It has a lane. If it has lanes but none leads there, it does not ship there."""
    cost_minor: int | None
    currency: str | None
    distance_km: int | None
    transit_days: int | None

    @property
    def reaches(self) -> bool:
        """Whether it ships there: a lane leads there, or it has no lanes at all."""
        return self.cost_minor is not None or not self.has_lanes

    def leaves_on(self, now: datetime) -> date:
        """The day on which a parcel that is ordered now leaves."""
        backlog_days = self.to_send // self.parcels_a_day if self.parcels_a_day else 0
        return self.calendar.leaves_on(now, backlog_days=backlog_days)

    def promise(self, now: datetime, country: str) -> Promise | None:
        """The promise to the customer for a parcel that is ordered now.

        None if the transit time is not known.
        """
        if self.transit_days is None:
            return None
        leaves_on = self.leaves_on(now)
        return Promise(
            leaves_on=leaves_on, arrives_on=arrives_on(leaves_on, self.transit_days, country)
        )


def places(ways: Sequence[Way], now: datetime) -> list[Place]:
    """Locations as sourcing compares them.

    A location without any lane counts as the dearest and the farthest of the others do: an unknown
    cost is no reason to prefer it.
    """
    dearest = max((way.cost_minor or 0 for way in ways), default=0)
    farthest = max((way.distance_km or 0 for way in ways), default=0)
    return [
        Place(
            location=way.location,
            priority=way.priority,
            reached=way.reaches,
            cost_minor=dearest if way.cost_minor is None else way.cost_minor,
            currency=way.currency,
            distance_km=farthest if way.distance_km is None else way.distance_km,
            wait_days=(way.leaves_on(now) - way.calendar.today(now)).days,
        )
        for way in ways
    ]
