"""What runs that count goods have in common: commands, units in a hand, and giving up. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict

from domain.warehouse.scans import CommandName, Read, State, Turn, say, units_in

LOG_MAX: Final = 2000
"""Scans that one run keeps, so that each can be undone."""


class Hand(BaseModel):
    """Units of a SKU in somebody's hand, scan by scan."""

    model_config = ConfigDict(frozen=True)

    sku: str
    scans: tuple[int, ...]

    @property
    def units(self) -> int:
        """All of them."""
        return sum(self.scans)


class Tally(State):
    """Where a run stands in which units are counted, scan by scan."""

    times: int = 0
    """How many units the next scan stands for; 0: as many as its code."""
    asking: str = ""
    """The command that was given once, and is to be given again by whoever is sure."""


T = TypeVar("T", bound=Tally)
H = TypeVar("H", bound=Hand)
Act: TypeAlias = Callable[[T, str, datetime | None], Turn[T]]
Acts: TypeAlias = Mapping[CommandName, Act[T]]


def decided(
    state: T,
    read: Read,
    at: datetime | None,
    acts: Acts[T],
    scanned: Callable[[T, Read, datetime | None], Turn[T]],
) -> Turn[T]:
    """What a scan does: a command by `acts`, anything else by `scanned`."""
    if state.is_over:
        return Turn(state, say("refused", "run_over"))
    command = read.command
    if command is None or command.name.lower() != state.asking:
        state = state.model_copy(update={"asking": ""})
    if command is None:
        return scanned(state, read, at)
    act = acts.get(command.name)
    if act is None:
        return Turn(state, say("refused", "not_here", scanned=command.name))
    return act(state, command.value, at)


def times(state: T, value: str, _at: datetime | None) -> Turn[T]:
    """The next scan stands for so many."""
    n = units_in(value)
    if n == 0:
        return Turn(state, say("unknown", "no_number"))
    return Turn(state.model_copy(update={"times": n}), say("asked", "next_stands_for", n=n))


def units_of(state: Tally, read: Read) -> int:
    """How many units a scan of goods stands for."""
    return read.units * (state.times or 1)


def given_up(state: T, n: int, **forgotten: object) -> Turn[T]:
    """Asked twice: the `n` units that were counted are forgotten."""
    if state.asking != "cancel":
        return Turn(state.model_copy(update={"asking": "cancel"}), say("asked", "forget_sure", n=n))
    state = state.model_copy(update={"is_over": True, **forgotten})
    return Turn(state, say("done", "nothing_recorded"))


def with_more(hand: H | None, new: H) -> H:
    """What is in the hand, and the units of this scan of the same SKU."""
    if hand is None:
        return new
    return hand.model_copy(update={"scans": (*hand.scans, *new.scans)})


def with_less(hand: H) -> H | None:
    """What is in the hand without its last scan."""
    return hand.model_copy(update={"scans": hand.scans[:-1]}) if len(hand.scans) > 1 else None


def undone(state: T, n: int, sku: str, **update: object) -> Turn[T]:
    """So many units of the last scan are taken back."""
    return Turn(state.model_copy(update=update), say("asked", "undone", n=n, sku=sku))


def nothing_to_undo(state: T) -> Turn[T]:
    """Nothing was scanned, or all of it is undone."""
    return Turn(state, say("refused", "nothing_to_undo"))
