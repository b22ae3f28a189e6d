"""A run at the counter: customers take goods that lie ready for them, each with a code."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from domain.warehouse.scans import Fact, Read, State, Turn, say, unknown


class Ready(BaseModel):
    """Goods that were scanned. `why_not`: the key of a sentence; "": they lie ready."""

    model_config = ConfigDict(frozen=True)

    part_id: str
    why_not: str = ""
    units: dict[str, int] = {}
    names: dict[str, str] = {}


class Tried(BaseModel):
    """A code that was tried, which stands nowhere. `why_not`: "": it is the right one."""

    model_config = ConfigDict(frozen=True)

    why_not: str = ""


class Collecting(State):
    """Where the counter stands. `part`: goods whose code is asked for; "": none."""

    part: str = ""
    units: dict[str, int] = Field(default_factory=dict)
    names: dict[str, str] = Field(default_factory=dict)
    given: int = 0

    @property
    def held(self) -> tuple[str, ...]:
        """The goods on the counter."""
        return (self.part,) if self.part and not self.is_over else ()


Given = Turn[Collecting]
_NONE: Final[Mapping[str, object]] = {"part": "", "units": {}, "names": {}}


def decide(state: Collecting, read: Read, at: datetime | None = None) -> Given:
    """What a scan does. `at`: when it was scanned."""
    if state.is_over:
        return Turn(state, say("refused", "run_over"))
    if read.command is not None:
        return _command(state, read.command.name)
    if isinstance(read.found, Ready):
        return _goods(state, read.found)
    if not isinstance(read.found, Tried):
        return Turn(state, unknown(read))
    if read.found.why_not:
        return Turn(state, say("refused", f"code_{read.found.why_not}"))
    fact = Fact(what="hand_over", part=state.part, at=at)
    answer = say("done", "collected", part=state.part)
    update = {**_NONE, "given": state.given + 1}
    return Turn(state.model_copy(update=update), answer, [fact])


def _goods(state: Collecting, ready: Ready) -> Given:
    if ready.why_not:
        return Turn(state, say("refused", ready.why_not, part=ready.part_id))
    update = {"part": ready.part_id, "units": ready.units, "names": ready.names}
    return Turn(state.model_copy(update=update), say("good", "ask_code", part=ready.part_id))


def _command(state: Collecting, name: str) -> Given:
    if name not in ("CANCEL", "DONE"):
        return Turn(state, say("refused", "not_here", scanned=name))
    if state.part:
        answer = say("asked", "parcel_aside", part=state.part)
        return Turn(state.model_copy(update=_NONE), answer)
    return Turn(state.model_copy(update={"is_over": True}), say("done", "counter_over"))


def refused(state: Collecting, fact: Fact, why: str) -> Given:
    """The goods may not be given out."""
    state = state.model_copy(update={"given": max(0, state.given - 1)})
    return Turn(state, say("gone", "not_handed_over", part=fact.part, why=why))
