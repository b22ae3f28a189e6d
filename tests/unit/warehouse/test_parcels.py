"""Runs that pack, hand over, put back and give out, as pure decisions."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.warehouse import collecting, manifests, packing, putting_back
from domain.warehouse.collecting import Collecting, Ready, Tried
from domain.warehouse.manifests import Manifest, ToLoad
from domain.warehouse.packing import Packing, ToPack
from domain.warehouse.putting_back import PuttingBack, ToPutBack
from domain.warehouse.scans import Fact, Read, State, Turn, command_in

S = TypeVar("S", bound=State)


class Decides(Protocol[S]):
    """The decision of a kind of run."""

    def __call__(self, state: S, read: Read, at: datetime | None = None) -> Turn[S]: ...


PARCELS = {
    "p1": ToPack(part_id="p1", wanted={"TEA": 2, "POT": 1}),
    "p2": ToPack(part_id="p2", wanted={"TEA": 1}),
    "p3": ToPack(part_id="p3", why_not="has_left"),
}
LOADS = {
    "p1": ToLoad(part_id="p1", carrier="bike", tracking_number="B1"),
    "p2": ToLoad(part_id="p2", carrier="bike", tracking_number="B2"),
    "p4": ToLoad(part_id="p4", carrier="ship", tracking_number="S1"),
    "p3": ToLoad(part_id="p3", why_not="no_label_yet"),
}


def run(
    decide: Decides[S], state: S, *codes: str, found: dict[str, Any]
) -> tuple[S, list[Fact], list[str]]:
    """The run after these scans, all facts, and what was said."""
    facts: list[Fact] = []
    said: list[str] = []
    for code in codes:
        sku = code if code in ("TEA", "POT", "CUP") else None
        place = code if code in ("A-1", "B-2") else None
        read = Read(code, command_in(code), sku=sku, place=place, found=found.get(code))
        turn = decide(state, read)
        state = turn.state
        facts += turn.facts
        said.append(turn.answer.said)
    return state, facts, said


def test_a_parcel_is_packed_unit_by_unit_with_box_and_weight() -> None:
    codes = ("p1", "TEA", "POT", "TEA", "OL:BOX:M", "1,250kg", "OL:DONE")
    state, (fact,), said = run(packing.decide, Packing(), *codes, found=PARCELS)
    assert said == [
        *("parcel_open", "in_the_box", "in_the_box", "all_in_the_box"),
        *("boxed", "weighed", "parcel_packed"),
    ]
    assert (fact.what, fact.part, fact.said) == ("pack", "p1", {"box": "M", "grams": 1250})
    assert (state.part, state.last, state.packed, state.box) == ("", "p1", 1, "")
    state, _, said = run(packing.decide, state, "OL:DONE", "p2", found=PARCELS)
    assert (said, state.is_over) == (["packing_over", "run_over"], True)


@pytest.mark.parametrize(
    ("codes", "says"),
    [
        (("TEA",), "parcel_first"),
        (("p3",), "has_left"),
        (("p1", "CUP"), "not_in_parcel"),
        (("p1", "POT", "POT"), "too_many"),
        (("p1", "OL:QTY:3", "TEA"), "too_many"),
        (("p1", "OL:DONE"), "box_not_full"),
        (("p1", "p2"), "finish_first"),
        (("p1", "p1"), "parcel_is_open"),
        (("p1", "no such thing"), "unknown"),
        (("p1", "OL:KG:x"), "no_weight"),
        (("OL:KG:1",), "parcel_first"),
        (("OL:BOX:M",), "parcel_first"),
        (("p1", "OL:QTY:x"), "no_number"),
        (("p1", "OL:UNDO"), "nothing_to_undo"),
        (("p1", "TEA", "OL:UNDO"), "undone"),
        (("p1", "TEA", "OL:CANCEL"), "parcel_aside"),
        (("OL:CANCEL",), "packing_over"),
        (("OL:SHORT",), "not_here"),
    ],
)
def test_a_packer_is_told_what_is_wrong_and_nothing_is_packed(
    codes: tuple[str, ...], says: str
) -> None:
    _, facts, said = run(packing.decide, Packing(), *codes, found=PARCELS)
    assert (said[-1], facts) == (says, [])


@settings(max_examples=100, deadline=None)
@given(
    codes=st.lists(
        st.sampled_from(
            (
                *("p1", "p2", "p3", "TEA", "TEA", "POT", "CUP", "OL:DONE", "OL:UNDO"),
                *("OL:QTY:2", "OL:CANCEL", "500g", "OL:BOX:S", "x"),
            )
        ),
        max_size=50,
    )
)
def test_what_is_packed_is_whole_whatever_is_scanned(codes: list[str]) -> None:
    state = Packing()
    for code in codes:
        before = state
        state, facts, _ = run(packing.decide, state, code, found=PARCELS)
        assert all(0 <= n <= state.wanted[sku] for sku, n in state.got.items())
        for fact in facts:
            assert before.part == fact.part
            assert before.got == before.wanted


def test_a_parcel_that_may_not_be_packed_is_put_aside() -> None:
    state, (fact,), _ = run(packing.decide, Packing(), "p2", "TEA", "OL:DONE", found=PARCELS)
    turn = packing.refused(state, fact, "it was cancelled")
    assert (turn.answer.said, turn.state.packed, turn.state.last) == ("parcel_not_packed", 0, "")


def test_a_manifest_takes_parcels_of_one_carrier_once() -> None:
    codes = ("OL:DONE", "p1", "p1", "p4", "p3", "p2", "x", "OL:UNDO", "p2", "OL:SHORT", "OL:DONE")
    state, facts, said = run(manifests.decide, Manifest(), *codes, found=LOADS)
    assert said == [
        *("manifest_empty", "loaded", "on_it_already", "other_carrier", "no_label_yet"),
        *("loaded", "unknown", "taken_off", "loaded", "not_here", "manifest_closed"),
    ]
    assert [(fact.what, fact.part) for fact in facts] == [
        *(("hand_over", "p1"), ("hand_over", "p2"), ("manifest", "bike")),
    ]
    assert state.held == ()
    turn = manifests.refused(state, facts[0], "it is held")
    assert [one.part_id for one in turn.state.parcels] == ["p2"]
    assert turn.state.refused == {"p1": "it is held"}


def test_a_manifest_is_given_up_when_that_is_said_twice() -> None:
    codes = ("OL:CANCEL", "p1", "OL:CANCEL", "OL:UNDO", "p4", "OL:CANCEL", "OL:CANCEL")
    state, _, said = run(manifests.decide, Manifest(), "p1", *codes, found=LOADS)
    assert said[1:] == [
        *("manifest_sure", "on_it_already", "manifest_sure", "taken_off", "loaded"),
        *("manifest_sure", "manifest_given_up"),
    ]
    assert state.is_over
    state, _, said = run(manifests.decide, Manifest(), "OL:UNDO", "OL:CANCEL", found=LOADS)
    assert said == ["nothing_to_undo", "manifest_given_up"]


def test_goods_go_back_to_their_places() -> None:
    tasks = (
        ToPutBack(put_back_id="b1", opens_box=True, units={"TEA": 2}),
        ToPutBack(put_back_id="b2", opens_box=False, units={"CUP": 1}),
    )
    start = PuttingBack(tasks=tasks, places={"TEA": ("A-1",)})
    codes = (
        *("POT", "A-1", "TEA", "OL:DONE", "TEA", "TEA", "B-2", "OL:UNDO", "TEA", "TEA", "A-1"),
        *("OL:SKIP", "x", "OL:SHORT", "CUP", "OL:DONE"),
    )
    state, facts, said = run(putting_back.decide, start, *codes, found={})
    assert said == [
        *("wrong_item", "items_first", "in_the_box", "box_not_full", "to_place", "too_many"),
        *("wrong_place", "count_anew", "in_the_box", "to_place", "is_put_back"),
        *("skipped", "unknown", "not_here", "to_any_place", "all_put_back"),
    ]
    assert [fact.part for fact in facts] == ["b1", "b2"]
    assert state.is_over
    state, facts, said = run(putting_back.decide, start, "OL:CANCEL", "TEA", found={})
    assert (facts, said) == ([], ["put_back_later", "run_over"])


def test_goods_are_given_out_for_the_right_code() -> None:
    found = {
        "p1": Ready(part_id="p1", units={"TEA": 1}),
        "p2": Ready(part_id="p2", why_not="has_left"),
        "GOOD": Tried(),
        "BAD": Tried(why_not="wrong_code"),
    }
    assert run(collecting.decide, Collecting(), "OL:DONE", found=found)[0].is_over
    codes = ("x", "p2", "OL:SHORT", "p1", "BAD", "GOOD", "p1", "OL:CANCEL", "OL:CANCEL", "p1")
    state, (fact,), said = run(collecting.decide, Collecting(), *codes, found=found)
    assert said == [
        *("unknown", "has_left", "not_here", "ask_code", "code_wrong_code", "collected"),
        *("ask_code", "parcel_aside", "counter_over", "run_over"),
    ]
    assert (fact.what, fact.part, state.given) == ("hand_over", "p1", 1)
    assert collecting.refused(state, fact, "it is held").state.given == 0
