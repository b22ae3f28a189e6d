"""Locations chosen by what an extension measures."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from activities.stock.inventory import Inventory
from domain.errors import Unreachable
from domain.orders.policy import Policy
from domain.orders.shipping import Shipping
from domain.stock.location_ranking import Place
from store.database import Pool
from tests.support.bench import Bench
from tests.support.builders import an_order

GRAMS = {"east": 900, "west": 100}


def carbon(place: Place, shipping: Shipping) -> int:
    assert shipping.country == "KR"
    return GRAMS[place.location]


def preferring(*names: str) -> Policy:
    return Policy.model_validate({"sourcing": {"prefer": names}})


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    bench = Bench(pool)
    for location in GRAMS:
        await bench.stocked("TEA", 5, location)
    return bench


async def served_from(bench: Bench, policy: Policy | None, **options: Any) -> str:
    bench.inventory = Inventory(bench.pool, **options)
    reserved = await bench.reserve(an_order(("TEA", 1)), policy)
    (planned,) = reserved.fulfilments
    return planned.location


async def test_the_location_that_measures_least_serves_where_the_policy_prefers_so(
    bench: Bench,
) -> None:
    assert await served_from(bench, None, measures={"carbon": carbon}) == "east"  # by name
    policy = preferring("parcels", "carbon")
    assert await served_from(bench, policy, measures={"carbon": carbon}) == "west"


async def test_a_worker_that_does_not_measure_it_says_so_and_reserves_nothing(
    bench: Bench,
) -> None:
    with pytest.raises(Unreachable, match="'carbon', which no extension of this worker"):
        await served_from(bench, preferring("carbon"))
    assert await bench.level("TEA", "west") == (5, 0)


def test_a_slip_of_the_pen_is_not_taken_for_an_extension() -> None:
    with pytest.raises(ValidationError, match="did you mean distance"):
        preferring("distanc")
