"""A run in which a parcel that came back is opened, and its units are counted by condition. Pure.

Units beyond what was announced are kept apart, and wait for a person; so is a whole parcel that
nobody announced.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from domain.aftersales.conditions import Condition
from domain.warehouse.returned import CONDITIONS, LOG_MAX, PHOTO_MAX, Back, Parcel, Returning
from domain.warehouse.scans import (
    CommandName,
    Fact,
    Read,
    Turn,
    say,
    units_in,
    unknown,
)

Opened = Turn[Returning]


def decide(state: Returning, read: Read, at: datetime | None = None) -> Opened:
    """What a scan does. `read.found`: a Parcel that the code stands for, or the goods' name."""
    if state.is_over:
        return Turn(state, say("refused", "run_over"))
    command = read.command
    if command is None or command.name.lower() != state.asking:
        state = state.model_copy(update={"asking": ""})
    if command is not None:
        act = _ACTS.get(command.name)
        if act is None or (not _is_open(state) and command.name not in _BEFORE):
            return Turn(state, say("refused", "not_here", scanned=command.name))
        return act(state, command.value, at)
    return _goods(state, read) if _is_open(state) else opened(state, read)


def _is_open(state: Returning) -> bool:
    return bool(state.part) or state.is_unannounced


def opened(state: Returning, read: Read) -> Opened:
    """A parcel is opened by what is on it."""
    parcel = read.found
    if not isinstance(parcel, Parcel):
        return Turn(state, say("unknown", "whose_parcel", scanned=read.code))
    update: dict[str, object] = {"order_id": parcel.order_id, "names": parcel.names}
    if not parcel.returns:
        update |= {"is_unannounced": True, "choices": ()}
        answer = say("asked", "not_announced", order=parcel.order_id)
        return Turn(state.model_copy(update=update), answer)
    if len(parcel.returns) > 1:
        update |= {"choices": tuple(one.return_id for one in parcel.returns)}
        answer = say("asked", "choose_return", n=len(parcel.returns))
        return Turn(state.model_copy(update=update), answer)
    (one,) = parcel.returns
    update |= {"part": one.return_id, "lines": one.lines, "choices": ()}
    state = state.model_copy(update=update)
    return Turn(state, say("good", "return_open", n=state.missing, part=one.return_id))


def _nobody(state: Returning, _value: str, _at: datetime | None) -> Opened:
    """Nobody knows whose it is."""
    if _is_open(state):
        return Turn(state, say("refused", "not_here", scanned="NOBODY"))
    state = state.model_copy(update={"is_unannounced": True, "choices": (), "order_id": ""})
    return Turn(state, say("asked", "nobodys_parcel"))


def _goods(state: Returning, read: Read) -> Opened:
    if read.sku is None:
        return Turn(state, unknown(read))
    hand = state.hand
    if hand is not None and hand.sku != read.sku:
        return Turn(state, say("refused", "condition_first", n=hand.units, sku=hand.sku))
    if len(state.units) >= LOG_MAX:
        return Turn(state, say("refused", "run_full"))
    units = read.units * (state.times or 1) + (hand.units if hand is not None else 0)
    names = {**state.names, read.sku: read.found} if isinstance(read.found, str) else state.names
    update = {"hand": Back(sku=read.sku, units=units), "times": 0, "names": names}
    room = sum(x.quantity - state.got(x.line_id) for x in state.lines if x.sku == read.sku)
    state = state.model_copy(update=update)
    said = "which_condition" if units <= room or state.is_unannounced else "not_in_return"
    return Turn(state, say("asked", said, n=units, sku=read.sku))


