"""A run in which the units of a place, or of a SKU, are counted. Pure.

It is blind: nobody is told how many there should be, before two counts in a row have said the same.
Whatever lies at a place is scanned in any sequence. Stock is counted by location, so a SKU is
counted at all of its places before anything is compared.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from domain.warehouse.counts import Counting, CountStop, Plan, Watched
from domain.warehouse.scans import Answer, Fact, Read, Turn, say, unknown
from domain.warehouse.tallies import (
    LOG_MAX,
    Acts,
    decided,
    given_up,
    nothing_to_undo,
    times,
    undone,
    units_of,
)
from domain.words import few

NO_DIFFERENCE: Final = "counted on the floor"
"""The reason of a count that found what was on record."""

Counted = Turn[Counting]


def decide(state: Counting, read: Read, at: datetime | None = None) -> Counted:
    """What a scan does. `read.found`: what is Watched; for a run that has no Plan yet, that."""
    if not state.stops:
        return decided(state, read, at, _BEFORE, begun)
    watched: Watched = read.found
    moved = [sku for sku, shelf in state.seen.items() if watched.shelves.get(sku) != shelf]
    if moved and (read.command is None or read.command.name != "CANCEL"):
        state = _anew(state, moved)
        return Turn(state, say("gone", "count_changed", sku=few(moved, "SKU")))
    state = _seen(state, watched)
    return decided(state, read, at, _AT_THE_END if state.differs else _ACTS, _scanned)


def _seen(state: Counting, watched: Watched) -> Counting:
    """Whoever stands at a place may count with their eyes: what is on record counts from now on."""
    if not state.is_there and any(stop.place for stop in state.here):
        return state
    new = {x.sku: watched.shelves[x.sku] for x in state.here if x.sku in watched.shelves}
    return state.model_copy(update={"seen": {**new, **state.seen}})


def begun(state: Counting, read: Read, _at: datetime | None = None) -> Counted:
    """It is known what is counted."""
    plan = read.found
    if not isinstance(plan, Plan):
        return Turn(state, unknown(read))
    if not plan.stops:
        return Turn(state, say("refused", "nothing_to_count", scanned=read.code))
    is_there = read.place is not None and plan.stops[0].place == read.place
    state = state.model_copy(
        update={"stops": plan.stops, "names": plan.names, "is_there": is_there}
    )
    return Turn(state, _next(state))


def _next(state: Counting) -> Answer:
    here = state.here
    said = "count_here" if state.is_there or not here[0].place else "count_there"
    skus = few((stop.sku for stop in here), "SKU")
    return say("good", said, sku=skus, place=here[0].place)


def _scanned(state: Counting, read: Read, _at: datetime | None) -> Counted:
    here = state.here
    if state.differs or not here:
        return Turn(state, say("refused", "say_why", sku=state.differs))
    if read.place is not None and (read.sku is None or not state.is_there):
        return _place(state, here[0].place, read.place)
    if read.sku is None:
        return Turn(state, unknown(read))
    if here[0].place and not state.is_there:
        answer = say("wrong_place", "place_first", expected=here[0].place, scanned=read.sku)
        return Turn(state, answer)
    if len(state.trail) >= LOG_MAX:
        return Turn(state, say("refused", "run_full"))
    stop = next((stop for stop in here if stop.sku == read.sku), None)
    return _strange(state, read) if stop is None else _units(state, stop, units_of(state, read))


def _place(state: Counting, expected: str, place: str) -> Counted:
    if place != expected:
        answer = say("wrong_place", "wrong_place", expected=expected, scanned=place)
        return Turn(state, answer)
    state = state.model_copy(update={"is_there": True})
    return Turn(state, _next(state))


def _strange(state: Counting, read: Read) -> Counted:
    """Something lies here that is not known to. Scanned twice, it is counted as well."""
    sku, plan = read.sku or "", read.found.plan
    others = {stop.place for stop in state.stops if stop.sku == sku}
    if not others and (plan is None or not plan.stops):
        return Turn(state, say("wrong_item", "no_stock_here", scanned=sku))
    place = state.here[0].place
    if sku in {*state.counted, *state.left_out} or not place or place in others:
        expected = few((stop.sku for stop in state.here), "SKU")
        return Turn(state, say("wrong_item", "wrong_item", expected=expected, scanned=sku))
    if state.strange != sku:
        answer = say("wrong_item", "not_known_here", scanned=sku, place=place)
        return Turn(state.model_copy(update={"strange": sku}), answer)
    new = CountStop(sku=sku, place=place)
    rest = () if plan is None else tuple(x for x in plan.stops if x.place and x.place != place)
    names = state.names if plan is None else {**state.names, **plan.names}
    update = {
        "stops": (new, *state.stops, *rest),
        "names": names,
        "found": (*state.found, sku),
        "strange": "",
    }
    state = state.model_copy(update=update)
    return _units(state, new, units_of(state, read))


def _units(state: Counting, stop: CountStop, units: int) -> Counted:
    counted = stop.model_copy(update={"log": (*stop.log, units)})
    trail = (*state.trail, stop.sku)
    state = _with(state, stop, counted)
    state = state.model_copy(update={"times": 0, "trail": trail, "strange": ""})
    return Turn(state, say("good", "counted_here", n=counted.units, sku=stop.sku))


def _with(state: Counting, stop: CountStop, changed: CountStop) -> Counting:
    stops = tuple(changed if one is stop else one for one in state.stops)
    return state.model_copy(update={"stops": stops})


def _anew(state: Counting, skus: Iterable[str]) -> Counting:
    """These SKUs are counted once more, from the beginning."""
    anew = set(skus)
    stops = tuple(
        CountStop(sku=one.sku, place=one.place) if one.sku in anew else one for one in state.stops
    )
    update = {
        "stops": stops,
        "seen": {sku: shelf for sku, shelf in state.seen.items() if sku not in anew},
        "trail": tuple(sku for sku in state.trail if sku not in anew),
        "differing": tuple(sku for sku in state.differing if sku not in anew),
        "is_there": False,
        "times": 0,
    }
    return state.model_copy(update=update)


def _undo(state: Counting, _value: str, _at: datetime | None) -> Counted:
    if not state.trail:
        return nothing_to_undo(state)
    *trail, sku = state.trail
    stop = next(stop for stop in state.here if stop.sku == sku)
    state = _with(state, stop, stop.model_copy(update={"log": stop.log[:-1]}))
    return undone(state, stop.log[-1], sku, trail=tuple(trail))


def _cancel(state: Counting, _value: str, _at: datetime | None) -> Counted:
    turn = given_up(state, sum(stop.units for stop in state.stops))
    if not turn.state.is_over:
        return turn
    return Turn(turn.state, say("done", "count_given_up", n=len(state.counted)))


def _done(state: Counting, _value: str, at: datetime | None) -> Counted:
    """All at this place is counted. That there is nothing of a SKU is asked for twice."""
    here = state.here
    if not here:
        return Turn(state, say("refused", "nothing_left"))
    if here[0].place and not state.is_there:
        answer = say("wrong_place", "place_first", expected=here[0].place, scanned="OL:DONE")
        return Turn(state, answer)
    none = [stop.sku for stop in here if not stop.log]
    if none and state.asking != "done":
        answer = say("asked", "none_sure", sku=few(none, "SKU"), place=here[0].place)
        return Turn(state.model_copy(update={"asking": "done"}), answer)
    stops = tuple(x.model_copy(update={"is_done": x.is_done or x in here}) for x in state.stops)
    update = {"stops": stops, "trail": (), "asking": "", "strange": ""}
    state = state.model_copy(update=update)
    lacking = {stop.sku for stop in stops if not stop.is_done}
    skus = [stop.sku for stop in here if stop.sku not in lacking]
    return _compared(state, skus, at)


def _compared(state: Counting, skus: list[str], at: datetime | None) -> Counted:
    """SKUs that were counted at all of their places, against what is on record."""
    facts: list[Fact] = []
    again: list[str] = []
    for sku in skus:
        found = state.units(sku)
        if found == state.seen[sku].expected:
            state, told = _recorded(state, sku, NO_DIFFERENCE, at)
            facts += told
        elif state.earlier.get(sku) != found:
            state = state.model_copy(update={"earlier": {**state.earlier, sku: found}})
            again.append(sku)
        else:
            state = state.model_copy(update={"differing": (*state.differing, sku)})
    if again:
        state = _anew(state, again)
    if again and not state.differs:
        return Turn(state, say("asked", "count_again", sku=few(again, "SKU")), facts)
    return _gone_on(state, facts)


def _recorded(
    state: Counting, sku: str, why: str, at: datetime | None
) -> tuple[Counting, list[Fact]]:
    found, shelf = state.units(sku), state.seen[sku]
    said: dict[str, str | int] = {
        "counted": found + shelf.away,
        "why": why,
        "on_hand": shelf.on_hand,
        "away": shelf.away,
    }
    facts = [Fact(what="count", part=sku, at=at, said=said)]
    facts += [
        Fact(what="lies", part=sku, at=at, said={"place": stop.place})
        for stop in state.stops
        if stop.sku == sku and sku in state.found and stop.units
    ]
    return _let_go(state, sku, {"counted": {**state.counted, sku: found}}), facts


def _let_go(state: Counting, sku: str, update: dict[str, object]) -> Counting:
    """Nothing more is asked of a SKU."""
    seen = {name: shelf for name, shelf in state.seen.items() if name != sku}
    differing = tuple(name for name in state.differing if name != sku)
    return state.model_copy(update={"seen": seen, "differing": differing, **update})


def _gone_on(state: Counting, facts: list[Fact]) -> Counted:
    """To the next difference, the next place, or the end."""
    if state.differs:
        sku = state.differs
        shelf, found = state.seen[sku], state.units(sku)
        answer = say("asked", "differs", expected=shelf.expected, scanned=found, sku=sku)
        return Turn(state, answer, facts)
    then = state.stop
    if then is None:
        state = state.model_copy(update={"is_over": True})
        return Turn(state, say("done", "all_counted", n=len(state.counted)), facts)
    state = state.model_copy(update={"is_there": False})
    return Turn(state, _next(state), facts)


def _why(state: Counting, reason: str, at: datetime | None) -> Counted:
    """The difference is recorded with its reason."""
    state, facts = _recorded(state, state.differs, reason, at)
    return _gone_on(state, facts)


def _skip(state: Counting, _value: str, _at: datetime | None) -> Counted:
    """What is on record stays."""
    left_out = (*state.left_out, state.differs)
    return _gone_on(_let_go(state, state.differs, {"left_out": left_out}), [])


def _other(state: Counting, _value: str, _at: datetime | None) -> Counted:
    """It is counted once more."""
    sku = state.differs
    state = _anew(state, [sku])
    if state.differs:
        return _gone_on(state, [])
    return Turn(state, say("asked", "count_again", sku=sku))


def refused(state: Counting, fact: Fact, why: str) -> Counted:
    """A count could not be recorded: the SKU is counted anew."""
    if fact.what == "lies":
        answer = say("gone", "place_gone", place=str(fact.said["place"]), sku=fact.part)
        return Turn(state, answer)
    counted = {sku: n for sku, n in state.counted.items() if sku != fact.part}
    state = _anew(state, [fact.part]).model_copy(update={"counted": counted, "is_over": False})
    return Turn(state, say("gone", "not_counted", sku=fact.part, why=why))


_BEFORE: Final[Acts[Counting]] = {"CANCEL": _cancel}
"""Commands for a run that does not know yet what it counts."""
_AT_THE_END: Final[Acts[Counting]] = {
    "CANCEL": _cancel,
    "OTHER": _other,
    "SKIP": _skip,
    "WHY": _why,
}
"""Commands for a SKU that differs. All others are for a place."""
_ACTS: Final[Acts[Counting]] = {
    "CANCEL": _cancel,
    "DONE": _done,
    "QTY": times,
    "UNDO": _undo,
}
