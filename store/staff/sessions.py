"""Sessions and wrong passwords."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import NamedTuple

from domain.staff.people import Person, grant_of
from domain.staff.sessions import (
    FORGOTTEN_AFTER,
    IDLE,
    LASTS,
    Means,
    Session,
    TooManyTries,
    wait_after,
)
from store.database import Connection, Record, load_queries

_sql = load_queries(__file__)


class Tries(NamedTuple):
    """Wrong passwords in a row, and how long ago the last of them came."""

    wrong: int
    since: timedelta


async def begin(
    conn: Connection,
    token: str,
    login: str,
    *,
    means: Means,
    agent: str,
    address: str,
    password: str | None = None,
    subject: str | None = None,
) -> bool:
    """Open a session, which this token stands for. Only the token's digest is kept.

    `password`, as it is kept, or `subject`: with which they have come. False: it counts no more.
    """
    made = await _sql.begin(
        conn,
        digest=_digest(token),
        login=login,
        means=means,
        lasts=LASTS,
        agent=agent,
        address=address,
        password=password,
        subject=subject,
    )
    return made is not None


async def person_of(conn: Connection, token: str) -> Person | None:
    """Who is signed in with the token, in one statement. None: nobody, whatever the reason is."""
    row = await _sql.person_of(conn, digest=_digest(token), idle=IDLE)
    return None if row is None else _person(row)


async def people_of(conn: Connection, tokens: Collection[str]) -> dict[str, Person]:
    """Token → who is signed in with it. Those of whom nobody is are left out.

    Nobody counts as seen by this: an open page asks so.
    """
    by_digest = {_digest(token): token for token in tokens}
    rows = _sql.people_of(conn, digests=list(by_digest), idle=IDLE)
    return {by_digest[row["digest"]]: _person(row) async for row in rows}


def _person(row: Record) -> Person:
    roles = tuple(row["roles"])
    limits = _set(row["channels"]), _set(row["sellers"]), _set(row["locations"])
    return Person(
        login=row["login"],
        name=row["name"],
        roles=roles,
        locations=limits[-1],
        language=row["language"],
        time_zone=row["time_zone"],
        single_keys=row["single_keys"],
        must_change=row["must_change"],
        session_no=row["session_no"],
        grant=grant_of(row["login"], row["name"], roles, *limits),
    )


async def open_ones(conn: Connection, login: str | None) -> list[Session]:
    """A person's open sessions, or everybody's, the one used last first; 1,000 at most."""
    return [
        Session.model_validate(dict(row))
        async for row in _sql.of_person(conn, login=login, idle=IDLE)
    ]


async def end(conn: Connection, token: str, *, who: str) -> None:
    """End the session of this token; a repeat changes nothing."""
    await _sql.end_by_digest(conn, digest=_digest(token), who=who)


async def end_number(conn: Connection, session_no: int, *, who: str) -> str | None:
    """End the session of this number, and answer its login. None: none with it is open."""
    found: str | None = await _sql.end_by_number(conn, session_no=session_no, who=who)
    return found


async def end_all(conn: Connection, login: str, *, who: str, but_for: int | None = None) -> int:
    """End all sessions of a person, but for one, and answer how many there were."""
    ended = _sql.end_all(conn, login=login, but_for=but_for, who=who)
    return len([row async for row in ended])


async def take_try(conn: Connection, login: str, places: Sequence[str]) -> str:
    """Where it was counted. Each try is counted first: guesses that come at once wait, too.

    Raises TooManyTries where it has to wait at each of these places.
    """
    *others, last = places
    for place in others:
        if await _wait_at(conn, login, place) is None:
            return place
    if left := await _wait_at(conn, login, last):
        raise TooManyTries(left)
    return last


async def _wait_at(conn: Connection, login: str, place: str) -> timedelta | None:
    """How long the next try has to wait. None: it was counted, and may be made."""
    while True:
        wrong, since = await _tries(conn, login, place)
        left = wait_after(wrong) - since
        if wrong and left.total_seconds() > 0:
            return left
        if await _take_one(conn, login, place, wrong):
            return None


async def _tries(conn: Connection, login: str, place: str) -> Tries:
    """Wrong passwords that were given for a login, whether or not somebody has it.

    `place`: where they are counted; "" stands for all places without a count of their own.
    """
    digest = _named(login, place)
    row = await _sql.tries_of(conn, login_digest=digest, forgotten_after=FORGOTTEN_AFTER)
    return Tries(0, timedelta(0)) if row is None else Tries(row["wrong"], row["since"])


async def _take_one(conn: Connection, login: str, place: str, wrong: int) -> bool:
    """Count one more, before it is known to be wrong: so guesses that come at once all count.

    `wrong`: as many as `_tries` has told. False: others were counted since; look again.
    """
    taken = await _sql.take_try(
        conn, login_digest=_named(login, place), wrong=wrong, forgotten_after=FORGOTTEN_AFTER
    )
    return taken is not None


async def forget_wrong(conn: Connection, login: str, place: str) -> None:
    """The right one was given there."""
    await _sql.forget_wrong(conn, login_digest=_named(login, place))


async def forget(conn: Connection, kept: timedelta, at_most: int) -> int:
    """Delete what ended so long ago, some rows at a time, and answer about how many went."""
    return int(await _sql.forget(conn, kept=kept, tries_kept=FORGOTTEN_AFTER, at_most=at_most))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _named(login: str, place: str) -> bytes:
    said = f"login {login}\0{place}" if place else f"login {login}"
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).digest()


def _set(named: list[str] | None) -> frozenset[str] | None:
    return None if named is None else frozenset(named)
