"""People: made, read, changed and disabled. Nobody is deleted: stories name them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import asyncpg

from domain.errors import Conflict, NotFound, Refused
from domain.staff.people import Staff, StaffRequest
from domain.staff.roles import scopes_of
from store.database import Connection, load_queries

_sql = load_queries(__file__)


class Kept(NamedTuple):
    """A password as it is kept. `must_change`: somebody else has made it."""

    encoded: str | None
    must_change: bool


async def find(
    conn: Connection,
    *,
    disabled: bool = False,
    within: StaffRequest | None = None,
    after: str | None = None,
    at_most: int,
) -> list[Staff]:
    """People by their logins. `disabled`: these too. `after`: those behind this login.

    `within`: those whose channels, sellers and locations are all this one's, too.
    """
    channels, sellers, locations = (None,) * 3 if within is None else map(_list, within.limits)
    rows = _sql.find(
        conn,
        login=None,
        disabled=disabled,
        channels=channels,
        sellers=sellers,
        locations=locations,
        after=after,
        at_most=at_most,
    )
    return [_staff(row) async for row in rows]


async def get(conn: Connection, login: str) -> Staff:
    """One person, disabled or not. Raises NotFound."""
    rows = _sql.find(
        conn,
        login=login,
        disabled=True,
        channels=None,
        sellers=None,
        locations=None,
        after=None,
        at_most=1,
    )
    found = [_staff(row) async for row in rows]
    if not found:
        raise unknown(login)
    return found[0]


def unknown(login: str) -> NotFound:
    """The error where there is no such person, or it is none whom somebody sees."""
    return NotFound(f"there is no login {login}", reason="no_login")


async def are_none(conn: Connection) -> bool:
    """Whether nobody was ever let in."""
    return bool(await _sql.are_none(conn))


async def make(
    conn: Connection, wanted: StaffRequest, password: str | None, *, must_change: bool, who: str
) -> None:
    """Keep a new person. `password`: encoded. Raises Conflict for a login that is there."""
    try:
        made = await _sql.make(
            conn,
            login=wanted.login,
            **_row(wanted),
            password=password,
            must_change=must_change,
            who=who,
        )
    except asyncpg.UniqueViolationError:
        raise _mail_is_taken(wanted) from None
    if made is None:
        raise Conflict(f"there is a login {wanted.login} already", reason="login_taken")


async def change(conn: Connection, wanted: StaffRequest) -> None:
    """Keep what is different. The caller has locked the row. Raises Conflict."""
    try:
        await _sql.change(conn, login=wanted.login, **_row(wanted))
    except asyncpg.UniqueViolationError:
        raise _mail_is_taken(wanted) from None


async def lock(conn: Connection, login: str) -> Staff:
    """One person, whom nobody else changes until this transaction ends. Raises NotFound."""
    await _sql.lock(conn, login=login)
    return await get(conn, login)


async def check_one_is_left(conn: Connection, login: str) -> None:
    """Raises Refused where this person is the last admin without limits. The caller has a lock."""
    admins = [row["login"] async for row in _sql.active_admins(conn)]
    if admins == [login]:
        raise Refused(
            f"{login} is the only admin without limits who can sign in: make another one first",
            reason="last_admin",
        )


async def set_single_keys(conn: Connection, login: str, *, on: bool) -> None:
    """Whether letters are commands for somebody."""
    await _sql.set_single_keys(conn, login=login, on=on)


async def disable(conn: Connection, login: str, *, who: str) -> None:
    """Let somebody in no more; a repeat changes nothing."""
    await _sql.disable(conn, login=login, who=who)


async def enable(conn: Connection, login: str) -> None:
    """Let them in again."""
    await _sql.enable(conn, login=login)


async def password_of(conn: Connection, login: str) -> Kept:
    """The password of one who may come in. Nothing is kept of one who may not, or is not there."""
    row = await _sql.password_of(conn, login=login)
    return Kept(None, must_change=False) if row is None else Kept(*row)


async def set_password(conn: Connection, login: str, encoded: str, *, must_change: bool) -> None:
    """Replace the password."""
    await _sql.set_password(conn, login=login, password=encoded, must_change=must_change)


async def by_openid(conn: Connection, issuer: str, subject: str) -> str | None:
    """The login of the active person whom a provider knows by this subject."""
    found: str | None = await _sql.by_openid(conn, issuer=issuer, subject=subject)
    return found


async def link(conn: Connection, issuer: str, subject: str, email: str) -> str | None:
    """Know the person with this address by the subject from now on. None: there is nobody."""
    found: str | None = await _sql.link(conn, issuer=issuer, subject=subject, email=email)
    return found


async def unlink(conn: Connection, login: str) -> None:
    """Forget how their provider knows them: the next one with their address is linked."""
    await _sql.unlink(conn, login=login)


def _row(wanted: StaffRequest) -> dict[str, Any]:
    return {
        "name": wanted.name,
        "roles": list(wanted.roles),
        "email": wanted.email,
        "channels": _list(wanted.channels),
        "sellers": _list(wanted.sellers),
        "locations": _list(wanted.locations),
        "language": wanted.language,
        "time_zone": wanted.time_zone,
    }


def _list(named: tuple[str, ...] | None) -> list[str] | None:
    return None if named is None else sorted(set(named))


def _staff(row: Mapping[str, Any]) -> Staff:
    may = scopes_of(row["roles"], row["channels"], row["sellers"], row["locations"])
    return Staff.model_validate({**row, "scopes": sorted(may)})


def _mail_is_taken(wanted: StaffRequest) -> Conflict:
    return Conflict(f"another login has the address {wanted.email}", reason="mail_taken")
