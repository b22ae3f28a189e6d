"""When units can be there: what is on the shelf, and what is on its way."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.calendars import MONDAY_TO_FRIDAY, Calendar
from domain.orders.sourcing_rules import SourcingRules
from domain.stock.locations import Way
from domain.stock.promises import Incoming, PromisedUnits, promise
from domain.stock.sourcing import Available

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def a_way(location: str, **fields: Any) -> Way:
    content = {
        "location": location,
        "priority": 1,
        "calendar": Calendar(working_days=MONDAY_TO_FRIDAY),
        "parcels_a_day": None,
        "to_send": 0,
        "has_lanes": True,
        "cost_minor": 420,
        "currency": "EUR",
        "distance_km": 30,
        "transit_days": 2,
    }
    return Way.model_validate({**content, **fields})


def due(day: int, quantity: int, location: str = "main", source: str = "PO-1") -> Incoming:
    return Incoming(
        sku="TEA",
        location=location,
        quantity=quantity,
        due_on=date(2026, 11, day),
        source=source,
    )


def on_hand(**units: int) -> list[Available]:
    return [Available(sku="TEA", location=name, quantity=n) for name, n in units.items()]


def asked(
    quantity: int,
    stock: list[Available],
    incoming: list[Incoming],
    ways: list[Way],
    rules: SourcingRules | None = None,
) -> list[tuple[int, str, str | None]]:
    """(units, source, arrival) of what is promised."""
    found = promise("TEA", quantity, stock, incoming, ways, country="DE", now=MONDAY, rules=rules)
    return [(one.quantity, one.source, _day(one)) for one in found]


def _day(one: PromisedUnits) -> str | None:
    return one.promise.arrives_on.isoformat() if one.promise else None


def test_ten_are_promised_now_and_ten_for_the_day_on_which_they_come_in() -> None:
    ways = [a_way("main")]
    assert asked(20, on_hand(main=10), [due(27, 10)], ways) == [
        (10, "stock", "2026-11-25"),
        (10, "PO-1", "2026-12-01"),  # in on Friday, out on Friday, two working days under way
    ]


def test_what_comes_in_first_is_promised_first_and_what_never_comes_is_not_promised() -> None:
    incoming = [due(30, 4, source="PO-2"), due(25, 3), due(24, 9, location="unknown")]
    assert asked(9, on_hand(main=0), incoming, [a_way("main")]) == [
        (3, "PO-1", "2026-11-27"),
        (4, "PO-2", "2026-12-02"),
    ]


def test_supply_that_is_overdue_is_promised_from_today_on() -> None:
    assert asked(1, on_hand(main=0), [due(2, 5)], [a_way("main")]) == [(1, "PO-1", "2026-11-25")]


def test_what_comes_in_on_a_day_of_rest_leaves_on_the_next_working_day() -> None:
    assert asked(1, on_hand(main=0), [due(28, 5)], [a_way("main")]) == [(1, "PO-1", "2026-12-02")]


def test_nothing_is_promised_from_where_the_rules_or_the_lanes_do_not_lead() -> None:
    abroad = a_way("abroad", cost_minor=None, currency=None, distance_km=None, transit_days=None)
    only = SourcingRules(locations=("main",))
    ways = [a_way("main"), a_way("other"), abroad]
    stock = on_hand(main=1, other=9, abroad=9)
    incoming = [due(24, 9, location="other"), due(24, 9, location="abroad")]
    assert asked(5, stock, incoming, ways, only) == [(1, "stock", "2026-11-25")]


def test_without_a_lane_there_are_units_and_no_date() -> None:
    unknown = dict.fromkeys(("cost_minor", "currency", "distance_km", "transit_days"))
    ways = [a_way("main", has_lanes=False, **unknown)]
    assert asked(2, on_hand(main=5), [], ways) == [(2, "stock", None)]


@given(
    st.integers(1, 40),
    st.dictionaries(st.sampled_from(["main", "shop"]), st.integers(-2, 15)),
    st.lists(
        st.builds(due, st.integers(1, 30), st.integers(1, 9), st.sampled_from(["main", "shop"]))
    ),
)
def test_no_more_is_promised_than_there_is_or_than_was_asked_for_and_the_earliest_first(
    quantity: int, units: dict[str, int], incoming: list[Incoming]
) -> None:
    ways = [a_way("main"), a_way("shop", transit_days=3)]
    found = promise("TEA", quantity, on_hand(**units), incoming, ways, country="DE", now=MONDAY)
    there = sum(n for n in units.values() if n > 0) + sum(one.quantity for one in incoming)
    assert sum(one.quantity for one in found) == min(quantity, there)
    assert all(one.quantity > 0 for one in found)
    days = [one.promise.arrives_on for one in found if one.promise]
    assert days == sorted(days)
    assert all(one.promise and one.promise.leaves_on >= MONDAY.date() for one in found)
