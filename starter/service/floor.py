"""The floor of a warehouse: where somebody works, what waits there, and their runs of scans.

The server decides after each scan what comes next. A run stands in the database: whoever reloads a
page, takes another device, or takes a run over goes on where it was left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from domain.access.keys import Scope
from domain.errors import NotFound, Refused
from domain.staff.people import Person
from domain.warehouse.scans import Scan
from starter.service.floor_incoming import KINDS
from starter.service.floor_kinds import Wish
from starter.service.floor_scans import Shown, Taken, settled, shown, take
from store.database import Connection, Pool
from store.stock import locations
from store.warehouse import arrivals, floor, parcel_runs, pick_runs, runs
from store.warehouse.arrivals import Arrival
from store.warehouse.floor import Waiting
from store.warehouse.parcel_runs import ClosedManifest
from store.warehouse.runs import Holder, Run

LEFT_FOR: Final = timedelta(seconds=5)
LEFT_AT_ONCE: Final = 20
"""What was decided so long ago, and is not recorded: its page was closed, or a process died."""


class Floor:
    """Runs of scans, and what there is to do. Nobody sees what is at a location not theirs."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def locations(self, person: Person) -> list[str]:
        """The open locations that are somebody's business."""
        async with self._pool.acquire() as conn:
            found = await locations.names(conn)
        return sorted(one for one, retired in found.items() if not retired and person.works_at(one))

    async def location_of(self, person: Person) -> str | None:
        """Where somebody works: where they said so last, or where alone they may."""
        theirs = await self.locations(person)
        async with self._pool.acquire() as conn:
            said = await runs.place_of(conn, person.login)
        if said in theirs:
            return said
        return theirs[0] if len(theirs) == 1 else None

    async def work_at(self, person: Person, location: str) -> None:
        """Somebody works at this location from now on. Raises NotFound."""
        if location not in await self.locations(person):
            raise NotFound(f"there is no location {location}", reason="no_location")
        async with self._pool.acquire() as conn:
            await runs.remember(conn, person.login, location)

    async def waiting(self, person: Person, location: str) -> list[Waiting]:
        """How much waits there of each kind of work."""
        wish = Wish(location, person, {})
        async with self._pool.acquire() as conn:
            return await floor.waiting(conn, location, channels=wish.channels, sellers=wish.sellers)

    async def open_runs(self, person: Person, location: str) -> list[Run]:
        """The runs that are under way there, one's own first."""
        async with self._pool.acquire() as conn:
            found = await runs.open_at(conn, location)
            found = [run for run in found if not self.lacking(person, run.kind)]
            hidden = await _not_for(conn, found, person)
        found = [run for run in found if run.run_no not in hidden]
        return sorted(found, key=lambda run: run.login != person.login)

    async def manifest(self, person: Person, manifest_no: int) -> ClosedManifest:
        """What a carrier has taken at once. Raises NotFound."""
        async with self._pool.acquire() as conn:
            found = await parcel_runs.manifest(conn, manifest_no)
        if not person.works_at(found.location):
            raise NotFound(f"there is no manifest {manifest_no}", reason="no_manifest")
        return found

    async def label_printed(self, person: Person, part: str) -> int:
        """A label is printed, for the how manyth time. Raises NotFound.

        From the second time on, the order's story tells.
        """
        async with self._pool.acquire() as conn:
            return await parcel_runs.label_printed(conn, part, person.who)

    async def check_parcel(self, person: Person, location: str, part: str) -> None:
        """Raises NotFound for a parcel that is not there, or not theirs."""
        async with self._pool.acquire() as conn:
            found = await parcel_runs.to_load(conn, Wish(location, person, {}).whose, part)
        if found is None:
            raise NotFound(f"there is no parcel {part} at {location}", reason="no_parcel")

    async def expected(self, person: Person, location: str) -> list[Arrival]:
        """What is to be received there and nobody receives yet, of what they may."""
        kinds = [kind for kind in KINDS if not self.lacking(person, kind)]
        async with self._pool.acquire() as conn:
            return await arrivals.expected(conn, location, kinds)

    async def others(self, location: str) -> list[str]:
        """The open locations that goods may be sent to from there.

        Also those where somebody does not work: they send goods to others, who do.
        """
        async with self._pool.acquire() as conn:
            found = await locations.names(conn)
        return sorted(one for one, retired in found.items() if not retired and one != location)

    def lacking(self, person: Person, kind: str) -> list[Scope]:
        """What somebody needs for a kind of work, and does not have."""
        needs = KINDS[kind].scopes if kind in KINDS else ()
        return [scope for scope in needs if not person.allows(scope)]

    async def zones(self, location: str) -> list[str]:
        """The zones of a location, to choose a wave by."""
        async with self._pool.acquire() as conn:
            return await pick_runs.zones(conn, location)

    async def begin(self, person: Person, location: str, kind: str, said: Mapping[str, str]) -> int:
        """Begin a run, and answer its number. `said`: what its kind needs besides.

        `request_id`, in it: the form that is sent again leads to the run that it began.

        Raises NotFound for a location or kind that is not theirs or not there, and Refused where
        there is nothing to do, or somebody else has begun with it.
        """
        may = kind in KINDS and not self.lacking(person, kind)
        if not may or location not in await self.locations(person):
            raise NotFound(f"there is no work {kind} at {location}", reason="no_location")
        async with self._pool.acquire() as conn, conn.transaction():
            await runs.wait_turn(conn, location)
            request_id = said.get("request_id") or None
            begun = request_id and await runs.of_request(conn, person.login, request_id)
            if begun:
                return begun
            state = await KINDS[kind].begin(conn, Wish(location, person, said))
            run_no = await runs.begin(
                *(conn, kind, location, person.login, person.who, state, request_id)
            )
            lost = await runs.hold(conn, run_no, state.held)
            if lost:
                raise Refused(f"somebody else works on {lost[0]}", reason="part_taken")
            return run_no

    async def find(self, person: Person, location: str, code: str) -> tuple[int, str]:
        """The run in which a scanned parcel is worked on, and the parcel.

        It is one's own run of that kind, where one is open; where none is, it is begun.
        Raises Refused where nothing is to be done with it.
        """
        code = code.strip()
        async with self._pool.acquire() as conn:
            found = await parcel_runs.work_on(conn, Wish(location, person, {}).whose, code)
        if found is None:
            raise Refused(f"nothing is to be done with {code} here", reason="nothing_to_do")
        kind, part = found
        holder = await self.holder(person, part)
        if holder is not None:
            return holder.run_no, part
        for run in await self.open_runs(person, location):
            if run.login == person.login and run.kind == kind and kind != "pick":
                return run.run_no, part
        return await self.begin(person, location, kind, {"part": part}), part

    async def show(self, person: Person, run_no: int) -> Shown:
        """A run as it stands. Raises NotFound. What was left to be recorded is, before."""
        async with self._pool.acquire() as conn:
            run = await _theirs(conn, await runs.find(conn, run_no), person)
            return shown(*await settled(conn, run), person)

    async def left_over(self) -> list[int]:
        """Runs in which something was decided for a while and is not recorded."""
        async with self._pool.acquire() as conn:
            return await runs.left_over(conn, LEFT_FOR, LEFT_AT_ONCE)

    async def settle(self, run_no: int) -> None:
        """Record what a run has left to be recorded. Raises NotFound."""
        async with self._pool.acquire() as conn:
            run = await runs.find(conn, run_no)
            while run.facts:
                run, _ = await settled(conn, run)

    async def take_over(self, person: Person, run_no: int) -> None:
        """Go on with a run that somebody else has. Raises NotFound."""
        async with self._pool.acquire() as conn, conn.transaction():
            run = await _theirs(conn, await runs.locked(conn, run_no), person)
            await runs.take_over(conn, run, person.login, person.who)

    async def holder(self, person: Person, part: str) -> Holder | None:
        """Who works on a part, such as a parcel, at a location of theirs."""
        async with self._pool.acquire() as conn:
            for found in await runs.holders(conn, [part]):
                if person.works_at((await runs.find(conn, found.run_no)).location):
                    return found
        return None

    async def scan(self, person: Person, run_no: int, scan: Scan) -> Taken:
        """Take a scan: once, in its turn. Raises NotFound."""
        async with self._pool.acquire() as conn:
            run = await _theirs(conn, await runs.find(conn, run_no), person)
            return await take(conn, run, person, scan)


async def _theirs(conn: Connection, run: Run, person: Person) -> Run:
    """Raises NotFound for a run that is none of theirs."""
    may = person.works_at(run.location) and person.allows(*KINDS[run.kind].scopes)
    if not may or await _not_for(conn, [run], person):
        raise NotFound(f"there is no run {run.run_no}", reason="no_run")
    return run


async def _not_for(conn: Connection, found: Sequence[Run], person: Person) -> set[int]:
    """The numbers of runs with orders that somebody may not see.

    What is left of another one's run that is over does not say whose its orders were.
    """
    grant = person.grant
    if grant.channels is None and grant.sellers is None:
        return set()
    wish = Wish("", person, {})
    over = {run.run_no for run in found if run.ended_at is not None and run.login != person.login}
    numbers = [run.run_no for run in found]
    return over | await runs.not_for(conn, numbers, wish.channels, wish.sellers)
