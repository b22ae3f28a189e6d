"""Parcels that come back as pure decisions: each unit scanned is counted once, in one condition."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.aftersales.return_counts import USUAL
from domain.warehouse.returned import BackLine, Expected, Parcel, Returning
from domain.warehouse.returning import decide, refused
from domain.warehouse.scans import Fact, Read, command_in

LINES = (
    BackLine(line_id="1", sku="TEA", quantity=2, goes=dict(USUAL)),
    BackLine(line_id="2", sku="POT", quantity=1, goes=dict(USUAL)),
    BackLine(line_id="3", sku="TEA", quantity=1, goes=dict(USUAL)),
)
ONE = Parcel(order_id="web-1", returns=(Expected(return_id="web-1:R1", lines=LINES),))
TWO = Parcel(
    order_id="web-2",
    returns=(
        Expected(return_id="web-2:R1", lines=LINES),
        Expected(return_id="web-2:R2", lines=LINES[:1]),
    ),
)
PARCELS = {
    "web-1:R1": ONE,
    "web-2": TWO,
    "web-2:R2": Parcel(order_id="web-2", returns=TWO.returns[1:]),
    "web-3": Parcel(order_id="web-3"),
}


def read(code: str) -> Read:
    if code.startswith("OL:"):
        return Read(code, command=command_in(code))
    if code in ("TEA", "POT", "CUP"):
        return Read(code, sku=code, found="Green tea" if code == "TEA" else None)
    return replace(Read(code), found=PARCELS.get(code))


def scanned(state: Returning, *codes: str) -> tuple[Returning, list[Fact], list[str]]:
    """The run after these scans, all facts, and what was said."""
    facts: list[Fact] = []
    said: list[str] = []
    for code in codes:
        turn = decide(state, read(code))
        state = turn.state
        facts += turn.facts
        said.append(turn.answer.said)
    return state, facts, said


def test_units_are_counted_by_condition_and_what_becomes_of_them_is_said() -> None:
    state, facts, said = scanned(
        *(Returning(), "web-1:R1", "OL:QTY:2", "TEA", "OL:IS:opened", "TEA", "OL:PHOTO:p-1"),
        *("OL:IS:damaged", "OL:DONE", "OL:DONE"),
    )
    assert said == [
        *("return_open", "next_stands_for", "which_condition", "goes_restock"),
        *("which_condition", "noted", "goes_scrap", "customer_keeps", "return_counted"),
    ]
    assert [(x.line_id, x.units, x.condition, x.photo) for x in state.units] == [
        ("1", 2, "opened", ""),
        ("3", 1, "damaged", "p-1"),
    ]
    assert [(fact.what, fact.part) for fact in facts] == [("return", "web-1:R1")]
    assert (state.is_over, state.held, state.names["TEA"]) == (True, (), "Green tea")


def test_what_was_not_announced_is_kept_apart() -> None:
    state, _, said = scanned(
        Returning(), "web-1:R1", "OL:QTY:4", "TEA", "OL:IS:new", "CUP", "OL:IS:used"
    )
    assert said[2:] == ["not_in_return", "goes_aside", "not_in_return", "goes_aside"]
    assert [(x.sku, x.units) for x in state.came()] == [("TEA", 1), ("CUP", 1)]
    assert (state.got("1"), state.got("3")) == (2, 1)


def test_one_of_several_returns_is_chosen_and_a_parcel_of_nobody_is_taken_too() -> None:
    state, _, said = scanned(Returning(), "web-2", "nothing", "web-2:R2")
    assert said == ["choose_return", "whose_parcel", "return_open"]
    assert (state.part, state.choices) == ("web-2:R2", ())
    state, facts, said = scanned(Returning(), "web-3", "OL:DONE", "TEA", "OL:IS:new", "OL:DONE")
    assert said[:2] == ["not_announced", "nothing_came"]
    assert (facts[0].what, state.order_id) == ("unannounced", "web-3")
    state, facts, said = scanned(
        Returning(), "OL:NOBODY", "TEA", "OL:IS:new", "OL:NOBODY", "OL:DONE"
    )
    assert (said[0], said[3]) == ("nobodys_parcel", "not_here")
    assert (facts[0].what, state.order_id) == ("unannounced", "")
    again = refused(state, "no such place")
    assert (again.state.is_over, again.answer.said) == (False, "not_received")


@pytest.mark.parametrize(
    ("codes", "says"),
    [
        (("OL:DONE",), "not_here"),
        (("OL:IS:new",), "not_here"),
        (("web-1:R1", "OL:IS:new"), "item_first"),
        (("web-1:R1", "OL:IS:wet"), "unknown"),
        (("web-1:R1", "OL:PHOTO:x"), "item_first"),
        (("web-1:R1", "nothing"), "unknown"),
        (("web-1:R1", "TEA", "POT"), "condition_first"),
        (("web-1:R1", "TEA", "OL:DONE"), "condition_first"),
        (("web-1:R1", "OL:UNDO"), "nothing_to_undo"),
        (("web-1:R1", "OL:QTY:0"), "no_number"),
        (("web-1:R1", "OL:DONE"), "customer_keeps"),
        (("web-1:R1", "OL:CANCEL"), "forget_sure"),
    ],
)
def test_what_is_not_asked_for_counts_nothing(codes: tuple[str, ...], says: str) -> None:
    state, facts, said = scanned(Returning(), *codes)
    assert (said[-1], facts, state.units) == (says, [], ())


CODES = st.sampled_from(
    (
        *("TEA", "TEA", "POT", "CUP", "OL:IS:new", "OL:IS:damaged", "OL:IS:used", "OL:DONE"),
        *("OL:UNDO", "OL:QTY:2", "OL:QTY:9", "OL:CANCEL", "OL:NOBODY", "OL:PHOTO:x", "nothing"),
    )
)


@settings(max_examples=200, deadline=None)
@given(codes=st.lists(CODES, max_size=50))
def test_what_is_counted_is_what_was_scanned(codes: list[str]) -> None:
    state, _, _ = scanned(Returning(), "web-1:R1")
    facts: list[Fact] = []
    for code in codes:
        before = state
        turn = decide(state, read(code))
        state = turn.state
        facts += turn.facts
        is_new = code in ("TEA", "POT", "CUP") and turn.answer.said not in ("run_over",)
        if not is_new and turn.answer.said not in ("undone", "nothing_recorded"):
            assert state.taken == before.taken
    assert len(facts) <= 1
    assert not facts or (state.is_over and state.hand is None and not state.held)
    for line in LINES:
        assert 0 <= state.got(line.line_id) <= line.quantity
    aside = sum(one.units for one in state.came())
    in_lines = sum(state.got(line.line_id) for line in LINES)
    assert aside + in_lines + (state.hand.units if state.hand else 0) == state.taken
