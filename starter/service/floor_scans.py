"""A scan, taken in its turn: what it decides is written, and the facts behind it are recorded.

Most scans change their run and nothing else. They are decided on what was read, and written where
nobody has written the run since: no transaction is held open for them. All others are decided, or
looked at once more, under the run's lock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from domain.errors import InvalidInput, Refused
from domain.staff.people import Person
from domain.warehouse.scans import Answer, Fact, Scan, State, Turn, command_in, place_of, say
from starter.service.floor_incoming import KINDS
from starter.service.floor_kinds import Wish
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


async def take(conn: Connection, run: Run, person: Person, scan: Scan) -> Taken:
    """Take a scan, once and in its turn. `run`: as it was read, without a lock."""
    state = state_of(run)
    turn = await _decided(conn, run, state, person, scan)
    if isinstance(turn, Turn) and _is_plain(run, state, turn, person):
        saved = await _save(conn, run, turn, scan)
        if saved is not None:
            return _taken(saved, turn.state, person)
    async with conn.transaction():
        seen = await runs.locked(conn, run.run_no)
        if seen.version != run.version or isinstance(turn, Taken):
            run, state = seen, state_of(seen)
            turn = await _decided(conn, run, state, person, scan)
        if isinstance(turn, Taken):
            return turn
        if run.login != person.login:
            run = await runs.take_over(conn, run, person.login, person.who)
        turn = await _holding(conn, run, state, turn)
        if turn.facts and not run.facts:
            turn = await _with_first(conn, run, turn)
        else:
            turn = Turn(turn.state, turn.answer, (*run.facts, *turn.facts))
        saved = await _save(conn, run, turn, scan)
        assert saved is not None  # its lock is held
    run, state = await settled(conn, saved)
    return _taken(run, state, person)


def _taken(run: Run, state: State, person: Person) -> Taken:
    shown = Shown(run, state, run.login == person.login)
    return Taken(shown, run.answer or say("passed", "passed"), "taken")


async def _decided(
    conn: Connection, run: Run, state: State, person: Person, scan: Scan
) -> Turn[State] | Taken:
    """What a scan does, or why it is not taken. It changes nothing."""
    seen = Shown(run, state, run.login == person.login)
    if not seen.is_mine:
        return _of_somebody_else(seen, scan)
    match place_of(run.last_seq, run.last_scan, scan):
        case "repeat":
            return Taken(seen, run.answer or say("passed", "passed"), "repeated")
        case "gap":
            missing = range(run.last_seq + 1, scan.seq)
            return Taken(seen, say("passed", "gap", n=len(missing)), "gap", missing)
        case "passed":
            return Taken(seen, say("passed", "passed", scanned=scan.code), "passed")
    kind = KINDS[run.kind]
    read = await kind.read(conn, Wish(run.location, person, {}), state, scan.code)
    turn: Turn[State] = kind.decide(state, read, scan.at)
    return turn


def _of_somebody_else(seen: Shown, scan: Scan) -> Turn[State] | Taken:
    """What a scan does in a run that somebody else has: take it over, or nothing."""
    command = command_in(scan.code)
    if command is None or command.name != "TAKE":
        return Taken(seen, say("taken", "run_taken", who=seen.run.who), "held")
    if seen.run.ended_at is not None:
        return Taken(seen, say("refused", "run_over"), "held")
    return Turn(seen.state, say("good", "taken_over", who=seen.run.who))


def _is_plain(run: Run, state: State, turn: Turn[State], person: Person) -> bool:
    """Whether nothing changes but where the run stands."""
    return (
        run.login == person.login
        and not (run.facts or turn.facts)
        and tuple(turn.state.held) == tuple(state.held)
    )


async def _holding(conn: Connection, run: Run, state: State, turn: Turn[State]) -> Turn[State]:
    """The same turn, where the run has all parts that it is about now; otherwise who has one.

    A part stays in the run until what happened to it is recorded.
    """
    before, now = set(state.held), set(turn.state.held)
    gained = [part for part in turn.state.held if part not in before]
    lost = await runs.hold(conn, run.run_no, gained)
    if not lost:
        still = now | _parts(run.facts) | _parts(turn.facts)
        await runs.let_go(conn, run.run_no, sorted(before - still))
        return turn
    await runs.let_go(conn, run.run_no, [part for part in gained if part not in lost])
    (other, *_) = await runs.holders(conn, lost)
    answer = say("taken", "part_taken", part=other.part_id, who=other.who, run=other.run_no)
    return Turn(state, answer)


async def _save(
    conn: Connection, run: Run, turn: Turn[State], scan: Scan | None = None
) -> Run | None:
    """Write a turn; without a scan, of what was scanned before. None: somebody has written it."""
    # Whoever takes a run over may have an old page: the run goes on from its own number.
    return await runs.save(
        conn,
        run,
        turn.state,
        turn.facts,
        turn.answer,
        last_seq=run.last_seq if scan is None else run.last_seq + 1,
        last_scan=run.last_scan if scan is None else scan.mark,
        is_over=turn.state.is_over and not turn.facts,
    )


async def settled(conn: Connection, run: Run) -> tuple[Run, State]:
    """The run with its facts recorded, one transaction for each, or some of them."""
    for _ in range(FACTS_AT_ONCE):
        if not run.facts:
            break
        async with conn.transaction():
            run = await runs.locked(conn, run.run_no)
            if run.facts:
                answer = run.answer or say("passed", "passed")
                turn = await _with_first(conn, run, Turn(state_of(run), answer, run.facts))
                saved = await _save(conn, run, turn)
                assert saved is not None  # its lock is held
                run = saved
    return run, state_of(run)


async def _with_first(conn: Connection, run: Run, turn: Turn[State]) -> Turn[State]:
    """The turn with its first fact recorded; where the rules say no, with what comes of that."""
    kind, (fact, *rest) = KINDS[run.kind], turn.facts
    before = set(turn.state.held)
    try:
        async with conn.transaction():
            await kind.record(conn, run, turn.state, fact)
    except (Refused, InvalidInput) as no:
        then = await kind.not_recorded(conn, turn.state, fact, str(no))
        turn = Turn(then.state, then.answer, (*then.facts, *rest))
        await runs.hold(conn, run.run_no, [x for x in turn.state.held if x not in before])
    else:
        turn = Turn(turn.state, turn.answer, rest)
    still = {*turn.state.held, *_parts(turn.facts)}
    await runs.let_go(conn, run.run_no, sorted({*before, fact.part} - still))
    return turn


def _parts(facts: Sequence[Fact]) -> set[str]:
    return {fact.part for fact in facts}


def state_of(run: Run) -> State:
    """Where a run stands, as its kind reads it."""
    return KINDS[run.kind].state.model_validate(run.state)


def shown(run: Run, state: State, person: Person) -> Shown:
    """A run as somebody sees it."""
    return Shown(run, state, run.login == person.login)
