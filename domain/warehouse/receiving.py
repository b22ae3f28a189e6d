"""A run in which goods are received: of a purchase order, or of a transfer from another location.

Each scan of goods counts units; what is whole is put away, into a place that is scanned. One run is
one receipt. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from domain.warehouse.receipts import Came, Due, Receiving
from domain.warehouse.scans import Answer, Fact, Read, Turn, say, unknown
from domain.warehouse.tallies import (
    LOG_MAX,
    Acts,
    Hand,
    decided,
    given_up,
    nothing_to_undo,
    times,
    undone,
    units_of,
    with_less,
    with_more,
)

Received = Turn[Receiving]


def decide(state: Receiving, read: Read, at: datetime | None = None) -> Received:
    """What a scan does. `at`: when it was scanned."""
    if read.command is None or read.command.name != "ASIDE":
        state = state.model_copy(update={"odd": None})
    return decided(state, read, at, _ACTS, _goods)


def _goods(state: Receiving, read: Read, _at: datetime | None) -> Received:
    hand = state.hand
    if hand is not None and read.place is not None and read.sku != hand.sku:
        return _put(state, hand, read.place)
    if read.sku is None:
        answer = unknown(read) if read.place is None else say("refused", "item_first")
        return Turn(state, answer)
    if len(state.came) >= LOG_MAX:
        return Turn(state, say("refused", "run_full"))
    units, line = units_of(state, read), state.line(read.sku)
    if hand is not None and hand.sku != read.sku:
        return Turn(state, _put_first(state, hand))
    state = state.model_copy(update={"times": 0})
    if line is None:
        state = _is_odd(state, read.sku, units)
        answer = say("wrong_item", "not_ordered", scanned=read.sku, part=state.part)
        return Turn(state, answer)
    return _units(state, line, units)


def _is_odd(state: Receiving, sku: str, units: int) -> Receiving:
    """Who buys can be told of it. Nobody reads a story of transfers."""
    if state.sender != "supplier":
        return state
    return state.model_copy(update={"odd": Came(sku=sku, units=units, is_aside=True)})


def _units(state: Receiving, line: Due, units: int) -> Received:
    """Units of a SKU that is expected are here."""
    sku, room = line.sku, max(0, line.most - state.got(line.sku))
    if units > room:
        answer = say("over", "over_delivered", expected=room, scanned=units, sku=sku)
        return Turn(state if room else _is_odd(state, sku, units), answer)
    if state.is_damaged:
        came = Came(sku=sku, units=units, is_damaged=True)
        state = state.model_copy(update={"came": (*state.came, came), "is_damaged": False})
        return Turn(state, say("asked", "put_aside", n=units, sku=sku))
    if not state.has_bins:
        came = Came(sku=sku, units=units)
        return _counted(state.model_copy(update={"came": (*state.came, came)}), line)
    hand = with_more(state.hand, Hand(sku=sku, scans=(units,)))
    place = state.place(sku)
    said = "put_there" if place else "put_anywhere"
    answer = say("good", said, n=hand.units, sku=sku, place=place)
    return Turn(state.model_copy(update={"hand": hand}), answer)


def _put(state: Receiving, hand: Hand, place: str) -> Received:
    """What is in hand lies at a place."""
    came = (*state.came, Came(sku=hand.sku, units=hand.units, place=place))
    state = state.model_copy(update={"came": came, "hand": None})
    if place == state.free_place:  # It is free no more.
        state = state.model_copy(update={"free_place": ""})
    line = state.line(hand.sku)
    return Turn(state, say("good", "put")) if line is None else _counted(state, line)


def _counted(state: Receiving, line: Due) -> Received:
    if state.is_blind:
        return Turn(state, say("good", "counted_here", n=state.got(line.sku), sku=line.sku))
    left = line.due - state.got(line.sku)
    if left < 0:
        return Turn(state, say("asked", "more_than_due", n=-left, sku=line.sku))
    if left:
        return Turn(state, say("good", "counted", n=left, sku=line.sku))
    if state.missing:
        return Turn(state, say("good", "all_of_sku", sku=line.sku))
    return Turn(state, say("good", "all_came"))


def _put_first(state: Receiving, hand: Hand) -> Answer:
    place = state.place(hand.sku)
    return say("wrong_place", "put_first", n=hand.units, sku=hand.sku, place=place)


def _aside(state: Receiving, _value: str, _at: datetime | None) -> Received:
    """What was scanned last is not received, and whoever buys is told that it came."""
    odd = state.odd
    if odd is None:
        return Turn(state, say("refused", "nothing_aside"))
    state = state.model_copy(update={"came": (*state.came, odd), "odd": None})
    return Turn(state, say("asked", "kept_aside", n=odd.units, sku=odd.sku))


def _is(state: Receiving, value: str, _at: datetime | None) -> Received:
    """The condition of what is in hand, or of the next units."""
    if value.lower() not in ("damaged", "new"):
        return Turn(state, say("unknown", "unknown", scanned=value))
    is_damaged = value.lower() == "damaged"
    hand = state.hand
    if hand is None or not is_damaged:
        said = "now_damaged" if is_damaged else "now_whole"
        return Turn(state.model_copy(update={"is_damaged": is_damaged}), say("asked", said))
    came = (*state.came, Came(sku=hand.sku, units=hand.units, is_damaged=True))
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
    hand = state.hand
    if hand is not None:
        return undone(state, hand.scans[-1], hand.sku, hand=with_less(hand), is_damaged=False)
    if not state.came:
        return nothing_to_undo(state)
    *came, last = state.came
    return undone(state, last.units, last.sku, came=tuple(came), is_damaged=False)


def _cancel(state: Receiving, _value: str, _at: datetime | None) -> Received:
    return given_up(state, state.taken, came=(), hand=None)


def _done(state: Receiving, _value: str, at: datetime | None) -> Received:
    """All is counted. What is missing is told first, and asked for."""
    if state.hand is not None:
        return Turn(state, _put_first(state, state.hand))
    if not state.came:
        return Turn(state, say("refused", "nothing_came"))
    if (state.missing or (state.is_blind and state.differences)) and state.asking != "done":
        missing = say("asked", "missing_sure", n=state.missing)
        answer = missing if state.missing else say("asked", "otherwise_sure")
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


_ACTS: Final[Acts[Receiving]] = {
    "ASIDE": _aside,
    "CANCEL": _cancel,
    "DONE": _done,
    "IS": _is,
    "QTY": times,
    "SHORT": _short,
    "SKIP": _skip,
    "UNDO": _undo,
}
