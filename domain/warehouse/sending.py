"""A run in which goods are taken for another location, and sent there as one transfer. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from domain.warehouse.scans import Fact, Read, Turn, more, say, unknown
from domain.warehouse.tallies import (
    LOG_MAX,
    Acts,
    Tally,
    decided,
    given_up,
    nothing_to_undo,
    times,
    undone,
    units_of,
)

WHY: Final = "sent from the floor"
"""The reason where nobody gave one."""


class Free(BaseModel):
    """Units of a SKU that may leave: nobody has a claim on them. `name`: None: it has none."""

    model_config = ConfigDict(frozen=True)

    units: int
    name: str | None = None


class Sending(Tally):
    """Where it stands. `part`: the transfer's id. `log`: SKU and units, scan by scan."""

    part: str
    to: str
    names: dict[str, str] = Field(default_factory=dict)
    log: tuple[tuple[str, int], ...] = ()
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
    return decided(state, read, at, _ACTS, _goods)


def _goods(state: Sending, read: Read, _at: datetime | None) -> Sent:
    if read.sku is None:
        return Turn(state, unknown(read))
    free = read.found
    if not isinstance(free, Free):
        return Turn(state, say("wrong_item", "no_stock_here", scanned=read.sku))
    if len(state.log) >= LOG_MAX:
        return Turn(state, say("refused", "run_full"))
    units, room = units_of(state, read), max(0, free.units - state.units.get(read.sku, 0))
    state = state.model_copy(update={"times": 0})
    if units > room:
        answer = say("over", "not_free", expected=room, scanned=units, sku=read.sku)
        return Turn(state, answer)
    names = {**state.names, read.sku: free.name} if free.name else state.names
    update = {"log": (*state.log, (read.sku, units)), "names": names}
    state = state.model_copy(update=update)
    return Turn(state, say("good", "goes_to", n=state.units[read.sku], sku=read.sku, to=state.to))


def _why(state: Sending, reason: str, _at: datetime | None) -> Sent:
    return Turn(state.model_copy(update={"why": reason}), say("asked", "noted", why=reason))


def _undo(state: Sending, _value: str, _at: datetime | None) -> Sent:
    if not state.log:
        return nothing_to_undo(state)
    sku, n = state.log[-1]
    return undone(state, n, sku, log=state.log[:-1])


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
    return given_up(state, state.taken, log=())


def refused(state: Sending, why: str) -> Sent:
    """The goods may not leave: it goes on, so that fewer can be sent."""
    return Turn(state.model_copy(update={"is_over": False}), say("gone", "not_sent", why=why))


_ACTS: Final[Acts[Sending]] = {
    "CANCEL": _cancel,
    "DONE": _done,
    "QTY": times,
    "UNDO": _undo,
    "WHY": _why,
}
