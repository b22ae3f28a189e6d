"""Whatever befalls an order, it ends, and its money, its stock and its parcels add up."""

from __future__ import annotations

import itertools
import logging
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest

from tests.simulation import order_life as orders
from tests.simulation import purchase_life as purchases
from tests.simulation.driver import MISHAPS
from tests.simulation.leading import ORDER_STEPS
from tests.simulation.lives import Lived, live
from tests.simulation.losing import PHASES, REOPENED
from tests.simulation.planted import PLANTS, planted
from tests.simulation.purchase_life import ACTIVITIES as PURCHASE_STEPS
from tests.simulation.shrinking import Kept, kept, shrunk

SEEDS = 650
TOGETHER = 50

FOUND_BY = {
    "release forgotten": 7,
    "charge forgotten": 3,
    "refund before its charge": 1549,
    "wait without bound": 79,
    "spin": 1,
    "unpaid, and nothing done": 4,
    "cancelled against the supplier's no": 80,
    "next run: an owed refund": 118,
    "next run: an approved return": 24,
    "next run: what needs a person": 4,
    "next run: a hold": 144,
    "next run: the charge of a parcel that left": 426,
    "next run: a fulfilment that was stopped": 47,
    "next run: the round of a backorder": 4,
    "next run: what is authorized": 7,
    "next run: that it was charged ahead": 17,
}
"""A seed that finds each planted fault; of others, a life in seeds/ does. `make simulate PLANT=…`
searches for one.
"""


STEPS = (*ORDER_STEPS, *PURCHASE_STEPS)

NO_SENSE = {
    **{("refused", step): why for step, why in orders.NOT_REFUSED.items()},
    **{("refused", step): why for step, why in purchases.NOT_REFUSED.items()},
}
"""Mishaps that make no sense for a step, and why."""

SEVERAL = 2
"""So often, at least, does each step meet each mishap in the lives of this file."""

OFTEN = {
    # A new worker, told the same, must say the same, byte for byte.
    "worker dies": 100,
    "replayed at the end": 50,
    # A new run begins, with what came in the moment when the old one wanted to end.
    "continued as new": 500,
    "overtaken": 50,
    "timed out": 200,
    "effect after its time": 100,
    "cancel in Temporal": 30,
    # People ask in each way, before the order is placed, while it is sent, and after that.
    "cancel as signal, received": 5,
    "cancel as update, received": 5,
    "cancel as signal, in fulfilment": 30,
    "cancel as update, in fulfilment": 60,
    "request_return as signal, received": 2,
    "request_return as update, received": 3,
    "request_return as signal, in fulfilment": 10,
    "request_return as update, in fulfilment": 30,
    "request_return as signal, return window": 3,
    "request_return as update, return window": 8,
    "asks late": 30,
}
"""What must happen at least so often in the lives of this file."""

LOST_WHILE = {
    "received": 3,
    "held": 3,
    "picking": 10,
    "packed": 10,
    "on its way": 10,
    "return window": 5,
    "a charge due": 3,
    "a return under way": 3,
    "a refund owed": 3,
    "being cancelled": 3,
    REOPENED: 3,
}
"""So often, at least, Temporal loses a run while its order is there, in the lives of this file."""

FIRSTS = range(1, SEEDS + 1, TOGETHER)

LIVED: dict[int, list[Lived]] = {}
"""The lives that were lived so far, by the first seed of those that are lived together."""


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Workflows log what operators would read."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def lives_from(first: int) -> list[Lived]:
    """So many lives, each of which is lived once, whichever test asks first."""
    if first not in LIVED:
        LIVED[first] = [live(seed) for seed in range(first, first + TOGETHER)]
    return LIVED[first]


@pytest.mark.parametrize("first", FIRSTS)
def test_orders_end_with_their_books_right_whatever_befalls_them(first: int) -> None:
    for lived in lives_from(first):
        if lived.fault:
            smallest, _ = shrunk(lived)
            story = "\n".join(smallest.story[-80:])
            pytest.fail(f"seed {lived.seed}: {lived.fault}\n{story}\nhappened: {smallest.happened}")


def met_by(happened: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The mishaps of a life, each with its step: "runs twice ship:web-1:1#2 1" is one of `ship`."""
    for key in happened:
        for mishap in MISHAPS:
            if key.startswith(f"{mishap} "):
                yield mishap, key.removeprefix(f"{mishap} ").replace("#", ":").split(":")[0]


@pytest.fixture(scope="module")
def all_lived() -> list[Lived]:
    """All lives of this file. Where only some were lived, the others are lived now."""
    return [lived for first in FIRSTS for lived in lives_from(first)]


def test_in_these_lives_every_step_meets_every_mishap_several_times(
    all_lived: list[Lived],
) -> None:
    """Tests on real servers let each step meet few of them, and rely on this."""
    met = Counter(pair for lived in all_lived for pair in met_by(lived.happened))
    rare = {
        pair: met[pair]
        for pair in itertools.product(MISHAPS, STEPS)
        if met[pair] < SEVERAL and pair not in NO_SENSE
    }
    assert rare == {}
    assert [pair for pair in NO_SENSE if met[pair]] == []


def test_in_these_lives_what_is_hardest_for_a_workflow_happens_often(
    all_lived: list[Lived],
) -> None:
    seen = sum((lived.seen for lived in all_lived), Counter())
    rare = {what: seen[what] for what, least in OFTEN.items() if seen[what] < least}
    assert rare == {}


def test_in_these_lives_temporal_loses_runs_in_every_phase_of_an_order(
    all_lived: list[Lived],
) -> None:
    assert {*LOST_WHILE} == {*PHASES, REOPENED}
    seen = sum((lived.seen for lived in all_lived), Counter())
    rare = {
        phase: seen[f"lost while {phase}"]
        for phase, least in LOST_WHILE.items()
        if seen[f"lost while {phase}"] < least
    }
    assert rare == {}
    assert seen["goes on though its run is lost"] >= 10, "of attempts that are under way"
    assert seen["asks once more"] >= 5, "of callers who got no answer"


@pytest.mark.parametrize("life", kept(), ids=lambda life: f"{life.seed}: {life.fault}")
def test_a_life_that_failed_once_does_not_fail_again(life: Kept) -> None:
    assert life.live().fault == "", f"as before: {life.fault}"


@pytest.mark.parametrize("life", [x for x in kept() if x.plant], ids=lambda life: life.plant)
def test_a_life_that_failed_once_fails_again_with_its_fault_put_back(life: Kept) -> None:
    """So it is known to be the life that it was, whatever has changed in the simulator."""
    with planted(life.plant):
        assert life.live().fault


@pytest.mark.parametrize("name", FOUND_BY)
def test_a_fault_that_is_put_into_the_workflow_is_found(name: str) -> None:
    with planted(name):
        lived = live(FOUND_BY[name])
    assert lived.fault
    assert live(FOUND_BY[name]).fault == ""


def test_every_planted_fault_has_a_life_that_finds_it() -> None:
    assert {*FOUND_BY, *(life.plant for life in kept())} >= {*PLANTS}


def test_a_failing_life_is_made_small_and_keeps_its_fault() -> None:
    with planted("spin"):
        failed = live(FOUND_BY["spin"])
        smallest, without = shrunk(failed)
        assert smallest.fault[:30] == failed.fault[:30]
        assert len(smallest.happened) < len(failed.happened)
        assert live(failed.seed, without).fault == smallest.fault
