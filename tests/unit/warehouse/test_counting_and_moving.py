"""Counts, moves and transfers as pure decisions, whatever is scanned and in whatever sequence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.warehouse import counting, moving, sending
from domain.warehouse.counts import Counting, CountStop, Plan, Shelf, Watched
from domain.warehouse.moving import Moving
from domain.warehouse.scans import Fact, Read, command_in
from domain.warehouse.sending import Free, Sending

STOPS = (
    CountStop(sku="TEA", place="A-1"),
    CountStop(sku="POT", place="A-1"),
    CountStop(sku="TEA", place="B-2"),
)
SHELVES = {
    "TEA": Shelf(on_hand=5, away=2),
    "POT": Shelf(on_hand=1, away=0),
    "CUP": Shelf(on_hand=2, away=0),
}
CUP = Plan(stops=(CountStop(sku="CUP", place="B-2"),))
"""Where a CUP is known to lie, which is no stop of the count."""


def read(code: str) -> Read:
    if code.startswith("OL:"):
        return Read(code, command=command_in(code))
    if code in ("TEA", "POT", "CUP"):
        return Read(code, sku=code)
    return Read(code, place=code if "-" in code else None)


def counted(
    state: Counting, *codes: str, shelves: dict[str, Shelf] = SHELVES
) -> tuple[Counting, list[Fact], list[str]]:
    """The run after these scans, all facts, and what was said."""
    facts: list[Fact] = []
    said: list[str] = []
    for code in codes:
        found = Watched(shelves=shelves, plan=CUP) if state.stops else Plan(stops=STOPS)
        turn = counting.decide(state, replace(read(code), found=found))
        state = turn.state
        facts += turn.facts
        said.append(turn.answer.said)
    return state, facts, said


def a_count() -> Counting:
    return Counting(location="main")


def test_what_is_as_recorded_is_counted_once_at_all_of_its_places() -> None:
    state, facts, said = counted(
        *(a_count(), "A-1", "POT", "TEA", "OL:DONE", "B-2", "OL:QTY:2", "TEA", "OL:DONE"),
    )
    assert said == [
        *("count_here", "counted_here", "counted_here", "count_there"),
        *("count_here", "next_stands_for", "counted_here", "all_counted"),
    ]
    assert [(fact.part, fact.said["counted"]) for fact in facts] == [("POT", 1), ("TEA", 5)]
    assert (state.is_over, state.held, state.counted) == (True, (), {"POT": 1, "TEA": 3})


def test_a_difference_is_counted_twice_and_then_told_with_its_reason() -> None:
    once = ("TEA", "POT", "OL:DONE", "B-2", "OL:DONE", "OL:DONE")
    state, facts, said = counted(a_count(), "A-1", *once)
    assert (said[-2:], [fact.part for fact in facts]) == (["none_sure", "count_again"], ["POT"])
    assert not state.differs  # nobody is told yet how many there should be
    state, facts, said = counted(state, "A-1", "TEA", "OL:DONE", "B-2", "OL:DONE", "OL:DONE")
    assert (said[-1], state.differs, facts) == ("differs", "TEA", [])
    _, _, said = counted(state, "TEA", "OL:DONE")
    assert said == ["say_why", "not_here"]
    assert counted(state, "OL:CANCEL")[2] == ["forget_sure"]
    over, (fact,), said = counted(state, "OL:WHY:lost")
    assert (said, over.is_over) == (["all_counted"], True)
    assert fact.said == {"counted": 3, "why": "lost", "on_hand": 5, "away": 2}
    left, facts, said = counted(state, "OL:SKIP")
    assert (said, facts, left.left_out) == (["all_counted"], [], ("TEA",))
    anew, facts, said = counted(state, "OL:OTHER")
    assert (said, facts, anew.units("TEA"), anew.differs) == (["count_again"], [], 0, "")


def test_two_counts_that_differ_ask_for_a_third() -> None:
    state, _, _ = counted(a_count(), "A-1", "TEA", "POT", "OL:DONE", "B-2", "TEA")
    state, _, said = counted(state, "OL:DONE", "A-1", "TEA", "OL:DONE", "B-2", "OL:DONE", "OL:DONE")
    assert (said[0], said[-1]) == ("count_again", "count_again")
    state, facts, said = counted(state, "A-1", "TEA", "OL:DONE", "B-2", "TEA", "TEA", "OL:DONE")
    assert (said[-1], facts[0].said["counted"]) == ("all_counted", 5)


def test_what_moves_meanwhile_is_counted_anew() -> None:
    state, _, _ = counted(a_count(), "A-1", "TEA")
    picked = {**SHELVES, "TEA": Shelf(on_hand=5, away=3)}
    state, facts, said = counted(state, "TEA", shelves=picked)
    assert (said, facts, state.units("TEA")) == (["count_changed"], [], 0)
    fact = Fact(what="count", part="TEA", said={"counted": 1})
    turn = counting.refused(state, fact, "it changed")
    assert (turn.answer.said, turn.state.is_over) == ("not_counted", False)


@pytest.mark.parametrize(
    ("codes", "says"),
    [
        (("nothing",), "unknown"),
        (("A-1", "B-2"), "wrong_place"),
        (("A-1", "CUP"), "not_known_here"),
        (("TEA", "OL:DONE"), "place_first"),
        (("A-1", "OL:QTY:0"), "no_number"),
        (("A-1", "OL:UNDO"), "nothing_to_undo"),
        (("A-1", "OL:DONE"), "none_sure"),
        (("A-1", "OL:WHY:x"), "not_here"),
        (("A-1", "OL:POS:1"), "not_here"),
        (("TEA", "TEA"), "place_first"),
        (("A-1", "TEA", "OL:UNDO"), "undone"),
        (("OL:CANCEL",), "forget_sure"),
    ],
)
def test_what_is_not_asked_for_counts_nothing(codes: tuple[str, ...], says: str) -> None:
    found = Plan(stops=STOPS) if codes[0] != "nothing" else None
    first = counting.decide(a_count(), replace(read(codes[0]), found=found))
    state, facts, said = counted(first.state, *codes[1:])
    assert ([first.answer.said, *said][-1], facts, state.units("TEA")) == (says, [], 0)


def test_what_is_not_known_to_lie_at_a_place_is_counted_when_it_is_scanned_twice() -> None:
    state, _, said = counted(a_count(), "A-1", "TEA", "CUP", "POT", "CUP", "CUP")
    assert said[2:] == ["not_known_here", "counted_here", "not_known_here", "counted_here"]
    state, facts, said = counted(state, "OL:UNDO", "CUP", "OL:DONE", "B-2", "CUP", "TEA", "TEA")
    assert said[:3] == ["undone", "counted_here", "count_there"]
    state, more, said = counted(state, "OL:DONE")
    assert [(x.what, x.part) for x in (*facts, *more)] == [
        *(("count", "POT"), ("count", "TEA"), ("count", "CUP"), ("lies", "CUP"), ("lies", "CUP")),
    ]
    assert (said, state.counted["CUP"]) == (["all_counted"], 2)
    gone = counting.refused(state, more[-1], "no such place")
    assert gone.answer.said == "place_gone"
    state, _, _ = counted(a_count(), "A-1", "TEA", "POT", "OL:DONE", "B-2")
    assert counted(state, "POT")[2] == ["wrong_item"]  # it is counted already


COUNT_CODES = st.sampled_from(
    (
        *("TEA", "TEA", "POT", "A-1", "A-1", "B-2", "B-2", "OL:DONE", "OL:DONE", "OL:QTY:2"),
        *("CUP", "OL:UNDO", "OL:WHY:lost", "OL:SKIP", "OL:OTHER", "OL:CANCEL", "nothing"),
    )
)


@settings(max_examples=200, deadline=None)
@given(codes=st.lists(COUNT_CODES, max_size=60))
def test_a_count_is_recorded_as_on_record_or_after_two_that_agree(codes: list[str]) -> None:
    state, facts, said = counted(a_count(), "A-1", *codes)
    counts = [fact for fact in facts if fact.what == "count"]
    assert len({fact.part for fact in counts}) == len(counts)
    assert {fact.part for fact in facts if fact.what == "lies"} <= {*state.found}
    for fact in counts:
        shelf, n = SHELVES[fact.part], int(fact.said["counted"]) - SHELVES[fact.part].away
        assert n == state.counted[fact.part]
        if n != shelf.expected:
            assert fact.said["why"] == "lost"
            assert said.count("count_again") >= 1
            assert "differs" in said
        else:
            assert fact.said["why"] == counting.NO_DIFFERENCE or "differs" in said
    assert not state.is_over or not state.held


def ran(
    decide: Any, state: Any, codes: list[str], found: Any = None
) -> tuple[Any, list[Fact], Any]:
    """Any run after these scans, all facts, and what was said."""
    facts: list[Fact] = []
    said: list[str] = []
    for code in codes:
        one = read(code)
        turn = decide(state, one if one.sku is None else replace(one, found=found))
        state = turn.state
        facts += turn.facts
        said.append(turn.answer.said)
    return state, facts, said


def test_goods_go_from_place_to_place() -> None:
    codes = ["A-1", "OL:QTY:3", "TEA", "OL:ALL", "B-2", "POT", "TEA", "A-1", "B-2", "OL:DONE"]
    state, facts, said = ran(moving.decide, Moving(), codes, "Green tea")
    assert said == [
        *("from_place", "next_stands_for", "now_where", "place_is_empty", "moved_to"),
        *("now_where", "wrong_item", "same_place", "moved_to", "moving_over"),
    ]
    assert [(fact.part, fact.said) for fact in facts] == [
        ("TEA", {"from": "A-1", "to": "B-2", "is_all": 1}),
        ("POT", {"from": "A-1", "to": "B-2", "is_all": 0}),
    ]
    assert (state.is_over, state.names) == (True, {"TEA": "Green tea", "POT": "Green tea"})


def test_what_is_broken_or_found_is_asked_for_and_then_recorded() -> None:
    state, facts, said = ran(moving.decide, Moving(), ["TEA", "OL:OFF:wet", "TEA", "OL:DONE"])
    assert (said, facts) == (["now_where", "off_sure", "now_where", "where_first"], [])
    state, facts, said = ran(moving.decide, state, ["OL:OFF:wet", "OL:DONE", "TEA"])
    assert (said[1], facts[0].what, facts[0].said["n"]) == ("is_off", "write_off", 2)
    state, more, _ = ran(moving.decide, state, ["OL:FOUND:behind the shelf", "OL:DONE"])
    assert (more[0].what, more[0].said["n"]) == ("adjust", 1)
    assert more[0].said["number"] != facts[0].said["number"]
    turn = moving.refused(state, more[0], "no stock is kept of it")
    assert (turn.answer.said, len(turn.state.log)) == ("not_moved", 1)


@pytest.mark.parametrize(
    ("codes", "says"),
    [
        (["nothing"], "unknown"),
        (["OL:ALL"], "from_where_first"),
        (["OL:OFF:wet"], "item_first"),
        (["OL:UNDO"], "nothing_to_undo"),
        (["TEA", "OL:UNDO"], "undone"),
        (["OL:QTY:x"], "no_number"),
        (["OL:SHORT"], "not_here"),
        (["TEA", "OL:CANCEL"], "moving_over"),
        (["OL:DONE", "TEA"], "run_over"),
    ],
)
def test_what_is_not_asked_for_moves_nothing(codes: list[str], says: str) -> None:
    _, facts, said = ran(moving.decide, Moving(), codes)
    assert (said[-1], facts) == (says, [])


SEND_CODES = st.sampled_from(
    ("TEA", "TEA", "POT", "nothing", "OL:DONE", "OL:UNDO", "OL:QTY:2", "OL:CANCEL", "OL:WHY:x")
)


@settings(max_examples=200, deadline=None)
@given(codes=st.lists(SEND_CODES, max_size=40))
def test_what_is_sent_is_what_was_scanned_and_never_more_than_is_free(codes: list[str]) -> None:
    state, facts, said = ran(sending.decide, Sending(part="T-1", to="outlet"), codes, Free(units=4))
    assert len(facts) <= 1
    assert all(n <= 4 for n in state.units.values())
    for fact in facts:
        assert (fact.counted, fact.said["to"], state.is_over) == (state.units, "outlet", True)
        assert sum((fact.counted or {}).values()) == state.taken > 0
        assert said.count("send_sure") >= 1
        assert not sending.refused(state, "some are promised").state.is_over


def test_goods_of_which_no_stock_is_kept_are_not_sent() -> None:
    state, facts, said = ran(
        sending.decide, Sending(part="T-1", to="outlet"), ["TEA", "OL:DONE", "OL:QTY:0", "OL:KG:1"]
    )
    assert (said, facts) == (["no_stock_here", "nothing_to_send", "no_number", "not_here"], [])
    _, _, said = ran(sending.decide, state, ["POT", "OL:QTY:9", "POT"], Free(units=4))
    assert said == ["goes_to", "next_stands_for", "not_free"]
