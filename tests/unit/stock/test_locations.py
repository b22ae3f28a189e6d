"""Locations and lanes as documents, and what a location is to one order."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from domain.calendars import MONDAY_TO_FRIDAY, Calendar
from domain.faults import faults
from domain.stock.location_ranking import Place
from domain.stock.locations import Location, Promise, Way, places

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LANE = {"country": "DE", "cost": "4.20", "currency": "EUR"}


def a_way(**fields: Any) -> Way:
    content = {
        "location": "berlin",
        "priority": 1,
        "calendar": Calendar(working_days=MONDAY_TO_FRIDAY, handling_days=1),
        "parcels_a_day": None,
        "to_send": 0,
        "has_lanes": True,
        "cost_minor": 420,
        "currency": "EUR",
        "distance_km": 30,
        "transit_days": 2,
    }
    return Way.model_validate({**content, **fields})


def test_a_way_tells_what_sourcing_compares_and_what_a_customer_is_promised() -> None:
    way = a_way()
    assert place_of(way) == Place(
        location="berlin",
        priority=1,
        cost_minor=420,
        currency="EUR",
        distance_km=30,
        wait_days=1,
    )
    assert way.promise(MONDAY, "DE") == Promise(
        leaves_on=date(2026, 11, 24), arrives_on=date(2026, 11, 26)
    )


def place_of(way: Way) -> Place:
    (place,) = places([way], MONDAY)
    return place


@pytest.mark.parametrize(("to_send", "waits"), [(0, 1), (9, 1), (10, 2), (29, 3), (40, 7)])
def test_a_location_that_is_busy_sends_later(to_send: int, waits: int) -> None:
    assert place_of(a_way(parcels_a_day=10, to_send=to_send)).wait_days == waits


UNKNOWN: dict[str, Any] = dict.fromkeys(("cost_minor", "currency", "distance_km", "transit_days"))


def test_a_location_without_any_lane_is_no_better_than_the_others() -> None:
    silent = a_way(location="silent", has_lanes=False, **UNKNOWN)
    others = [a_way(), a_way(location="paris", cost_minor=900, distance_km=10)]
    found = places([silent, *others], MONDAY)[0]
    assert (found.reached, found.cost_minor, found.distance_km) == (True, 900, 30)
    assert silent.promise(MONDAY, "DE") is None
    assert (place_of(silent).cost_minor, place_of(silent).currency) == (0, None)


def test_a_location_whose_lanes_lead_elsewhere_does_not_send_there() -> None:
    assert not place_of(a_way(**UNKNOWN)).reached


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"lanes": [LANE, LANE]}, "lanes[1]: there is a lane for the same already"),
        ({"lanes": [{**LANE, "cost": "4.205"}]}, "lanes[0].cost: 4.205 has more decimals"),
        ({"lanes": [{**LANE, "cost": "-1"}]}, "must not be negative"),
        ({"lanes": [{**LANE, "country": "Germany"}]}, "ISO 3166-1"),
        ({"lanes": [{**LANE, "country": "ZZ"}]}, "such as DE or KR"),
        ({"lanes": [{**LANE, "transit_days": -1}]}, "greater than or equal to 0"),
        ({"parcels_a_day": 0}, "greater than or equal to 1"),
        ({"parcels_a_day": 1.5}, "valid integer"),
        ({"location": "no spaces"}, "letters, digits"),
    ],
)
def test_a_location_that_cannot_be_is_refused(content: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Location.model_validate({"location": "berlin", **content})
    assert reason.lower() in str(caught.value).lower()


@pytest.mark.parametrize("country", ["XK", "IC", "DE", "*"])
def test_a_lane_leads_to_a_country_of_the_posts_or_to_any(country: str) -> None:
    location = Location.model_validate({"location": "x", "lanes": [{**LANE, "country": country}]})
    assert location.lanes[0].country == country


def test_a_wrong_country_is_told_by_its_field_and_not_by_the_library_s_names() -> None:
    with pytest.raises(ValidationError) as caught:
        Location.model_validate({"location": "x", "lanes": [{**LANE, "country": "Kosovo"}]})
    assert [where for _, where, _ in faults(caught.value)] == ["lanes[0].country"]
