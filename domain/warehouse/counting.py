"""A run in which the units of a place, or of a SKU, are counted. Pure.

It is blind: nobody is told how many there should be, before two counts in a row have said the same.
Stock is counted by location, so a SKU is counted at all of its places before anything is compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from domain.warehouse.counts import Counting, CountStop, Plan, Shelf
from domain.warehouse.scans import (
    Answer,
    CommandName,
    Fact,
    Read,
    Turn,
    say,
    units_in,
    unknown,
)

NO_DIFFERENCE: Final = "counted on the floor"
"""The reason of a count that found what was on record."""


Counted = Turn[Counting]


def decide(state: Counting, read: Read, at: datetime | None = None) -> Counted:
    """What a scan does. `read.found`: a Plan, for a run that has none; or the SKU's Shelf."""
    if state.is_over:
        return Turn(state, say("refused", "run_over"))
    command = read.command
    if command is None or command.name.lower() != state.asking:
        state = state.model_copy(update={"asking": ""})
    if command is not None and command.name == "CANCEL":
        return _cancel(state)
    return _counting(state, read, at) if state.stops else _begin(state, read)


def _counting(state: Counting, read: Read, at: datetime | None) -> Counted:
    """A scan of a run that knows what it counts."""
    command, shelf = read.command, read.found
    if not isinstance(shelf, Shelf):
        return Turn(state, say("wrong_item", "no_stock_here", scanned=state.sku))
    if state.sku in state.seen and state.seen[state.sku] != shelf:
        return Turn(_anew(state, state.sku), say("gone", "count_changed", sku=state.sku))
    state = state.model_copy(update={"seen": {**state.seen, state.sku: shelf}})
    if command is None:
        return _goods(state, read)
    act = _ACTS.get(command.name)
    if act is None or bool(state.differs) != (command.name in _AT_THE_END):
        return Turn(state, say("refused", "not_here", scanned=command.name))
    return act(state, command.value, at)


def _begin(state: Counting, read: Read) -> Counted:
    plan = read.found
    if not isinstance(plan, Plan):
        return Turn(state, unknown(read))
    if not plan.stops:
        return Turn(state, say("refused", "nothing_to_count", scanned=read.code))
    is_there = read.place is not None and plan.stops[0].place == read.place
    state = state.model_copy(
        update={"stops": plan.stops, "names": plan.names, "is_there": is_there}
    )
    return Turn(state, _next(state, plan.stops[0]))


def _next(state: Counting, stop: CountStop) -> Answer:
    said = "count_here" if state.is_there or not stop.place else "count_there"
    return say("good", said, sku=stop.sku, place=stop.place)


def _goods(state: Counting, read: Read) -> Counted:
    stop = state.stop
    if state.differs or stop is None:
        return Turn(state, say("refused", "say_why", sku=state.differs))
    if read.place is not None and (read.sku is None or not state.is_there):
        return _place(state, stop, read.place)
    if read.sku is None:
        return Turn(state, unknown(read))
    return _units(state, stop, read)


def _place(state: Counting, stop: CountStop, place: str) -> Counted:
    if place != stop.place:
        answer = say("wrong_place", "wrong_place", expected=stop.place, scanned=place)
        return Turn(state, answer)
    state = state.model_copy(update={"is_there": True})
    return Turn(state, _next(state, stop))


def _units(state: Counting, stop: CountStop, read: Read) -> Counted:
    scanned = read.sku or ""
    if scanned != stop.sku:
        answer = say("wrong_item", "wrong_item", expected=stop.sku, scanned=scanned)
        return Turn(state, answer)
    if stop.place and not state.is_there:
        answer = say("wrong_place", "place_first", expected=stop.place, scanned=scanned)
        return Turn(state, answer)
    log = (*stop.log, read.units * (state.times or 1))
    counted = stop.model_copy(update={"log": log})
    state = _with(state, stop, counted).model_copy(update={"times": 0})
    return Turn(state, say("good", "counted_here", n=counted.units, sku=stop.sku))


def _with(state: Counting, stop: CountStop, changed: CountStop) -> Counting:
    stops = tuple(changed if one is stop else one for one in state.stops)
    return state.model_copy(update={"stops": stops})


def _anew(state: Counting, sku: str) -> Counting:
    """The SKU is counted once more, from the beginning."""
    stops = tuple(
        CountStop(sku=one.sku, place=one.place) if one.sku == sku else one for one in state.stops
    )
    seen = {name: shelf for name, shelf in state.seen.items() if name != sku}
    update = {"stops": stops, "seen": seen, "differs": "", "is_there": False, "times": 0}
    return state.model_copy(update=update)


def _times(state: Counting, value: str, _at: datetime | None) -> Counted:
    n = units_in(value)
    if n == 0:
        return Turn(state, say("unknown", "no_number"))
    return Turn(state.model_copy(update={"times": n}), say("asked", "next_stands_for", n=n))