def _is(state: Returning, value: str, _at: datetime | None) -> Opened:
    """The condition of what is in hand. What was announced comes first."""
    hand = state.hand
    condition = next((one for one in CONDITIONS if one == value.lower()), None)
    if condition is None:
        return Turn(state, say("unknown", "unknown", scanned=value))
    if hand is None:
        return Turn(state, say("refused", "item_first"))
    left, came = hand.units, list[Back]()
    for line in state.lines:
        n = min(left, line.quantity - state.got(line.line_id)) if line.sku == hand.sku else 0
        if n:
            came.append(_part(hand, n, line.line_id, condition))
            left -= n
    if left:
        came.append(_part(hand, left, "", condition))
    state = state.model_copy(update={"units": (*state.units, *came), "hand": None})
    goes = state.goes(came[0])
    if left or goes is None:
        return Turn(state, say("asked", "goes_aside", n=left or hand.units, sku=hand.sku))
    return Turn(state, say("good", f"goes_{goes}", n=hand.units, sku=hand.sku))


def _part(hand: Back, units: int, line_id: str, condition: Condition) -> Back:
    update = {"units": units, "line_id": line_id, "condition": condition}
    return hand.model_copy(update=update)


def _photo(state: Returning, value: str, _at: datetime | None) -> Opened:
    """A photo of what is in hand: its address or number."""
    if state.hand is None:
        return Turn(state, say("refused", "item_first"))
    hand = state.hand.model_copy(update={"photo": value[:PHOTO_MAX]})
    return Turn(state.model_copy(update={"hand": hand}), say("asked", "noted", why=value))


def _times(state: Returning, value: str, _at: datetime | None) -> Opened:
    n = units_in(value)
    if n == 0:
        return Turn(state, say("unknown", "no_number"))
    return Turn(state.model_copy(update={"times": n}), say("asked", "next_stands_for", n=n))


def _undo(state: Returning, _value: str, _at: datetime | None) -> Opened:
    last = state.hand or next(iter(state.units[-1:]), None)
    if last is None:
        return Turn(state, say("refused", "nothing_to_undo"))
    units = state.units if state.hand is not None else state.units[:-1]
    state = state.model_copy(update={"units": units, "hand": None})
    return Turn(state, say("asked", "undone", n=last.units, sku=last.sku))


def _cancel(state: Returning, _value: str, _at: datetime | None) -> Opened:
    if state.asking != "cancel":
        answer = say("asked", "forget_sure", n=state.taken)
        return Turn(state.model_copy(update={"asking": "cancel"}), answer)
    state = state.model_copy(update={"is_over": True, "units": (), "hand": None})
    return Turn(state, say("done", "nothing_recorded"))


def _done(state: Returning, _value: str, at: datetime | None) -> Opened:
    """All of the parcel is counted. What is missing stays with the customer: asked twice."""
    hand = state.hand
    if hand is not None:
        return Turn(state, say("refused", "condition_first", n=hand.units, sku=hand.sku))
    if not state.part and not state.units:
        return Turn(state, say("refused", "nothing_came"))
    if state.missing and state.asking != "done":
        answer = say("asked", "customer_keeps", n=state.missing)
        return Turn(state.model_copy(update={"asking": "done"}), answer)
    fact = Fact(what="return" if state.part else "unannounced", part=state.part, at=at)
    state = state.model_copy(update={"is_over": True, "asking": ""})
    said = "return_counted" if state.part else "parcel_aside_now"
    return Turn(state, say("done", said, n=state.taken, part=state.part), [fact])


def refused(state: Returning, why: str) -> Opened:
    """The rules did not take it: it goes on, so that it can be counted anew or given up."""
    state = state.model_copy(update={"is_over": False})
    return Turn(state, say("gone", "not_received", why=why))


_BEFORE: Final = ("CANCEL", "NOBODY")
"""Commands for a parcel that is not open yet."""
_ACTS: Final[Mapping[CommandName, Callable[[Returning, str, datetime | None], Opened]]] = {
    "CANCEL": _cancel,
    "DONE": _done,
    "IS": _is,
    "NOBODY": _nobody,
    "PHOTO": _photo,
    "QTY": _times,
    "UNDO": _undo,
}
