"""A run in which a parcel that came back is opened, and its units are counted by condition. Pure.

Units beyond what was announced are kept apart, and wait for a person; so is a whole parcel that
nobody announced.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from domain.aftersales.conditions import Condition
from domain.aftersales.return_counts import UNITS_MAX
from domain.errors import printable
from domain.warehouse.returned import CONDITIONS, PHOTO_MAX, Back, Opened, Parcel, Returning
from domain.warehouse.scans import Fact, Read, Turn, say, unknown
from domain.warehouse.tallies import (
    LOG_MAX,
    Acts,
    decided,
    given_up,
    nothing_to_undo,
    times,
    undone,
    units_of,
    with_less,
    with_more,
)

Seen = Turn[Returning]


def decide(state: Returning, read: Read, at: datetime | None = None) -> Seen:
    """What a scan does. `read.found`: a Parcel that the code stands for, or the goods' name."""
    if _is_open(state):
        return decided(state, read, at, _ACTS, _goods)
    return decided(state, read, at, _BEFORE, opened)


def _is_open(state: Returning) -> bool:
    return bool(state.part) or state.is_unannounced


def opened(state: Returning, read: Read, _at: datetime | None = None) -> Seen:
    """A parcel is opened by what is on it."""
    parcel = read.found
    if not isinstance(parcel, Parcel):
        return Turn(state, say("unknown", "whose_parcel", scanned=read.code))
    update: dict[str, object] = {"order_id": parcel.order_id, "names": parcel.names}
    if not parcel.returns:
        update |= {"is_unannounced": True, "choices": ()}
        update |= {"other_id": parcel.other_id, "is_requested": parcel.is_requested}
        said = "return_not_approved" if parcel.is_requested else "return_was_counted"
        said = said if parcel.other_id else "not_announced"
        answer = say("asked", said, order=parcel.order_id, part=parcel.other_id)
        return Turn(state.model_copy(update=update), answer)
    if len(parcel.returns) > 1:
        update |= {"choices": tuple(one.return_id for one in parcel.returns)}
        answer = say("asked", "choose_return", n=len(parcel.returns))
        return Turn(state.model_copy(update=update), answer)
    (one,) = parcel.returns
    update |= {"part": one.return_id, "lines": one.lines, "choices": ()}
    state = state.model_copy(update=update)
    return Turn(state, say("good", "return_open", n=state.missing, part=one.return_id))


def _nobody(state: Returning, _value: str, _at: datetime | None) -> Seen:
    """It is none of the returns of its order; or nobody knows whose it is."""
    if state.choices:
        state = state.model_copy(update={"is_unannounced": True, "choices": ()})
        return Turn(state, say("asked", "not_announced", order=state.order_id))
    state = state.model_copy(update={"is_unannounced": True, "order_id": ""})
    return Turn(state, say("asked", "nobodys_parcel"))


def _goods(state: Returning, read: Read, _at: datetime | None) -> Seen:
    if read.sku is None:
        return Turn(state, unknown(read))
    hand = state.hand
    if hand is not None and hand.sku != read.sku:
        return Turn(state, say("refused", "condition_first", n=hand.units, sku=hand.sku))
    if len(state.units) >= LOG_MAX:
        return Turn(state, say("refused", "run_full"))
    units = units_of(state, read)
    state = state.model_copy(update={"times": 0})
    if state.taken + units > UNITS_MAX:
        room = UNITS_MAX - state.taken
        answer = say("over", "too_many", expected=room, scanned=units, sku=read.sku)
        return Turn(state, answer)
    hand = with_more(hand, Opened(sku=read.sku, scans=(units,)))
    names = {**state.names, read.sku: read.found} if isinstance(read.found, str) else state.names
    room = sum(x.quantity - state.got(x.line_id) for x in state.lines if x.sku == read.sku)
    state = state.model_copy(update={"hand": hand, "names": names})
    is_right = hand.units <= room or state.is_unannounced
    said = "which_condition" if is_right else "not_in_return"
    return Turn(state, say("asked", said, n=hand.units, sku=read.sku))


def _is(state: Returning, value: str, _at: datetime | None) -> Seen:
    """The condition of what is in hand. What was announced comes first."""
    hand = state.hand
    condition = next((one for one in CONDITIONS if one == value.lower()), None)
    if condition is None:
        return Turn(state, say("unknown", "unknown", scanned=value))
    if hand is None:
        return Turn(state, say("refused", "item_first"))
    left, came = hand.units, list[Back]()
    number = state.units[-1].turn + 1 if state.units else 0
    for line in state.lines:
        n = min(left, line.quantity - state.got(line.line_id)) if line.sku == hand.sku else 0
        if n:
            came.append(_part(hand, n, line.line_id, condition, number))
            left -= n
    if left:
        came.append(_part(hand, left, "", condition, number))
    state = state.model_copy(update={"units": (*state.units, *came), "hand": None})
    goes = state.goes(came[0])
    if left or goes is None:
        return Turn(state, say("asked", "goes_aside", n=left or hand.units, sku=hand.sku))
    return Turn(state, say("good", f"goes_{goes}", n=hand.units, sku=hand.sku))


def _part(hand: Opened, units: int, line_id: str, condition: Condition, turn: int) -> Back:
    return Back(
        sku=hand.sku,
        units=units,
        line_id=line_id,
        condition=condition,
        photo=hand.photo,
        turn=turn,
    )


def _photo(state: Returning, value: str, _at: datetime | None) -> Seen:
    """A photo of what is in hand: its address or number."""
    if state.hand is None:
        return Turn(state, say("refused", "item_first"))
    hand = state.hand.model_copy(update={"photo": printable(value)[:PHOTO_MAX]})
    return Turn(state.model_copy(update={"hand": hand}), say("asked", "noted", why=value))


def _undo(state: Returning, _value: str, _at: datetime | None) -> Seen:
    """The last scan of what is in hand, or all that was told at once of its condition."""
    if state.hand is not None:
        n, sku = state.hand.scans[-1], state.hand.sku
        return undone(state, n, sku, hand=with_less(state.hand))
    if not state.units:
        return nothing_to_undo(state)
    last = state.units[-1]
    gone = sum(one.units for one in state.units if one.turn == last.turn)
    left = tuple(one for one in state.units if one.turn != last.turn)
    return undone(state, gone, last.sku, units=left)


def _cancel(state: Returning, _value: str, _at: datetime | None) -> Seen:
    return given_up(state, state.taken, units=(), hand=None)


def _done(state: Returning, _value: str, at: datetime | None) -> Seen:
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


def refused(state: Returning, why: str) -> Seen:
    """The rules did not take it: it goes on, so that it can be counted anew or given up."""
    state = state.model_copy(update={"is_over": False})
    return Turn(state, say("gone", "not_received", why=why))


_BEFORE: Final[Acts[Returning]] = {"CANCEL": _cancel, "NOBODY": _nobody}
"""Commands for a parcel that is not open yet."""
_ACTS: Final[Acts[Returning]] = {
    "CANCEL": _cancel,
    "DONE": _done,
    "IS": _is,
    "PHOTO": _photo,
    "QTY": times,
    "UNDO": _undo,
}
