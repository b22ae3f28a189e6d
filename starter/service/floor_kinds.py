"""The kinds of work on the floor: how each begins, reads a code, decides, and records.

A new kind is an entry in KINDS, a state and a decision in domain/warehouse, and what it reads and
records in store/warehouse. docs/screens.md tells more.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from domain.access.keys import Scope
from domain.staff.people import Person
from domain.warehouse import collecting, manifests, packing, pick_decisions, putting_back
from domain.warehouse.collecting import Collecting
from domain.warehouse.manifests import Manifest
from domain.warehouse.packing import Packing
from domain.warehouse.picking import Picking, Style
from domain.warehouse.putting_back import PuttingBack
from domain.warehouse.scans import Fact, Read, State, Turn
from store.database import Connection
from store.warehouse import bins, parcel_runs, pick_runs
from store.warehouse.parcel_runs import Whose
from store.warehouse.runs import Run

WAVE_MAX: Final = 50
"""The most parcels of one run."""
_STYLES: Final[Mapping[str, Style]] = {"batch": "batch", "cluster": "cluster"}


@dataclass(frozen=True)
class Wish:
    """Who works where. `said`: what the kind of work needs besides when it begins, by its names."""

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

    @property
    def whose(self) -> Whose:
        """The same as the store takes it."""
        return Whose(self.location, self.channels, self.sellers)


def _limit(named: frozenset[str] | None) -> list[str] | None:
    return None if named is None else sorted(named)


Begin = Callable[[Connection, Wish], Awaitable[State]]
Reader = Callable[[Connection, Wish, Any, str], Awaitable[Read]]
Recorder = Callable[[Connection, Run, Any, Fact], Awaitable[None]]
NotRecorded = Callable[[Connection, Any, Fact, str], Awaitable[Turn[Any]]]


async def read_code(conn: Connection, wish: Wish, _state: Any, code: str) -> Read:
    """A command, a place, or goods."""
    return await bins.read_code(conn, wish.location, code)


def empty(state: type[State]) -> Begin:
    """A run that begins with nothing: what it is about is scanned."""

    async def begin(_conn: Connection, _wish: Wish) -> State:
        return state()

    return begin


def by(write: Callable[[Connection, Fact, str], Awaitable[None]]) -> Recorder:
    """Records what a fact says, under the name of whoever has the run."""

    async def record(conn: Connection, run: Run, _state: Any, fact: Fact) -> None:
        await write(conn, fact, run.who)

    return record


def decided(refused: Callable[[Any, Fact, str], Turn[Any]]) -> NotRecorded:
    """What becomes of a run whose fact was not taken, where nothing more has to be read for it."""

    async def not_recorded(_conn: Connection, state: Any, fact: Fact, why: str) -> Turn[Any]:
        return refused(state, fact, why)

    return not_recorded


@dataclass(frozen=True)
class Kind:
    """One kind of work. `begin` raises Refused where there is nothing to do.

    `read`: what a code is. `decide` is pure. `record` raises Refused where the rules do not take a
    fact; `not_recorded` says what becomes of the run then. `scopes`: what somebody needs for it,
    besides what the floor takes.
    """

    state: type[State]
    begin: Begin
    decide: Callable[[Any, Read, datetime | None], Turn[Any]]
    record: Recorder
    not_recorded: NotRecorded
    read: Reader = read_code
    scopes: tuple[Scope, ...] = ()


async def _begin_pick(conn: Connection, wish: Wish) -> Picking:
    """`part`: one parcel. Otherwise a wave: `style`, `parcels`, `zone`, `due`."""
    part = wish.said.get("part", "")
    style = _STYLES.get(wish.said.get("style", ""), "single")
    wanted = wish.said.get("parcels", "")
    number = int(wanted) if wanted.isascii() and wanted.isdecimal() and len(wanted) < 6 else 1
    wave = await pick_runs.wave(
        conn,
        wish.location,
        parts=[part] if part else None,
        channels=wish.channels,
        sellers=wish.sellers,
        zone=wish.said.get("zone") or None,
        only_due=bool(wish.said.get("due")),
        at_most=1 if part or style == "single" else max(1, min(number, WAVE_MAX)),
    )
    return await pick_runs.plan(conn, wave, style)


async def _read_pick(conn: Connection, wish: Wish, state: Picking, code: str) -> Read:
    return await pick_runs.read(conn, wish.location, state, code)


async def _read_pack(conn: Connection, wish: Wish, _state: Packing, code: str) -> Read:
    read = await bins.read_code(conn, wish.location, code)
    if read.command is not None or read.sku is not None:
        return read
    return replace(read, found=await parcel_runs.to_pack(conn, wish.whose, read.code))


async def _read_parcel(conn: Connection, wish: Wish, _state: Manifest, code: str) -> Read:
    read = await bins.read_code(conn, wish.location, code)
    if read.command is not None:
        return read
    return replace(read, found=await parcel_runs.to_load(conn, wish.whose, read.code))


async def _record_manifest(conn: Connection, run: Run, state: Manifest, fact: Fact) -> None:
    if fact.what == "hand_over":
        await parcel_runs.record_hand_over(conn, fact, run.who)
    elif state.parcels:
        await parcel_runs.write_manifest(
            *(conn, run.run_no, run.location, state.carrier, state.parcels), who=run.who
        )


async def _begin_put_back(conn: Connection, wish: Wish) -> PuttingBack:
    return await parcel_runs.to_put_back(conn, wish.whose)


async def _read_collect(conn: Connection, wish: Wish, state: Collecting, code: str) -> Read:
    read = await bins.read_code(conn, wish.location, code)
    if read.command is not None:
        return read
    ready = await parcel_runs.to_collect(conn, wish.whose, read.code)
    if ready is not None or not state.part:
        return replace(read, found=ready)
    # What a customer says is a secret: it goes no further than this.
    return Read("", found=await parcel_runs.try_code(conn, state.part, code))


KINDS: Final[Mapping[str, Kind]] = {
    "pick": Kind(
        state=Picking,
        begin=_begin_pick,
        read=_read_pick,
        decide=pick_decisions.decide,
        record=by(pick_runs.record),
        not_recorded=pick_runs.not_recorded,
    ),
    "pack": Kind(
        state=Packing,
        begin=empty(Packing),
        read=_read_pack,
        decide=packing.decide,
        record=by(parcel_runs.record_pack),
        not_recorded=decided(packing.refused),
    ),
    "hand-over": Kind(
        state=Manifest,
        begin=empty(Manifest),
        read=_read_parcel,
        decide=manifests.decide,
        record=_record_manifest,
        not_recorded=decided(manifests.refused),
    ),
    "put-back": Kind(
        state=PuttingBack,
        begin=_begin_put_back,
        decide=putting_back.decide,
        record=by(parcel_runs.record_put_back),
        not_recorded=decided(putting_back.refused),
    ),
    "collect": Kind(
        state=Collecting,
        begin=empty(Collecting),
        read=_read_collect,
        decide=collecting.decide,
        record=by(parcel_runs.record_hand_over),
        not_recorded=decided(collecting.refused),
    ),
}
