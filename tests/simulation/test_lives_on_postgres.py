"""Whatever befalls an order on a real database, it ends, and the audit of its rows is clean."""

from __future__ import annotations

import itertools
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from activities.fulfilment.contracts import Part
from activities.fulfilment.fulfilments import Fulfilments
from tests.simulation.driver import MISHAPS
from tests.simulation.leading import ORDER_STEPS
from tests.simulation.lives import ON_POSTGRES, Lived, live
from tests.simulation.on_postgres.ground import Ground, ground_on
from tests.simulation.planted import planted
from tests.simulation.shrinking import kept
from tests.simulation.test_lives import met_by
from tests.support.servers import Databases

SEEDS = 70
TOGETHER = 10

FIRSTS = range(1, SEEDS + 1, TOGETHER)

OFTEN = {
    "worker dies": 10,
    "continued as new": 50,
    "overtaken": 5,
    "effect after its time": 5,
    "payment fails": 15,
    "carrier fails": 2,
    "the carrier says it twice": 2,
    "short pick": 5,
    "undeliverable": 1,
}
"""What must happen at least so often in the lives of this file."""

IN_MEMORY_ALONE = ("wait_longer", "stop_work", "work_wanted_again")
"""A workshop is a workflow of its own, and what is on sale later would be so for all lives here."""

LIVED: dict[int, list[Lived]] = {}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Workflows and activities log what operators would read."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ground_url(databases: Databases) -> AsyncIterator[str]:
    async with databases.fresh() as url:
        yield url


@pytest.fixture(scope="module", autouse=True)
def ground(ground_url: str) -> Iterator[Ground]:
    """What all lives of this file are lived on."""
    with ground_on(ground_url) as ground:
        yield ground


@pytest_asyncio.fixture(loop_scope="session")
async def fresh_url(databases: Databases) -> AsyncIterator[str]:
    async with databases.fresh() as url:
        yield url


def lives_from(first: int) -> list[Lived]:
    if first not in LIVED:
        seeds = range(first, first + TOGETHER)
        LIVED[first] = [live(seed, kind=ON_POSTGRES) for seed in seeds]
    return LIVED[first]


@pytest.mark.parametrize("first", FIRSTS)
def test_orders_end_with_a_clean_audit_whatever_befalls_them(first: int) -> None:
    for lived in lives_from(first):
        if lived.fault:
            story = "\n".join(lived.story[-80:])
            pytest.fail(f"seed {lived.seed}: {lived.fault}\n{story}\nhappened: {lived.happened}")


def test_in_these_lives_every_step_of_an_order_runs_and_every_mishap_is_met() -> None:
    all_lived = list(itertools.chain.from_iterable(map(lives_from, FIRSTS)))
    seen = sum((lived.seen for lived in all_lived), Counter())
    lived = [*ORDER_STEPS, "await_exchange"]
    assert [x for x in lived if not seen[f"{x} for real"] and x not in IN_MEMORY_ALONE] == []
    met = Counter(mishap for lived in all_lived for mishap, _ in met_by(lived.happened))
    # Who refuses here are the real banks, carriers and rules.
    assert [mishap for mishap in MISHAPS if met[mishap] < 5] == ["refused"]
    assert {what: seen[what] for what, least in OFTEN.items() if seen[what] < least} == {}


@pytest.mark.parametrize("seed", [4, 16])
def test_the_same_seed_gives_the_same_life_on_another_database(fresh_url: str, seed: int) -> None:
    first = lives_from(1 + (seed - 1) // TOGETHER * TOGETHER)[(seed - 1) % TOGETHER]
    with ground_on(fresh_url):
        again = live(seed, kind=ON_POSTGRES)
        once_more = live(seed, kind=ON_POSTGRES)
    assert first.fault == again.fault == once_more.fault == ""
    for other in (again, once_more):
        assert (other.story, other.happened) == (first.story, first.happened)


def test_lives_that_failed_once_do_not_fail_again(fresh_url: str) -> None:
    with ground_on(fresh_url):
        for life in kept(on_postgres=True):
            assert life.live().fault == "", f"{life.seed}, as before: {life.fault}"


def test_a_fault_that_is_put_into_the_workflow_is_found(fresh_url: str) -> None:
    with planted("release forgotten"), ground_on(fresh_url):
        assert "is still held on the customer's card" in live(7, kind=ON_POSTGRES).fault


def test_a_fault_that_is_put_into_an_activity_is_found(
    fresh_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def forgotten(self: Fulfilments, part: Part) -> None:
        """Nothing is put back."""

    forgotten.__name__ = "put_back"
    monkeypatch.setattr(Fulfilments, "put_back", forgotten)
    with ground_on(fresh_url):
        assert "release_stock raised CheckViolationError" in live(9, kind=ON_POSTGRES).fault
