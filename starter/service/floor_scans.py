"""A scan, taken in its turn: what it decides is written, and the facts behind it are recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from domain.errors import Refused
from domain.staff.people import Person
from domain.warehouse.scans import Answer, Scan, State, Turn, command_in, place_of, say
from starter.service.floor_incoming import KINDS
from starter.service.floor_kinds import Kind, Wish
from store.database import Connection
from store.warehouse import runs
from store.warehouse.runs import Run

FACTS_AT_ONCE: Final = 10
"""So many facts are recorded behind one scan. Where there are more, the page asks again."""


@dataclass(frozen=True)
class Shown:
    """A run as its page shows it. `is_mine`: whoever looks has it."""

    run: Run
    state: State
    is_mine: bool

    @property
    def is_under_way(self) -> bool:
        """Whether facts of it are still being recorded."""
        return bool(self.run.facts)


@dataclass(frozen=True)
class Taken:
    """What became of a scan. `how`: `taken`, `repeated`, or why it was not taken.

    `missing`: the numbers of scans that have not come, and must come first.
    """

    shown: Shown
    answer: Answer
    how: Literal["taken", "repeated", "gap", "passed", "held"]
    missing: Sequence[int] = ()


async def take(conn: Connection, run: Run, person: Person, scan: Scan) -> Taken | Run:
    """The run behind a scan that was taken, or why it was not. The caller holds the run's lock."""
    seen = shown(run, person)
    if run.login != person.login:
        command = command_in(scan.code)
        if command is None or command.name != "TAKE":
            return Taken(seen, say("taken", "run_taken", who=run.who), "held")
        await runs.take_over(conn, run.run_no, person.login, person.who)
        answer = say("good", "taken_over", who=run.who)
        return await _save(conn, run, Turn(seen.state, answer), scan)
    match place_of(run.last_seq, run.last_scan, scan):
        case "repeat":
            return Taken(seen, run.answer or say("passed", "passed"), "repeated")
        case "gap":
            missing = range(run.last_seq + 1, scan.seq)
            return Taken(seen, say("passed", "gap", n=len(missing)), "gap", missing)
        case "passed":
            return Taken(seen, say("passed", "passed", scanned=scan.code), "passed")
    wish = Wish(run.location, person, {})
    return await _save(conn, run, await _turn(conn, run, wish, seen.state, scan), scan)


async def _turn(conn: Connection, run: Run, wish: Wish, state: State, scan: Scan) -> Turn[State]:
    """What a scan that has its turn does. Parts that somebody else has are not taken."""
    kind = KINDS[run.kind]
    read = await kind.read(conn, wish, state, scan.code)
    turn: Turn[State] = kind.decide(state, read, scan.at)
    if tuple(turn.state.held) == tuple(state.held):
        return turn
    lost = await runs.hold(conn, run.run_no, turn.state.held)
    if not lost:
        return turn
    await runs.hold(conn, run.run_no, state.held)
    (other, *_) = await runs.holders(conn, lost)
    answer = say("taken", "part_taken", part=other.part_id, who=other.who, run=other.run_no)
    return Turn(state, answer)


async def _save(conn: Connection, run: Run, turn: Turn[State], scan: Scan) -> Run:
    facts = (*run.facts, *turn.facts)
    return await runs.save(
        conn,
        run,
        turn.state,
        facts,
        turn.answer,
        last_seq=scan.seq,
        last_scan=scan.mark,
        is_over=turn.state.is_over and not facts,
    )


async def settled(conn: Connection, run: Run) -> Run:
    """The run with its facts recorded, one transaction for each, or some of them."""
    for _ in range(FACTS_AT_ONCE):
        if not run.facts:
            return run
        async with conn.transaction():
            run = await runs.locked(conn, run.run_no)
            if run.facts:
                run = await _record_one(conn, run, KINDS[run.kind])
    return run


async def _record_one(conn: Connection, run: Run, kind: Kind) -> Run:
    state, answer = kind.state.model_validate(run.state), run.answer
    fact, *rest = run.facts
    try:
        async with conn.transaction():
            await kind.record(conn, run, state, fact)
    except Refused as no:
        turn = await kind.not_recorded(conn, state, fact, str(no))
        state, answer = turn.state, turn.answer
        rest = [*turn.facts, *rest]
        await runs.hold(conn, run.run_no, state.held)
    return await runs.save(
        conn,
        run,
        state,
        rest,
        answer,
        last_seq=run.last_seq,
        last_scan=run.last_scan,
        is_over=state.is_over and not rest,
    )


def shown(run: Run, person: Person) -> Shown:
    """A run as somebody sees it."""
    state = KINDS[run.kind].state.model_validate(run.state)
    return Shown(run, state, run.login == person.login)
