"""A run in which goods are taken for another location, and sent there as one transfer. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.warehouse.scans import (
    CommandName,
    Fact,
    Read,
    State,
    Turn,
    more,
    say,
    units_in,
    unknown,
)

LOG_MAX: Final = 2000
WHY: Final = "sent from the floor"
"""The reason where nobody gave one."""


class Free(BaseModel):
    """Units of a SKU that may leave: nobody has a claim on them. `name`: None: it has none."""

    model_config = ConfigDict(frozen=True)

    units: int
    name: str | None = None


class Sending(State):
    """Where it stands. `part`: the transfer's id. `log`: SKU and units, scan by scan."""

    part: str
    to: str
    names: dict[str, str] = Field(default_factory=dict)
    log: tuple[tuple[str, int], ...] = ()
    times: int = 0
    asking: Literal["", "cancel", "done"] = ""
    why: str = ""

    @property
    def units(self) -> dict[str, int]:
        """SKU → units that are taken."""
        units: dict[str, int] = {}
        for sku, n in self.log:
            units = more(units, {sku: n})
        return units

    @property
    def taken(self) -> int:
        """Units, of all SKUs."""
        return sum(n for _, n in self.log)


Sent = Turn[Sending]


def decide(state: Sending, read: Read, at: datetime | None = None) -> Sent:
    """What a scan does. `read.found`: how many units of the goods are Free; None: no stock."""
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


def _goods(state: Sending, read: Read) -> Sent:
    if read.sku is None:
        return Turn(state, unknown(read))
    free = read.found
    if not isinstance(free, Free):
        return Turn(state, say("wrong_item", "no_stock_here", scanned=read.sku))
    units, room = read.units * (state.times or 1), free.units - state.units.get(read.sku, 0)
    state = state.model_copy(update={"times": 0})
    if units > room or len(state.log) >= LOG_MAX:
        answer = say("over", "not_free", expected=max(room, 0), scanned=units, sku=read.sku)
        return Turn(state, answer)
    names = {**state.names, read.sku: free.name} if free.name else state.names
    update = {"log": (*state.log, (read.sku, units)), "names": names}
    state = state.model_copy(update=update)
    return Turn(state, say("good", "goes_to", n=state.units[read.sku], sku=read.sku, to=state.to))


def _times(state: Sending, value: str, _at: datetime | None) -> Sent:
    n = units_in(value)
    if n == 0:
        return Turn(state, say("unknown", "no_number"))
    return Turn(state.model_copy(update={"times": n}), say("asked", "next_stands_for", n=n))


def _why(state: Sending, reason: str, _at: datetime | None) -> Sent:
    return Turn(state.model_copy(update={"why": reason}), say("asked", "noted", why=reason))


def _undo(state: Sending, _value: str, _at: datetime | None) -> Sent:
    if not state.log:
        return Turn(state, say("refused", "nothing_to_undo"))
    sku, n = state.log[-1]
    state = state.model_copy(update={"log": state.log[:-1]})
    return Turn(state, say("asked", "undone", n=n, sku=sku))


def _done(state: Sending, _value: str, at: datetime | None) -> Sent:
    if not state.log:
        return Turn(state, say("refused", "nothing_to_send"))
    if state.asking != "done":
        answer = say("asked", "send_sure", n=state.taken, to=state.to)
        return Turn(state.model_copy(update={"asking": "done"}), answer)
    said: dict[str, str | int] = {"to": state.to, "why": state.why or WHY}
    fact = Fact(what="send", part=state.part, at=at, counted=state.units, said=said)
    state = state.model_copy(update={"is_over": True})
    return Turn(state, say("done", "sent_to", n=state.taken, to=state.to, part=state.part), [fact])


def _cancel(state: Sending, _value: str, _at: datetime | None) -> Sent:
    if state.asking != "cancel":
        answer = say("asked", "forget_sure", n=state.taken)
        return Turn(state.model_copy(update={"asking": "cancel"}), answer)
    state = state.model_copy(update={"is_over": True, "log": ()})
    return Turn(state, say("done", "nothing_recorded"))


def refused(state: Sending, why: str) -> Sent:
    """The goods may not leave: it goes on, so that fewer can be sent."""
    return Turn(state.model_copy(update={"is_over": False}), say("gone", "not_sent", why=why))


_ACTS: Final[Mapping[CommandName, Callable[[Sending, str, datetime | None], Sent]]] = {
    "CANCEL": _cancel,
    "DONE": _done,
    "QTY": _times,
    "UNDO": _undo,
    "WHY": _why,
}
