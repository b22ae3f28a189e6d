"""The search for the best shelves, against every choice there is."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.stock.shelf_choice import Weight, cover


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[int], list[list[int]], list[Weight], int]:
    """Wanted units, shelves, weights, and how many shelves may be chosen."""
    items = draw(st.integers(1, 4))
    count = draw(st.integers(1, 6))
    wanted = draw(st.lists(st.integers(0, 6), min_size=items, max_size=items))
    shelf = st.lists(st.sampled_from([0, 0, 1, 2, 3, 6]), min_size=items, max_size=items)
    shelves = draw(st.lists(shelf, min_size=count, max_size=count))
    # Parcels first, or what they cost: both ways of weighing.
    first = draw(st.sampled_from([st.just(1), st.integers(1, 4)]))
    weight = st.tuples(first, st.integers(0, 3), st.just(1))
    weights: list[Weight] = list(draw(st.lists(weight, min_size=count, max_size=count)))
    return wanted, shelves, weights, draw(st.integers(1, count))


def best_of_all(
    wanted: list[int], shelves: list[list[int]], weights: list[Weight], at_most: int
) -> tuple[int, ...]:
    """The best choice, found by looking at every one."""

    def rank(chosen: tuple[int, ...]) -> tuple[int, Weight, tuple[int, ...]]:
        missing = sum(
            max(0, units - sum(shelves[i][k] for i in chosen)) for k, units in enumerate(wanted)
        )
        return missing, tuple(sum(weights[i][w] for i in chosen) for w in range(3)), chosen

    sizes = range(at_most + 1)
    choices = (c for n in sizes for c in itertools.combinations(range(len(shelves)), n))
    return min(choices, key=rank)


@given(cases())
def test_no_choice_is_better(case: tuple[list[int], list[list[int]], list[Weight], int]) -> None:
    wanted, shelves, weights, at_most = case
    choice = cover(wanted, shelves, weights, at_most=at_most)
    assert choice.exact
    assert choice.chosen == best_of_all(wanted, shelves, weights, at_most)


@pytest.mark.parametrize(
    ("filled", "units_max"),
    [(0.15, 30), (0.3, 20), (0.5, 30), (0.6, 3), (0.8, 6)],
    ids=["hardly anything anywhere", "little", "half", "a few of most", "some of nearly all"],
)
def test_twenty_lines_from_twenty_locations_are_solved_exactly(
    filled: float, units_max: int
) -> None:
    dice = random.Random(20)
    for _ in range(5):
        wanted = [dice.randint(1, 20) for _ in range(20)]
        shelves = [
            [dice.randint(1, units_max) if dice.random() < filled else 0 for _ in wanted]
            for _ in range(20)
        ]
        weights = [(1, dice.randint(300, 900), dice.randint(1, 900)) for _ in shelves]
        assert cover(wanted, shelves, weights, at_most=20).exact


@pytest.mark.parametrize(("count", "effort"), [(50, 2_000), (300, 100_000), (2_000, 0)])
def test_a_search_that_is_cut_short_says_so_and_still_leaves_nothing_missing(
    count: int, effort: int
) -> None:
    dice = random.Random(1)
    wanted = [50] * 40
    shelves = [[dice.randint(0, 4) for _ in wanted] for _ in range(count)]
    weights = [(1, dice.randint(1, 900)) for _ in shelves]
    choice = cover(wanted, shelves, weights, at_most=count, effort_max=effort)
    assert not choice.exact
    held = [sum(shelves[i][k] for i in choice.chosen) for k in range(40)]
    assert all(have >= units for have, units in zip(held, wanted, strict=True))
    assert len(set(choice.chosen)) == len(choice.chosen) < 40


def test_an_order_that_needs_more_shelves_than_are_looked_at_gets_them() -> None:
    shelves = [[int(k == i) for k in range(100)] for i in range(100)]
    choice = cover([1] * 100, shelves, [(1,)] * 100, at_most=100)
    assert choice.chosen == tuple(range(100))


def test_nothing_wanted_and_nothing_there_is_nothing_chosen() -> None:
    assert cover([0], [[5]], [(1,)], at_most=1).chosen == ()
    assert cover([5], [], [], at_most=1).chosen == ()
    assert cover([], [[]], [(1,)], at_most=1).chosen == ()
    assert cover([5], [[5]], [(1,)], at_most=0).chosen == ()
