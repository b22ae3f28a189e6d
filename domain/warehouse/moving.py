"""A run in which goods go from one place to another, or are taken off or put onto the stock. Pure.

Places say where goods lie, and count nothing: a move changes no stock. What is broken or was found
changes it, with a reason.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.warehouse.scans import Fact, Read, Turn, say, unknown
from domain.warehouse.tallies import (
    Acts,
    Hand,
    Tally,
    decided,
    nothing_to_undo,
    times,
    undone,
    units_of,
    with_less,
    with_more,
)

SHOWN_MAX: Final = 20
"""What the screen shows of what was done."""


class Held(Hand):
    """Units in somebody's hand. `source`: the place where they lay; "": nobody said so.

    `is_all`: nothing of the SKU is left there.
    """

    source: str = ""
    is_all: bool = False


class Moved(BaseModel):
    """What became of units. `to`: the place; "": they were taken off or put onto the stock."""

    model_config = ConfigDict(frozen=True)

    sku: str
    units: int
    source: str
    to: str = ""
    why: str = ""


class Moving(Tally):
    """Where a run of moves stands. `names`: of the SKUs that were met."""

    names: dict[str, str] = Field(default_factory=dict)
    source: str = ""
    hand: Held | None = None
    change: Literal["OFF", "FOUND"] = "OFF"
    """How the stock changes by what is in hand, once that is confirmed; `why`: with this reason."""
    why: str = ""
    number: int = 0
    """How many facts it has told, so that each has a key of its own."""
    log: tuple[Moved, ...] = ()


Went = Turn[Moving]


def decide(state: Moving, read: Read, at: datetime | None = None) -> Went:
    """What a scan does. `read.found`: the name of the goods, where they have one."""
    return decided(state, read, at, _ACTS, _scanned)


def _scanned(state: Moving, read: Read, at: datetime | None) -> Went:
    hand = state.hand
    if read.place is not None and (read.sku is None or hand is None or read.sku != hand.sku):
        return _place(state, read.place, at)
    if read.sku is None:
        return Turn(state, unknown(read))
    if hand is not None and hand.sku != read.sku:
        return Turn(state, say("wrong_item", "wrong_item", expected=hand.sku, scanned=read.sku))
    new = Held(sku=read.sku, scans=(units_of(state, read),), source=state.source)
    hand = with_more(hand, new)
    names = {**state.names, read.sku: read.found} if read.found else state.names
    update = {"hand": hand, "times": 0, "names": names}
    answer = say("good", "now_where", n=hand.units, sku=read.sku)
    return Turn(state.model_copy(update=update), answer)


def _place(state: Moving, place: str, at: datetime | None) -> Went:
    hand = state.hand
    if hand is None:
        state = state.model_copy(update={"source": place})
        return Turn(state, say("good", "from_place", place=place))
    if place == hand.source:
        return Turn(state, say("wrong_place", "same_place", place=place))
    fact = Fact(
        what="move",
        part=hand.sku,
        at=at,
        said={"from": hand.source, "to": place, "is_all": int(hand.is_all)},
    )
    moved = Moved(sku=hand.sku, units=hand.units, source=hand.source, to=place)
    answer = say("good", "moved_to", n=hand.units, sku=hand.sku, place=place)
    return Turn(_let_go(state, moved), answer, [fact])


def _let_go(state: Moving, moved: Moved) -> Moving:
    log = (moved, *state.log)[:SHOWN_MAX]
    update = {"hand": None, "log": log, "number": state.number + 1, "asking": ""}
    return state.model_copy(update=update)


def _all(state: Moving, _value: str, _at: datetime | None) -> Went:
    """Nothing is left where it lay."""
    hand = state.hand
    if hand is None or not hand.source:
        return Turn(state, say("refused", "from_where_first"))
    state = state.model_copy(update={"hand": hand.model_copy(update={"is_all": True})})
    return Turn(state, say("asked", "place_is_empty", place=hand.source, sku=hand.sku))


def _off(state: Moving, reason: str, _at: datetime | None) -> Went:
    return _asked(state, "OFF", reason)


def _found(state: Moving, reason: str, _at: datetime | None) -> Went:
    return _asked(state, "FOUND", reason)


def _asked(state: Moving, change: Literal["OFF", "FOUND"], reason: str) -> Went:
    """Asked, because it changes the stock: OL:DONE confirms."""
    hand = state.hand
    if hand is None:
        return Turn(state, say("refused", "item_first"))
    state = state.model_copy(update={"asking": "done", "change": change, "why": reason})
    said = "off_sure" if change == "OFF" else "found_sure"
    return Turn(state, say("asked", said, n=hand.units, sku=hand.sku, why=reason))


def _undo(state: Moving, _value: str, _at: datetime | None) -> Went:
    """The units of the last scan go back to where they lay."""
    hand = state.hand
    if hand is None:
        return nothing_to_undo(state)
    return undone(state, hand.scans[-1], hand.sku, hand=with_less(hand))


def _done(state: Moving, _value: str, at: datetime | None) -> Went:
    """Confirms what was asked; otherwise it is the end."""
    hand = state.hand
    if hand is None:
        return Turn(state.model_copy(update={"is_over": True}), say("done", "moving_over"))
    if not state.asking:
        return Turn(state, say("wrong_place", "where_first", n=hand.units, sku=hand.sku))
    is_off, why = state.change == "OFF", state.why
    said: dict[str, str | int] = {"n": hand.units, "why": why, "number": state.number}
    fact = Fact(what="write_off" if is_off else "adjust", part=hand.sku, at=at, said=said)
    units = -hand.units if is_off else hand.units
    moved = Moved(sku=hand.sku, units=units, source=hand.source, why=why)
    answer = say("good", "is_off" if is_off else "is_on", n=hand.units, sku=hand.sku)
    return Turn(_let_go(state, moved), answer, [fact])


def _cancel(state: Moving, _value: str, _at: datetime | None) -> Went:
    update = {"is_over": True, "hand": None}
    return Turn(state.model_copy(update=update), say("done", "moving_over"))


def refused(state: Moving, fact: Fact, why: str) -> Went:
    """What the rules did not take is told, and is not among what was done."""
    log = state.log[1:] if state.log and state.log[0].sku == fact.part else state.log
    state = state.model_copy(update={"log": log})
    return Turn(state, say("gone", "not_moved", sku=fact.part, why=why))


_ACTS: Final[Acts[Moving]] = {
    "ALL": _all,
    "CANCEL": _cancel,
    "DONE": _done,
    "FOUND": _found,
    "OFF": _off,
    "QTY": times,
    "UNDO": _undo,
}
