"""Receipts as pure decisions: whatever is scanned, what is received is what was scanned."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.warehouse.receipts import Due, Receiving
from domain.warehouse.receiving import decide, refused
from domain.warehouse.scans import Fact, Read, command_in

DUE = (Due(sku="TEA", due=4, most=5), Due(sku="POT", due=1, most=1))


def a_receipt(*, has_bins: bool = True) -> Receiving:
    return Receiving(
        sender="supplier",
        part="PO-1",
        by="Leaf & Co",
        due=DUE,
        places={"TEA": ("A-1",)},
        has_bins=has_bins,
    )


def read(code: str) -> Read:
    if code.startswith("OL:"):
        return Read(code, command=command_in(code))
    if code in ("TEA", "POT", "CUP"):
        return Read(code, sku=code)
    return Read(code, place=code if "-" in code else None)


def scanned(state: Receiving, *codes: str) -> tuple[Receiving, list[Fact], list[str]]:
    """The run after these scans, all facts, and what was said."""
    facts: list[Fact] = []
    said: list[str] = []
    for code in codes:
        turn = decide(state, read(code))
        state = turn.state
        facts += turn.facts
        said.append(turn.answer.said)
    return state, facts, said


def test_goods_are_counted_and_put_away_and_the_receipt_is_one() -> None:
    codes = ("TEA", "OL:QTY:3", "TEA", "A-1", "POT", "B-2", "OL:DONE")
    state, facts, said = scanned(a_receipt(), *codes)
    assert said == [
        *("put_there", "next_stands_for", "put_there", "all_of_sku", "put_anywhere", "all_came"),
        "receipt_done",
    ]
    assert [(fact.what, fact.part, fact.counted) for fact in facts] == [
        ("receive", "PO-1", {"POT": 1, "TEA": 4}),
        ("lies", "POT", None),  # that TEA lies at A-1 is known
    ]
    assert (state.is_over, state.held) == (True, ())


def test_where_there_are_no_places_goods_are_counted_at_once() -> None:
    _, facts, said = scanned(a_receipt(has_bins=False), "TEA", "POT", "OL:DONE", "OL:DONE")
    assert said == ["counted", "all_of_sku", "missing_sure", "receipt_done"]
    assert [fact.counted for fact in facts] == [{"POT": 1, "TEA": 1}]


@pytest.mark.parametrize(
    ("codes", "says"),
    [
        (("CUP",), "not_ordered"),
        (("OL:QTY:6", "TEA"), "over_delivered"),
        (("OL:QTY:0",), "no_number"),
        (("A-1",), "item_first"),
        (("TEA", "POT"), "put_first"),
        (("TEA", "OL:DONE"), "put_first"),
        (("nobody knows",), "unknown"),
        (("OL:DONE",), "nothing_came"),
        (("OL:SKIP",), "item_first"),
        (("OL:UNDO",), "nothing_to_undo"),
        (("OL:SHORT",), "rest_sure"),
        (("OL:SHORT", "OL:UNDO", "OL:SHORT"), "rest_sure"),  # asked anew in between
        (("OL:IS:wet",), "unknown"),
        (("OL:POS:1",), "not_here"),
        (("OL:CANCEL",), "forget_sure"),
    ],
)
def test_what_is_not_asked_for_records_nothing(codes: tuple[str, ...], says: str) -> None:
    state, facts, said = scanned(a_receipt(), *codes)
    assert (said[-1], facts, state.came) == (says, [], ())


def test_what_is_over_missing_or_damaged_is_told() -> None:
    state, _, said = scanned(a_receipt(), "OL:QTY:5", "TEA", "OL:IS:damaged")
    assert said[-1] == "put_aside"
    assert (state.damaged("TEA"), state.missing) == (5, 1)
    state, _, said = scanned(a_receipt(), "OL:QTY:5", "TEA", "OL:SKIP")
    assert said[-1] == "more_than_due"
    state, _, said = scanned(state, "OL:IS:damaged", "POT", "OL:UNDO", "OL:DONE")
    assert said == ["now_damaged", "put_aside", "undone", "missing_sure"]
    state, (fact,), said = scanned(state, "OL:SHORT", "OL:SHORT")
    assert (said, state.ends, fact.counted) == (["rest_sure", "receipt_done"], True, {"TEA": 5})


def test_a_receipt_that_is_refused_goes_on_with_what_may_come_now() -> None:
    state, (fact, *_), _ = scanned(a_receipt(), "OL:QTY:4", "TEA", "B-2", "OL:DONE", "OL:DONE")
    turn = refused(state, fact, (Due(sku="TEA", due=1, most=1),), "others came first")
    assert (turn.state.is_over, turn.answer.said) == (False, "not_received")
    state, facts, said = scanned(turn.state, "OL:UNDO", "TEA", "B-2", "OL:DONE")
    assert (said[-1], facts[0].counted) == ("receipt_done", {"TEA": 1})
    over = refused(state, facts[0], (), "it was cancelled").state
    assert (over.is_over, over.why_not) == (True, "it was cancelled")
    gone = refused(state, facts[1], (), "no such place")
    assert (gone.answer.said, gone.state) == ("place_gone", state)


CODES = st.sampled_from(
    (
        *("TEA", "TEA", "POT", "CUP", "A-1", "B-2", "nothing"),
        *("OL:DONE", "OL:SHORT", "OL:SKIP", "OL:UNDO", "OL:QTY:2", "OL:QTY:9", "OL:IS:damaged"),
        *("OL:IS:new", "OL:CANCEL", "OL:NONE"),
    )
)


@settings(max_examples=200, deadline=None)
@given(codes=st.lists(CODES, max_size=50), has_bins=st.booleans())
def test_what_is_received_is_what_was_scanned(codes: list[str], has_bins: bool) -> None:
    state, facts = a_receipt(has_bins=has_bins), list[Fact]()
    scanned_: list[tuple[str, int]] = []  # units that are on the dock, scan by scan
    for code in codes:
        before = state
        turn = decide(state, read(code))
        state = turn.state
        facts += turn.facts
        change = state.taken - before.taken
        if change > 0:
            scanned_.append((code, change))
        elif change < 0 and turn.answer.said == "undone":
            while change:
                change += scanned_.pop()[1]
    receipts = [fact for fact in facts if fact.what == "receive"]
    assert len(receipts) <= 1
    for fact in receipts:
        assert fact.counted is not None
        by_sku = {sku: sum(n for code, n in scanned_ if code == sku) for sku, _ in scanned_}
        assert fact.counted == by_sku
        assert all(fact.counted.get(one.sku, 0) <= one.most for one in DUE)
        assert all(state.damaged(sku) <= n for sku, n in fact.counted.items())
        assert state.is_over
    # Each place that is told anew is one where something was put.
    put = {(one.sku, one.place) for one in state.came}
    assert {(x.part, x.said["place"]) for x in facts if x.what == "lies"} <= put
