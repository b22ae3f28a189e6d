"""A run in which goods are received: of a purchase order, or of a transfer from another location.

Each scan of goods counts units; what is whole is put away, into a place that is scanned. One run is
one receipt. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

from domain.warehouse.receipts import LOG_MAX, Came, Due, Receiving
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

Received = Turn[Receiving]


def decide(state: Receiving, read: Read, at: datetime | None = None) -> Received:
    """What a scan does. `at`: when it was scanned."""
    if state.is_over:
        return Turn(state, say("refused", "run_over"))
    command = read.command
    if command is None or command.name.lower() != state.asking:
        state = state.model_copy(update={"asking": ""})
    if command is None:
        return _goods(state, read)
    act = _ACTS.get(command.name)
    if act is None:
        return Turn(state, say("refused", "not_here", scanned=command.name))
    return act(state, command.value, at)


def _goods(state: Receiving, read: Read) -> Received:
    hand = state.hand
    if hand is not None and read.place is not None and read.sku != hand.sku:
        return _put(state, hand, read.place)
    if read.sku is None:
        answer = unknown(read) if read.place is None else say("refused", "item_first")
        return Turn(state, answer)
    line = state.line(read.sku)
    if line is None:
        answer = say("wrong_item", "not_ordered", scanned=read.sku, part=state.part)
        return Turn(state, answer)
    if hand is not None and hand.sku != read.sku:
        return Turn(state, _put_first(state, hand))
    return _units(state, line, read.units * (state.times or 1))


def _units(state: Receiving, line: Due, units: int) -> Received:
    """Units of a SKU that is expected are here."""
    if len(state.came) >= LOG_MAX:
        return Turn(state, say("refused", "run_full"))
    sku, room = line.sku, line.most - state.got(line.sku)
    state = state.model_copy(update={"times": 0})
    if units > room:
        answer = say("over", "over_delivered", expected=room, scanned=units, sku=sku)
        return Turn(state, answer)
    came = Came(sku=sku, units=units, is_damaged=state.is_damaged)
    if came.is_damaged:
        state = state.model_copy(update={"came": (*state.came, came), "is_damaged": False})
        return Turn(state, say("asked", "put_aside", n=units, sku=sku))
    if not state.has_bins:
        return _counted(state.model_copy(update={"came": (*state.came, came)}), line)
    hand = Came(sku=sku, units=units + (state.hand.units if state.hand is not None else 0))
    place = next(iter(state.places.get(sku, ())), "")
    said = "put_there" if place else "put_anywhere"
    answer = say("good", said, n=hand.units, sku=sku, place=place)
    return Turn(state.model_copy(update={"hand": hand}), answer)


def _put(state: Receiving, hand: Came, place: str) -> Received:
    """What is in hand lies at a place."""
    came = (*state.came, hand.model_copy(update={"place": place}))
    state = state.model_copy(update={"came": came, "hand": None})
    line = state.line(hand.sku)
    return Turn(state, say("good", "put")) if line is None else _counted(state, line)


def _counted(state: Receiving, line: Due) -> Received:
    left = line.due - state.got(line.sku)
    if left < 0:
        return Turn(state, say("asked", "more_than_due", n=-left, sku=line.sku))
    if left:
        return Turn(state, say("good", "counted", n=left, sku=line.sku))
    if state.missing:
        return Turn(state, say("good", "all_of_sku", sku=line.sku))
    return Turn(state, say("good", "all_came"))


def _put_first(state: Receiving, hand: Came) -> Answer:
    place = next(iter(state.places.get(hand.sku, ())), "")
    return say("wrong_place", "put_first", n=hand.units, sku=hand.sku, place=place)


def _times(state: Receiving, value: str, _at: datetime | None) -> Received:
    n = units_in(value)
    if n == 0:
        return Turn(state, say("unknown", "no_number"))
    return Turn(state.model_copy(update={"times": n}), say("asked", "next_stands_for", n=n))


def _is(state: Receiving, value: str, _at: datetime | None) -> Received:
    """The condition of what is in hand, or of the next units."""
    if value.lower() not in ("damaged", "new"):
        return Turn(state, say("unknown", "unknown", scanned=value))
    is_damaged = value.lower() == "damaged"
    hand = state.hand
    if hand is None or not is_damaged:
        said = "now_damaged" if is_damaged else "now_whole"
        return Turn(state.model_copy(update={"is_damaged": is_damaged}), say("asked", said))
    came = (*state.came, hand.model_copy(update={"is_damaged": True}))
    state = state.model_copy(update={"came": came, "hand": None})
    return Turn(state, say("asked", "put_aside", n=hand.units, sku=hand.sku))


def _skip(state: Receiving, _value: str, _at: datetime | None) -> Received:
    """What is in hand is put away later: nobody says where."""
    return (
        Turn(state, say("refused", "item_first"))
        if state.hand is None
        else _put(state, state.hand, "")
    )


def _undo(state: Receiving, _value: str, _at: datetime | None) -> Received:
    last = state.hand or next(iter(state.came[-1:]), None)
    if last is None:
        return Turn(state, say("refused", "nothing_to_undo"))
    came = state.came if state.hand is not None else state.came[:-1]
    state = state.model_copy(update={"came": came, "hand": None, "is_damaged": False})
    return Turn(state, say("asked", "undone", n=last.units, sku=last.sku))


def _cancel(state: Receiving, _value: str, _at: datetime | None) -> Received:
    """Asked twice: what was counted is forgotten."""
    if state.asking != "cancel":
        answer = say("asked", "forget_sure", n=state.taken)
        return Turn(state.model_copy(update={"asking": "cancel"}), answer)
    state = state.model_copy(update={"is_over": True, "came": (), "hand": None})
    return Turn(state, say("done", "nothing_recorded"))


def _done(state: Receiving, _value: str, at: datetime | None) -> Received:
    """All is counted. What is missing is told first, and asked for."""
    if state.hand is not None:
        return Turn(state, _put_first(state, state.hand))
    if not state.came:
        return Turn(state, say("refused", "nothing_came"))
    if state.missing and state.asking != "done":
        answer = say("asked", "missing_sure", n=state.missing)
        return Turn(state.model_copy(update={"asking": "done"}), answer)
    return _received(state, at)


def _short(state: Receiving, _value: str, at: datetime | None) -> Received:
    """What is missing does not come any more. Asked twice."""
    if state.hand is not None:
        return Turn(state, _put_first(state, state.hand))
    if not state.missing:
        return Turn(state, say("refused", "nothing_missing"))
    if state.asking != "short":
        said = "rest_sure" if state.sender == "supplier" else "lost_sure"
        answer = say("asked", said, n=state.missing)
        return Turn(state.model_copy(update={"asking": "short"}), answer)
    return _received(state.model_copy(update={"ends": True}), at)


def _received(state: Receiving, at: datetime | None) -> Received:
    """The receipt, and then where goods lie that did not lie there before."""
    received = Fact(what="receive", part=state.part, at=at, counted=state.units)
    placed = sorted({(one.sku, one.place) for one in state.came if one.place})
    lies = [
        Fact(what="lies", part=sku, at=at, said={"place": place})
        for sku, place in placed
        if place not in state.places.get(sku, ())
    ]
    state = state.model_copy(update={"is_over": True, "asking": "", "why_not": ""})
    return Turn(
        state, say("done", "receipt_done", n=state.taken, part=state.part), [received, *lies]
    )


def refused(state: Receiving, fact: Fact, due: Sequence[Due], why: str) -> Received:
    """A fact could not be recorded. `due`: what may still be received by now.

    A receipt goes on, so that it can be counted anew, where anything may be received; otherwise it
    is over, and says what is to be put aside.
    """
    if fact.what != "receive":
        answer = say("gone", "place_gone", place=str(fact.said["place"]), sku=fact.part)
        return Turn(state, answer)
    goes_on = any(one.most for one in due)
    update = {"is_over": not goes_on, "ends": False, "why_not": why, "due": tuple(due)}
    return Turn(state.model_copy(update=update), say("gone", "not_received", why=why))


_ACTS: Final[Mapping[CommandName, Callable[[Receiving, str, datetime | None], Received]]] = {
    "CANCEL": _cancel,
    "DONE": _done,
    "IS": _is,
    "QTY": _times,
    "SHORT": _short,
    "SKIP": _skip,
    "UNDO": _undo,
}
