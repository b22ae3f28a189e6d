"""What a scan does in a pick run: state and scan → next state, answer, facts. No clock, no rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from domain.warehouse.pick_ends import closed, recorded, without
from domain.warehouse.picking import UNDO_MAX, Hand, Move, Picking, Stop
from domain.warehouse.scans import (
    Answer,
    Command,
    CommandName,
    Fact,
    Read,
    Turn,
    less,
    more,
    say,
    units_in,
    unknown,
)

Picked = Turn[Picking]


def decide(state: Picking, read: Read, at: datetime | None = None) -> Picked:
    """What a scan does. `at`: when it was scanned."""
    if state.is_over:
        return Turn(state, say("refused", "run_over"))
    command = read.command
    if command is None or command.name.lower() != state.asking:
        state = state.model_copy(update={"asking": ""})
    if command is None:
        return _goods(state, read, at)
    if command.name == "POS":
        return _spot(state, units_in(command.value), command.value, at)
    if command.name == "CANCEL":
        return _cancel(state)
    if command.name == "UNDO":
        return _undo(state)
    return _at_stop(state, command, at)


def _goods(state: Picking, read: Read, at: datetime | None) -> Picked:
    """A place, goods, or the spot that they go to."""
    stop = state.stop
    if stop is None:
        return Turn(state, say("refused", "nothing_left"))
    if state.hand is not None and read.part is not None:
        spot = next((x.spot for x in state.parcels if x.part_id == read.part), 0)
        return _spot(state, spot, read.code, at)
    if read.place is not None and (read.sku is None or not state.is_there):
        return _place(state, stop, read.place)
    if read.sku is None:
        return Turn(state, unknown(read))
    return _item(state, stop, read, at)


def _place(state: Picking, stop: Stop, place: str) -> Picked:
    if state.hand is not None:
        return Turn(state, _spot_first(state, state.hand, place))
    if place in stop.others:
        state = _elsewhere(state, stop, place).model_copy(update={"is_there": True})
        return Turn(state, say("good", "other_place", place=place))
    if place != stop.place:
        expected = stop.place or stop.sku
        return Turn(state, say("wrong_place", "wrong_place", expected=expected, scanned=place))
    return Turn(
        state.model_copy(update={"is_there": True}),
        say("good", "place_is_right", n=state.room(stop), sku=stop.sku),
    )


def _item(state: Picking, stop: Stop, read: Read, at: datetime | None) -> Picked:
    scanned = read.sku or ""
    if state.hand is not None:
        return Turn(state, _spot_first(state, state.hand, read.code))
    if scanned != stop.sku:
        return Turn(state, say("wrong_item", "wrong_item", expected=stop.sku, scanned=scanned))
    if stop.place and not state.is_there:
        return Turn(state, say("wrong_place", "place_first", expected=stop.place, scanned=scanned))
    units = read.units * (state.times or 1)
    room = state.room(stop)
    state = state.model_copy(update={"times": 0})
    if units > room:
        return Turn(state, say("over", "too_many", expected=room, scanned=units, sku=stop.sku))
    if state.style == "cluster":
        parcel = state.goes_to(stop)
        hand = Hand(sku=stop.sku, units=units, part_id=parcel.part_id)
        return Turn(
            state.model_copy(update={"hand": hand}),
            say("good", "to_spot", n=units, sku=stop.sku, spot=parcel.spot),
        )
    return _count(state, stop, units, at)


def _spot(state: Picking, spot: int, scanned: str, at: datetime | None) -> Picked:
    hand, stop = state.hand, state.stop
    if hand is None or stop is None:
        return Turn(state, say("refused", "item_first", scanned=scanned))
    expected = state.parcel(hand.part_id).spot
    if spot != expected:
        answer = say("wrong_place", "wrong_spot", expected=expected, scanned=scanned)
        return Turn(state, answer)
    return _count(state.model_copy(update={"hand": None}), stop, hand.units, at)


def _spot_first(state: Picking, hand: Hand, scanned: str) -> Answer:
    spot = state.parcel(hand.part_id).spot
    return say("wrong_place", "spot_first", expected=spot, scanned=scanned)


def _count(state: Picking, stop: Stop, units: int, at: datetime | None) -> Picked:
    """Units of a stop come to its parcels, in their sequence."""
    got, came = dict(stop.got), dict[str, int]()
    for parcel in state.parcels:
        n = min(units - sum(came.values()), stop.room(parcel.part_id))
        if n:
            got[parcel.part_id] = got.get(parcel.part_id, 0) + n
            came[parcel.part_id] = n
    moves = (*state.moves, Move(sku=stop.sku, units=came))[-UNDO_MAX:]
    counted = stop.model_copy(update={"got": got})
    state = state.with_stop(stop, counted).model_copy(update={"moves": moves})
    return _gone_on(state, counted, at)


def _gone_on(state: Picking, left: Stop, at: datetime | None) -> Picked:
    """Parcels that have all they get are recorded. Where the stop is over, the next one comes."""
    state, facts = recorded(state, at)
    if left.left:
        return Turn(state, say("good", "counted", n=left.left, sku=left.sku), facts)
    then = state.stop
    if then is None or then.place != left.place:
        state = state.model_copy(update={"is_there": False})
    if then is not None:
        return Turn(state, say("good", "next_stop", sku=then.sku, place=then.place), facts)
    return Turn(state.model_copy(update={"is_over": True}), say("done", "all_picked"), facts)


def _at_stop(state: Picking, command: Command, at: datetime | None) -> Picked:
    """What a command does that is about the goods of the stop."""
    stop, act = state.stop, _ACTS.get(command.name)
    if stop is None or act is None:
        return Turn(state, say("refused", "not_here", scanned=command.name))
    if state.hand is not None:
        return Turn(state, _spot_first(state, state.hand, command.name))
    return act(state, stop, command.value, at)


def _done(state: Picking, _stop: Stop, _value: str, _at: datetime | None) -> Picked:
    return Turn(state, say("refused", "not_yet", n=state.to_take))


def _other(state: Picking, stop: Stop, _value: str, _at: datetime | None) -> Picked:
    if not stop.others:
        return Turn(state, say("refused", "no_other_place", sku=stop.sku))
    place = stop.others[0]
    return Turn(
        _elsewhere(state, stop, place), say("asked", "next_stop", sku=stop.sku, place=place)
    )


def _elsewhere(state: Picking, stop: Stop, place: str) -> Picking:
    """The stop at another place of its SKU. Where it was is one of the others."""
    others = tuple(x for x in (*stop.others, stop.place) if x not in ("", place))
    there = stop.model_copy(update={"place": place, "others": others})
    return state.with_stop(stop, there).model_copy(update={"is_there": False})


def _times(state: Picking, stop: Stop, value: str, _at: datetime | None) -> Picked:
    n = units_in(value)
    if n == 0:
        return Turn(state, say("unknown", "no_number"))
    if n > state.room(stop):
        return Turn(state, say("over", "too_many", expected=state.room(stop), scanned=n))
    return Turn(state.model_copy(update={"times": n}), say("asked", "times", n=n, sku=stop.sku))


def _skip(state: Picking, stop: Stop, _value: str, _at: datetime | None) -> Picked:
    later = tuple(one for one in state.stops if one is not stop)
    state = state.model_copy(update={"stops": (*later, stop), "is_there": False, "times": 0})
    then = state.stop or stop
    return Turn(state, say("asked", "next_stop", sku=then.sku, place=then.place))


def _short(state: Picking, stop: Stop, _value: str, at: datetime | None) -> Picked:
    """Asked twice, because what is not found is taken off the stock."""
    if state.asking != "short":
        answer = say("asked", "short_sure", n=stop.left, sku=stop.sku)
        return Turn(state.model_copy(update={"asking": "short"}), answer)
    short = stop.model_copy(update={"is_short": True})
    state = state.with_stop(stop, short).model_copy(update={"asking": "", "times": 0})
    return _gone_on(state, short, at)


def _refuse(state: Picking, stop: Stop, reason: str, at: datetime | None) -> Picked:
    """The location will not send the parcel that gets the next unit: its units go back."""
    parcel = state.goes_to(stop)
    fact = Fact(what="refuse", part=parcel.part_id, at=at, said={"reason": reason})
    back = more(state.back, state.got(parcel.part_id))
    state = without(state, parcel.model_copy(update={"ended": "refused"}))
    state = state.model_copy(update={"back": back, "is_there": False, "times": 0})
    # Others of the wave may have all that they get, and no stop is left at which that is seen.
    state, facts = recorded(state, at)
    answer = say("good", "parcel_refused", part=parcel.part_id)
    return Turn(closed(state), answer, [fact, *facts])


def _cancel(state: Picking) -> Picked:
    """Asked twice. What was picked for parcels that are not whole goes back to the shelf."""
    open_ = {parcel.part_id for parcel in state.parcels if not parcel.ended}
    in_hand = sum(stop.got.get(part, 0) for stop in state.stops for part in open_)
    in_hand += state.hand.units if state.hand else 0
    if state.asking != "cancel":
        return Turn(
            state.model_copy(update={"asking": "cancel"}), say("asked", "cancel_sure", n=in_hand)
        )
    back = {state.hand.sku: state.hand.units} if state.hand else {}
    for units in (state.back, *(state.got(part) for part in open_)):
        back = more(back, units)
    update = {"is_over": True, "back": back, "hand": None}
    return Turn(state.model_copy(update=update), say("done", "run_cancelled"))


def _undo(state: Picking) -> Picked:
    if state.times:
        return Turn(state.model_copy(update={"times": 0}), say("asked", "times_off"))
    if state.hand is not None:
        hand = state.hand
        state = state.model_copy(update={"hand": None})
        return Turn(state, say("asked", "undone", n=hand.units, sku=hand.sku))
    if not state.moves:
        return Turn(state, say("refused", "nothing_to_undo"))
    move = state.moves[-1]
    units = sum(move.units.values())
    stops = [
        stop.model_copy(update={"got": less(stop.got, move.units)})
        if stop.sku == move.sku
        else stop
        for stop in state.stops
    ]
    update = {"stops": tuple(stops), "moves": state.moves[:-1], "is_there": False}
    state = state.model_copy(update=update)
    return Turn(state, say("asked", "undone", n=units, sku=move.sku))


_ACTS: Final[Mapping[CommandName, Callable[[Picking, Stop, str, datetime | None], Picked]]] = {
    "DONE": _done,
    "OTHER": _other,
    "QTY": _times,
    "REFUSE": _refuse,
    "SHORT": _short,
    "SKIP": _skip,
}