def _undo(state: Counting, _value: str, _at: datetime | None) -> Counted:
    stop = state.stop
    if stop is None or not stop.log:
        return Turn(state, say("refused", "nothing_to_undo"))
    state = _with(state, stop, stop.model_copy(update={"log": stop.log[:-1]}))
    return Turn(state, say("asked", "undone", n=stop.log[-1], sku=stop.sku))


def _cancel(state: Counting) -> Counted:
    if state.asking != "cancel":
        n = sum(stop.units for stop in state.stops)
        answer = say("asked", "forget_sure", n=n)
        return Turn(state.model_copy(update={"asking": "cancel"}), answer)
    state = state.model_copy(update={"is_over": True})
    return Turn(state, say("done", "count_given_up", n=len(state.counted)))


def _done(state: Counting, _value: str, at: datetime | None) -> Counted:
    """All at this place is counted. That there is nothing is asked for twice."""
    stop = state.stop
    if stop is None:
        return Turn(state, say("refused", "nothing_left"))
    if not stop.log and state.asking != "done":
        answer = say("asked", "none_sure", sku=stop.sku, place=stop.place)
        return Turn(state.model_copy(update={"asking": "done"}), answer)
    state = _with(state, stop, stop.model_copy(update={"is_done": True}))
    state = state.model_copy(update={"asking": ""})
    if any(one.sku == stop.sku and not one.is_done for one in state.stops):
        return _gone_on(state, stop, ())
    return _compared(state, stop, at)


def _compared(state: Counting, stop: CountStop, at: datetime | None) -> Counted:
    sku, found, shelf = stop.sku, state.units(stop.sku), state.seen[stop.sku]
    if found == shelf.expected:
        return _gone_on(*_recorded(state, stop, NO_DIFFERENCE, at))
    if state.earlier.get(sku) != found:
        again = _anew(state.model_copy(update={"earlier": {**state.earlier, sku: found}}), sku)
        return Turn(again, say("asked", "count_again", sku=sku))
    state = state.model_copy(update={"differs": sku})
    return Turn(state, say("asked", "differs", expected=shelf.expected, scanned=found, sku=sku))


def _recorded(
    state: Counting, stop: CountStop, why: str, at: datetime | None
) -> tuple[Counting, CountStop, tuple[Fact]]:
    sku, found, shelf = stop.sku, state.units(stop.sku), state.seen[stop.sku]
    state = state.model_copy(update={"counted": {**state.counted, sku: found}, "differs": ""})
    said: dict[str, str | int] = {
        "counted": found + shelf.away,
        "why": why,
        "on_hand": shelf.on_hand,
        "away": shelf.away,
    }
    return state, stop, (Fact(what="count", part=sku, at=at, said=said),)


def _gone_on(state: Counting, left: CountStop, facts: tuple[Fact, ...]) -> Counted:
    """To the next stop, or to the end."""
    then = state.stop
    if then is None:
        state = state.model_copy(update={"is_over": True})
        return Turn(state, say("done", "all_counted", n=len(state.counted)), facts)
    is_there = state.is_there and then.place == left.place
    state = state.model_copy(update={"is_there": is_there})
    return Turn(state, _next(state, then), facts)


def _why(state: Counting, reason: str, at: datetime | None) -> Counted:
    """The difference is recorded with its reason."""
    return _gone_on(*_recorded(state, _last_stop(state), reason, at))


def _skip(state: Counting, _value: str, _at: datetime | None) -> Counted:
    """What is on record stays."""
    left_out = (*state.left_out, state.differs)
    state = state.model_copy(update={"differs": "", "left_out": left_out})
    return _gone_on(state, _last_stop(state, left_out[-1]), ())


def _other(state: Counting, _value: str, _at: datetime | None) -> Counted:
    """It is counted once more."""
    sku = state.differs
    return Turn(_anew(state, sku), say("asked", "count_again", sku=sku))


def _last_stop(state: Counting, sku: str = "") -> CountStop:
    return [stop for stop in state.stops if stop.sku == (sku or state.differs)][-1]


def refused(state: Counting, fact: Fact, why: str) -> Counted:
    """A count could not be recorded: the SKU is counted anew."""
    counted = {sku: n for sku, n in state.counted.items() if sku != fact.part}
    state = _anew(state, fact.part).model_copy(update={"counted": counted, "is_over": False})
    return Turn(state, say("gone", "not_counted", sku=fact.part, why=why))


_AT_THE_END: Final = ("WHY", "SKIP", "OTHER")
"""Commands for a SKU that differs. All others are for its places."""
_ACTS: Final[Mapping[CommandName, Callable[[Counting, str, datetime | None], Counted]]] = {
    "DONE": _done,
    "OTHER": _other,
    "QTY": _times,
    "SKIP": _skip,
    "UNDO": _undo,
    "WHY": _why,
}
