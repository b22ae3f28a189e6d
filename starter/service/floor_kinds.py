"""The kinds of work on the floor: how each begins, reads a code, decides, and records.

A new kind is an entry in KINDS, a state and a decision in domain/warehouse, and what it reads and
records in store/warehouse. docs/screens.md tells more.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from domain.errors import Refused
from domain.staff.people import Person
from domain.warehouse import pick_decisions
from domain.warehouse.picking import Picking, Style
from domain.warehouse.scans import Fact, Read, State, Turn
from store.database import Connection
from store.warehouse import bins, pick_runs
from store.warehouse.runs import Run

WAVE_MAX: Final = 50
"""The most parcels of one run."""
_STYLES: Final[Mapping[str, Style]] = {"batch": "batch", "cluster": "cluster"}


@dataclass(frozen=True)
class Wish:
    """What somebody begins with. `said`: what the kind of work needs besides, by its names."""

    location: str
    person: Person
    said: Mapping[str, str]

    @property
    def channels(self) -> list[str] | None:
        """Of which channels they see orders; None: of all."""
        return _limit(self.person.grant.channels)

    @property
    def sellers(self) -> list[str] | None:
        """Of which sellers, likewise."""
        return _limit(self.person.grant.sellers)


def _limit(named: frozenset[str] | None) -> list[str] | None:
    return None if named is None else sorted(named)


async def read_plainly(conn: Connection, run: Run, _state: Any, code: str) -> Read:
    """A command, a place, goods; what else a code may be, the kind of work knows."""
    return await bins.read_code(conn, run.location, code)


@dataclass(frozen=True)
class Kind:
    """One kind of work. `begin` raises Refused where there is nothing to do.

    `decide` is pure. `record` raises Refused where the rules do not take a fact; `not_recorded`
    says what becomes of the run then.
    """

    state: type[State]
    begin: Callable[[Connection, Wish], Awaitable[State]]
    decide: Callable[[Any, Read, datetime | None], Turn[Any]]
    record: Callable[[Connection, Fact, str], Awaitable[None]]
    not_recorded: Callable[[Connection, Any, Fact, str], Awaitable[Turn[Any]]]
    read: Callable[[Connection, Run, Any, str], Awaitable[Read]] = read_plainly


async def _begin_pick(conn: Connection, wish: Wish) -> Picking:
    """`part`: one parcel. Otherwise a wave: `style`, `parcels`, `zone`, `due`."""
    part = wish.said.get("part", "")
    style = _STYLES.get(wish.said.get("style", ""), "single")
    wanted = wish.said.get("parcels", "")
    number = int(wanted) if wanted.isascii() and wanted.isdecimal() and len(wanted) < 6 else 1
    parts = await pick_runs.candidates(
        conn,
        wish.location,
        parts=[part] if part else None,
        channels=wish.channels,
        sellers=wish.sellers,
        zone=wish.said.get("zone") or None,
        only_due=bool(wish.said.get("due")),
        at_most=1 if part or style == "single" else max(1, min(number, WAVE_MAX)),
    )
    if not parts:
        raise Refused("nothing is to be picked here", reason="nothing_to_pick")
    return await pick_runs.plan(conn, wish.location, parts, style)


KINDS: Final[Mapping[str, Kind]] = {
    "pick": Kind(
        state=Picking,
        begin=_begin_pick,
        decide=pick_decisions.decide,
        record=pick_runs.record,
        not_recorded=pick_runs.not_recorded,
        read=pick_runs.read,
    ),
}
