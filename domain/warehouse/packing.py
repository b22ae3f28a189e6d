"""A run in which parcels are packed, one after the other, and each unit is scanned into its box."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from domain.warehouse.scans import (
    Answer,
    Command,
    CommandName,
    Fact,
    Read,
    State,
    Turn,
    grams_in,
    less,
    more,
    say,
    units_in,
    unknown,
)

BOX_MAX: Final = 40
GRAMS_MAX: Final = 1_000_000


class ToPack(BaseModel):
    """A parcel that was scanned. `why_not`: the key of a sentence; "": it can be packed."""

    model_config = ConfigDict(frozen=True)

    part_id: str
    why_not: str = ""
    wanted: dict[str, int] = {}
    """SKU → units that were picked for it."""
    names: dict[str, str] = {}


class Packing(State):
    """Where a packing run stands. `part`: the parcel that is open; "": none."""

    part: str = ""
    wanted: dict[str, int] = Field(default_factory=dict)
    got: dict[str, int] = Field(default_factory=dict)
    names: dict[str, str] = Field(default_factory=dict)
    moves: tuple[tuple[str, int], ...] = ()
    """Units that came into the box, scan by scan, to be undone."""
    times: int = 0
    box: str = ""
    grams: int = 0
    last: str = ""
    """The parcel that was packed last: its papers are at hand."""
    packed: int = 0

    @property
    def held(self) -> tuple[str, ...]:
        """The open parcel."""
        return (self.part,) if self.part and not self.is_over else ()

    @property
    def lacking(self) -> dict[str, int]:
        """SKU → units that are not in the box yet."""
        return less(self.wanted, self.got)


Packed = Turn[Packing]


def decide(state: Packing, read: Read, at: datetime | None = None) -> Packed:
    """What a scan does. `at`: when it was scanned."""
    if state.is_over:
        return Turn(state, say("refused", "run_over"))
    if read.command is not None:
        act = _ACTS.get(read.command.name)
        if act is None:
            return Turn(state, say("refused", "not_here", scanned=read.command.name))
        return act(state, read.command, at)
    if isinstance(read.found, ToPack):
        return _parcel(state, read.found)
    if not state.part:
        return Turn(state, _parcel_first(read))
    return _item(state, read) if read.sku else _scales(state, read)


def _parcel_first(read: Read) -> Answer:
    return unknown(read) if read.sku is None else say("refused", "parcel_first", scanned=read.code)


def _parcel(state: Packing, parcel: ToPack) -> Packed:
    if parcel.part_id == state.part:
        return Turn(state, say("asked", "parcel_is_open", part=parcel.part_id))
    if state.part:
        answer = say("refused", "finish_first", expected=state.part, scanned=parcel.part_id)
        return Turn(state, answer)
    if parcel.why_not:
        return Turn(state, say("refused", parcel.why_not, part=parcel.part_id))
    opened = {
        "part": parcel.part_id,
        "wanted": parcel.wanted,
        "names": parcel.names,
        **_EMPTY,
    }
    n = sum(parcel.wanted.values())
    return Turn(
        state.model_copy(update=opened), say("good", "parcel_open", part=parcel.part_id, n=n)
    )


def _item(state: Packing, read: Read) -> Packed:
    sku = read.sku or ""
    if sku not in state.wanted:
        expected = ", ".join(state.lacking) or state.part
        return Turn(state, say("wrong_item", "not_in_parcel", expected=expected, scanned=sku))
    units = read.units * (state.times or 1)
    room = state.lacking.get(sku, 0)
    state = state.model_copy(update={"times": 0})
    if units > room:
        return Turn(state, say("over", "too_many", expected=room, scanned=units, sku=sku))
    update = {"got": more(state.got, {sku: units}), "moves": (*state.moves, (sku, units))}
    state = state.model_copy(update=update)
    left = sum(state.lacking.values())
    if left:
        return Turn(state, say("good", "in_the_box", n=left))
    return Turn(state, say("good", "all_in_the_box"))


def _scales(state: Packing, read: Read) -> Packed:
    grams = grams_in(read.code)
    return Turn(state, unknown(read)) if grams is None else _weighed(state, grams)


def _weighed(state: Packing, grams: int) -> Packed:
    if not 0 < grams <= GRAMS_MAX:
        return Turn(state, say("unknown", "no_weight"))
    return Turn(state.model_copy(update={"grams": grams}), say("good", "weighed", n=grams))


def _weight(state: Packing, command: Command, _at: datetime | None) -> Packed:
    text = command.value if command.value[-1:] in "gG" else f"{command.value}kg"
    if not state.part:
        return Turn(state, say("refused", "parcel_first", scanned=command.name))
    return _weighed(state, grams_in(text) or 0)


def _boxed(state: Packing, command: Command, _at: datetime | None) -> Packed:
    if not state.part:
        return Turn(state, say("refused", "parcel_first", scanned=command.name))
    box = command.value[:BOX_MAX]
    return Turn(state.model_copy(update={"box": box}), say("good", "boxed", box=box))


def _times(state: Packing, command: Command, _at: datetime | None) -> Packed:
    n = units_in(command.value)
    if n == 0:
        return Turn(state, say("unknown", "no_number"))
    return Turn(state.model_copy(update={"times": n}), say("asked", "times_any", n=n))


def _done(state: Packing, _command: Command, at: datetime | None) -> Packed:
    if not state.part:
        state = state.model_copy(update={"is_over": True})
        return Turn(state, say("done", "packing_over", n=state.packed))
    left = sum(state.lacking.values())
    if left:
        return Turn(state, say("refused", "box_not_full", n=left))
    said: dict[str, str | int] = {}
    if state.box:
        said["box"] = state.box
    if state.grams:
        said["grams"] = state.grams
    fact = Fact(what="pack", part=state.part, at=at, counted=state.got, said=said)
    closed = {"part": "", "last": state.part, "packed": state.packed + 1, **_CLOSED}
    answer = say("done", "parcel_packed", part=state.part)
    return Turn(state.model_copy(update=closed), answer, [fact])


def _print(state: Packing, _command: Command, _at: datetime | None) -> Packed:
    """The page prints the label of the parcel that was packed last, as soon as it is there."""
    if state.part or not state.last:
        return Turn(state, say("refused", "nothing_to_print"))
    return Turn(state, say("good", "prints", part=state.last))


def _undo(state: Packing, _command: Command, _at: datetime | None) -> Packed:
    if state.times:
        return Turn(state.model_copy(update={"times": 0}), say("asked", "times_off"))
    if not state.moves:
        return Turn(state, say("refused", "nothing_to_undo"))
    sku, units = state.moves[-1]
    update = {"got": less(state.got, {sku: units}), "moves": state.moves[:-1]}
    return Turn(state.model_copy(update=update), say("asked", "undone", n=units, sku=sku))


def _cancel(state: Packing, _command: Command, _at: datetime | None) -> Packed:
    """The open parcel is put aside as it was. Without one, the run ends."""
    if not state.part:
        return Turn(
            state.model_copy(update={"is_over": True}), say("done", "packing_over", n=state.packed)
        )
    answer = say("asked", "parcel_aside", part=state.part)
    return Turn(state.model_copy(update={"part": "", **_CLOSED}), answer)


def refused(state: Packing, fact: Fact, why: str) -> Packed:
    """A parcel could not be recorded as packed: it is put aside, and it is said why."""
    packed = max(0, state.packed - 1)
    last = "" if state.last == fact.part else state.last
    state = state.model_copy(update={"packed": packed, "last": last})
    return Turn(state, say("gone", "parcel_not_packed", part=fact.part, why=why))


_EMPTY: Final[Mapping[str, object]] = {"got": {}, "moves": (), "times": 0, "box": "", "grams": 0}
_CLOSED: Final[Mapping[str, object]] = {"wanted": {}, "names": {}, **_EMPTY}
_ACTS: Final[Mapping[CommandName, Callable[[Packing, Command, datetime | None], Packed]]] = {
    "BOX": _boxed,
    "CANCEL": _cancel,
    "DONE": _done,
    "KG": _weight,
    "PRINT": _print,
    "QTY": _times,
    "UNDO": _undo,
}
