"""Pick runs as pure decisions: whatever is scanned, units picked are units asked, or told short."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.warehouse import pick_ends
from domain.warehouse.pick_decisions import decide
from domain.warehouse.picking import Picking, PickLine, PickParcel, Style
from domain.warehouse.scans import (
    Command,
    Fact,
    Read,
    Scan,
    command_in,
    grams_in,
    place_of,
    units_in,
)

SKUS = ("TEA", "POT", "CUP")
PLACES = {"POT": ("A-1", "Z-9"), "TEA": ("B-2",)}


def a_run(style: Style, *parcels: Mapping[str, int]) -> Picking:
    """Parcels of lines SKU → units; a line of the SKU SET is one TEA and two CUPs."""
    kit = {"TEA": 1, "CUP": 2}
    made = tuple(
        PickParcel(
            part_id=f"web-{number}:1",
            spot=number,
            lines=tuple(
                PickLine(line_id=sku, quantity=n, parts=kit if sku == "SET" else {sku: 1})
                for sku, n in lines.items()
            ),
        )
        for number, lines in enumerate(parcels, start=1)
    )
    return Picking(style=style, parcels=made, stops=pick_ends.planned(made, PLACES))


def read(code: str) -> Read:
    if code.startswith("OL:"):
        return Read(code, command=command_in(code))
    if code.startswith("web-"):
        return Read(code, part=code)
    if code in SKUS:
        return Read(code, sku=code)
    return Read(code, place=code if "-" in code else None)


def scanned(state: Picking, *codes: str) -> tuple[Picking, list[Fact], list[str]]:
    """The run after these scans, all facts, and what was said."""
    facts: list[Fact] = []
    said: list[str] = []
    for code in codes:
        turn = decide(state, read(code))
        state = turn.state
        facts += turn.facts
        said.append(turn.answer.said)
    return state, facts, said


def test_one_parcel_is_picked_by_place_and_item() -> None:
    state, facts, said = scanned(
        *(a_run("single", {"TEA": 2, "POT": 1}), "A-1", "POT", "B-2", "TEA", "TEA")
    )
    assert said == ["place_is_right", "next_stop", "place_is_right", "counted", "all_picked"]
    assert [fact.counted for fact in facts] == [{"TEA": 2, "POT": 1}]
    assert state.is_over


@pytest.mark.parametrize(
    ("codes", "says"),
    [
        (("POT",), "place_first"),
        (("B-2",), "wrong_place"),
        (("A-1", "TEA"), "wrong_item"),
        (("A-1", "OL:QTY:2"), "too_many"),
        (("nobody knows",), "unknown"),
        (("OL:DONE",), "not_yet"),
        (("OL:UNDO",), "nothing_to_undo"),
        (("OL:SHORT",), "short_sure"),
        (("OL:CANCEL",), "cancel_sure"),
        (("OL:KG:1",), "not_here"),
        (("OL:POS:1",), "item_first"),
        (("Z-9",), "other_place"),
    ],
)
def test_what_is_not_asked_for_changes_nothing(codes: tuple[str, ...], says: str) -> None:
    state, facts, said = scanned(a_run("single", {"POT": 1}), *codes)
    assert (said[-1], facts, state.taken) == (says, [], 0)


def test_on_a_cart_units_go_to_the_spot_that_is_said() -> None:
    run = a_run("cluster", {"TEA": 1}, {"TEA": 1})
    state, facts, said = scanned(run, "B-2", "TEA", "TEA", "OL:POS:2", "OL:POS:1")
    assert said == ["place_is_right", "to_spot", "spot_first", "wrong_spot", "counted"]
    assert [(fact.part, fact.counted) for fact in facts] == [("web-1:1", {"TEA": 1})]
    state, facts, said = scanned(state, "TEA", "web-2:1")
    assert said == ["to_spot", "all_picked"]
    assert [(fact.part, fact.counted) for fact in facts] == [("web-2:1", {"TEA": 1})]


def test_what_is_not_there_is_asked_for_twice_and_then_told() -> None:
    run = a_run("batch", {"TEA": 2}, {"TEA": 2, "POT": 1})
    state, facts, _ = scanned(run, "A-1", "POT", "B-2", "OL:QTY:3", "TEA", "OL:SHORT")
    assert [fact.counted for fact in facts] == [{"TEA": 2}]
    state, facts, said = scanned(state, "OL:SHORT")
    assert said == ["all_picked"]
    assert [fact.counted for fact in facts] == [{"TEA": 1, "POT": 1}]
    state, facts, _ = scanned(run, "OL:SHORT", "A-1", "OL:SHORT")  # asked anew in between
    assert facts == []


def test_a_wave_of_which_one_parcel_is_refused_records_the_others() -> None:
    run = a_run("batch", {"TEA": 1}, {"TEA": 1, "CUP": 1})
    state, facts, said = scanned(run, "B-2", "TEA", "OL:REFUSE:the box is wet")
    assert said[-1] == "parcel_refused"
    told = [(fact.what, fact.part) for fact in facts]
    assert told == [("pick", "web-1:1"), ("refuse", "web-2:1")]
    assert state.is_over


def test_undo_takes_back_what_was_typed_before_what_was_scanned() -> None:
    codes = ("B-2", "TEA", "OL:QTY:2", "OL:UNDO", "TEA", "OL:UNDO")
    state, _, said = scanned(a_run("single", {"TEA": 3}), *codes)
    assert (said[2:], state.taken) == (["times", "times_off", "counted", "undone"], 1)


def test_of_a_kit_whole_ones_are_picked_and_the_rest_goes_back() -> None:
    run = a_run("single", {"SET": 2})
    state, facts, _ = scanned(
        *(run, "B-2", "OL:QTY:2", "TEA", "OL:QTY:3", "CUP", "OL:SHORT", "OL:SHORT")
    )
    assert [fact.counted for fact in facts] == [{"SET": 1}]
    assert {sku: n for sku, n in state.back.items() if n} == {"TEA": 1, "CUP": 1}


def test_a_parcel_that_became_smaller_is_recorded_as_it_is_now() -> None:
    run = a_run("single", {"TEA": 3})
    state, (fact,), _ = scanned(run, "B-2", "OL:QTY:3", "TEA")
    turn = pick_ends.refused(state, fact, {"TEA": 1}, "two were taken out")
    assert [fact.counted for fact in turn.facts] == [{"TEA": 1}]
    assert turn.state.back == {"TEA": 2}
    turn = pick_ends.refused(state, fact, None, "it was cancelled")
    assert (turn.facts, turn.state.back, turn.state.is_over) == ((), {"TEA": 3}, True)


CODES = st.sampled_from(
    (
        *SKUS,
        *("A-1", "B-2", "Z-9", "C-3", "web-1:1", "web-2:1", "web-3:1", "nothing"),
        *("OL:DONE", "OL:SHORT", "OL:SHORT", "OL:SKIP", "OL:UNDO", "OL:QTY:2", "OL:OTHER"),
        *("OL:POS:1", "OL:POS:2", "OL:CANCEL", "OL:REFUSE:broken", "OL:NONE"),
    )
)
PARCELS = st.lists(
    st.dictionaries(st.sampled_from((*SKUS, "SET")), st.integers(1, 3), min_size=1),
    min_size=1,
    max_size=3,
)


@settings(max_examples=150, deadline=None)
@given(
    style=st.sampled_from(("single", "batch", "cluster")),
    parcels=PARCELS,
    codes=st.lists(CODES, max_size=60),
    gone=st.integers(0, 3),
)
def test_whatever_is_scanned_each_unit_is_picked_told_short_or_put_back(
    style: Style, parcels: list[dict[str, int]], codes: list[str], gone: int
) -> None:
    state = a_run(style, *parcels)
    facts: list[Fact] = []
    took = 0  # units that left a shelf, as the picker knows
    for code in codes:
        before = in_hand(state)
        turn = decide(state, read(code))
        state = turn.state
        for fact in turn.facts:
            if len(facts) == gone and fact.what == "pick":
                state = pick_ends.refused(state, fact, None, "cancelled").state
            facts.append(fact)
        took += max(0, in_hand(state) - before) if turn.answer.said != "undone" else 0
        took -= before - in_hand(state) if turn.answer.said == "undone" else 0
    # Nothing is recorded twice, and never more than was asked for.
    assert len({fact.part for fact in facts}) == len(facts)
    for fact in facts:
        lines = {line.line_id: line.quantity for line in state.parcel(fact.part).lines}
        assert all(0 <= n <= lines[line] for line, n in (fact.counted or {}).items())
    # Each unit in hand is in a parcel, or goes back.
    assert in_hand(state) == took
    if state.is_over:
        assert not state.held
    # Whoever says that the rest is not there always comes to an end.
    for _ in range(200):
        if state.is_over:
            break
        spot = state.parcel(state.hand.part_id).spot if state.hand else 0
        state = decide(state, read(f"OL:POS:{spot}" if state.hand else "OL:SHORT")).state
    assert state.is_over


def in_hand(state: Picking) -> int:
    """Units that the picker has: in parcels recorded or under way, in hand, and to go back.

    A recorded parcel counts what it needs of its units; the rest of them is among those to go back.
    """
    units = sum(n for n in state.back.values()) + (state.hand.units if state.hand else 0)
    for parcel in state.parcels:
        if parcel.ended == "picked":
            units += sum(
                n * sum(line.parts.values())
                for line in parcel.lines
                for n in [parcel.counted[line.line_id]]
            )
        elif not parcel.ended and not state.is_over:
            units += sum(state.got(parcel.part_id).values())
    return units


def test_scans_have_their_turn_once() -> None:
    scan = Scan(seq=4, scan_id="a", code="TEA")
    assert place_of(3, "x", scan) == "next"
    assert place_of(4, scan.mark, scan) == "repeat"
    assert place_of(4, "b", scan) == "passed"
    changed = Scan(seq=4, scan_id="a", code="POT")
    assert place_of(4, changed.mark, scan) == "passed"
    assert place_of(9, "a", scan) == "passed"
    assert place_of(9, scan.mark, scan) == "repeat"  # it took the run over, from an old page
    assert place_of(2, "x", scan) == "gap"


def test_commands_units_and_weights_are_read() -> None:
    assert command_in("ol:qty:5") == Command("QTY", "5")
    assert command_in("OL:DONE") == Command("DONE")
    assert command_in("ㅒㅣ:애ㅜㄸ") == Command("DONE")  # the computer's keyboard is Korean
    assert command_in("OLÖDONE") == Command("DONE")  # or German
    assert command_in("OL:REFUSE:상자가 젖음") == Command("REFUSE", "상자가 젖음")
    for odd in ("OL:QTY", "OL:DONE:5", "OL:NONE", "TEA", "OL:", "OL:QTY:"):
        assert command_in(odd) is None, odd
    assert [units_in(text) for text in ("5", "0", "-1", "1.5", "", "123456", "٣")] == [
        *(5, 0, 0, 0, 0, 0, 0)
    ]
    weights = {"1.25kg": 1250, "1,5 KG": 1500, "800 g": 800, "2kg": 2000, "1.2345kg": None}
    assert {text: grams_in(text) for text in weights} == weights
    assert grams_in("8801234567890") is None
