"""Whatever befalls an order, it ends, and its money, its stock and its parcels add up."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator

import pytest

from tests.simulation.lives import live
from tests.simulation.planted import PLANTS, planted
from tests.simulation.shrinking import kept, shrunk
from tests.workflows.lives import STEPS

SEEDS = 500
TOGETHER = 50

FOUND_BY = {
    "release forgotten": 7,
    "refund before its charge": 190,
    "wait without bound": 10,
    "spin": 43,
}
"""The first seed that finds each planted fault; see `make simulate PLANT=…`."""


MISHAPS = ("fails before", "loses its answer", "runs twice", "refused", "fails for long")

HAPPENED: set[str] = set()
BATCHES_LIVED: set[int] = set()
"""What these lives met so far, and the first seeds of those that were lived."""


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Workflows log what operators would read."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("first", range(1, SEEDS + 1, TOGETHER))
def test_orders_end_with_their_books_right_whatever_befalls_them(first: int) -> None:
    for seed in range(first, first + TOGETHER):
        lived = live(seed)
        HAPPENED.update(lived.happened)
        BATCHES_LIVED.add(first)
        if lived.fault:
            smallest, _ = shrunk(lived)
            story = "\n".join(smallest.story[-80:])
            pytest.fail(f"seed {seed}: {lived.fault}\n{story}\nhappened: {smallest.happened}")


def test_in_these_lives_every_step_meets_every_mishap() -> None:
    """Tests on real servers let each step meet few of them, and rely on this."""
    if len(BATCHES_LIVED) < SEEDS / TOGETHER:
        pytest.skip("only some of the lives were lived")
    pairs = itertools.product(MISHAPS, STEPS)
    met = [key.replace("#", ":").split(":", maxsplit=1)[0] for key in HAPPENED]
    assert {f"{mishap} {step}" for mishap, step in pairs} - {*met} == set()


@pytest.mark.parametrize(("fault", "seed", "without"), kept())
def test_a_life_that_failed_once_does_not_fail_again(
    fault: str, seed: int, without: frozenset[str]
) -> None:
    assert live(seed, without).fault == "", f"as before: {fault}"


@pytest.mark.parametrize("name", PLANTS)
def test_a_fault_that_is_put_into_the_workflow_is_found(name: str) -> None:
    with planted(name):
        lived = live(FOUND_BY[name])
    assert lived.fault
    assert live(FOUND_BY[name]).fault == ""


def test_a_failing_life_is_made_small_and_keeps_its_fault() -> None:
    with planted("spin"):
        failed = live(FOUND_BY["spin"])
        smallest, without = shrunk(failed)
        assert smallest.fault[:30] == failed.fault[:30]
        assert len(smallest.happened) < len(failed.happened)
        assert live(failed.seed, without).fault == smallest.fault
