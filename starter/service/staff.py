"""People who work with the screens: let in, changed and kept out; and how they sign in.

A password and a session's token leave this door once, when they are made; digests are kept.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, SecretStr

from domain.errors import InvalidInput, NotFound, Refused
from domain.seen import check_seen
from domain.staff.people import Person, Staff, StaffChange, StaffRequest
from domain.staff.sessions import Means, Session, WrongSignIn
from starter.service import passwords
from starter.service.staff_limits import check_covers, check_named, check_theirs, lets_all_in, now
from store.database import Pool
from store.staff import people, sessions

FIRST_ADMIN = "admin"
_TOKEN_BYTES = 32
_TOLD_MAX = 200


class NewStaff(BaseModel):
    """A person who was made, or who has a new password. `password`: nobody can ask it again."""

    model_config = ConfigDict(frozen=True)

    staff: Staff
    password: SecretStr


@dataclass(frozen=True)
class Browser:
    """Where somebody signs in: what their browser calls itself, and its address.

    `known_as`: its name, where they have signed in there before: its wrong passwords are counted
    apart, so nobody else's tries keep them out.
    """

    agent: str = ""
    address: str = ""
    known_as: str = ""


class StaffDoor:
    """People, their passwords and their sessions."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    # People ---------------------------------------------------------------------------------------

    async def list(
        self,
        *,
        disabled: bool = False,
        by: Person | None = None,
        after: str | None = None,
        limit: int = 1_000,
    ) -> Sequence[Staff]:
        """People by their logins, those behind `after`. `by`: whom this person may let in."""
        async with self._pool.acquire() as conn:
            within = None if by is None else await now(conn, by)
            return await people.find(
                conn, disabled=disabled, within=within, after=after, at_most=limit
            )

    async def get(self, login: str, *, by: Person | None = None) -> Staff:
        """One person, whatever their state; `by`: one whom this person may let in.

        Raises NotFound.
        """
        async with self._pool.acquire() as conn:
            found = await people.get(conn, login)
            await check_theirs(conn, by, found)
            return found

    async def make(self, wanted: StaffRequest, *, who: str, by: Person | None = None) -> NewStaff:
        """Let a person in, with a password that they have to change at once.

        `by`: who asks, where it is a person. Raises Conflict for a login that is there; for a
        channel, seller or location that is not, InvalidInput; and Refused where the new one may
        more than who asks.
        """
        password = passwords.drawn()
        kept = await passwords.encoded(password)
        async with self._pool.acquire() as conn, conn.transaction():
            if by is not None:
                await people.lock(conn, by.login)
            await check_covers(conn, by, wanted)
            await check_named(conn, wanted)
            await people.make(conn, wanted, kept, must_change=True, who=who)
            return NewStaff(
                staff=await people.get(conn, wanted.login), password=SecretStr(password)
            )

    async def first_admin(self, *, who: str) -> NewStaff | None:
        """Let the first person in, as an admin. None: somebody was let in before."""
        async with self._pool.acquire() as conn:
            if not await people.are_none(conn):
                return None
        wanted = StaffRequest(login=FIRST_ADMIN, name="Administrator", roles=("admin",))
        try:
            return await self.make(wanted, who=who)
        except Refused:  # another program was faster
            return None

    async def change(
        self,
        login: str,
        change: StaffChange,
        *,
        by: Person | None = None,
        seen: str | None = None,
    ) -> Staff:
        """Make something of a person different. What they may counts from their next request on.

        `seen`: `version_of` what was wanted of them when somebody looked. Raises NotFound,
        Conflict, InvalidInput, and Refused where nobody would be left who can let others in, or
        where they may more than who asks.
        """
        async with self._pool.acquire() as conn, conn.transaction():
            before = await people.lock(conn, login)
            await check_theirs(conn, by, before)
            check_seen(before.wanted(), seen, login)
            wanted = before.wanted().changed(change)
            await check_covers(conn, by, wanted)
            await check_named(conn, wanted)
            if lets_all_in(before) and not lets_all_in(wanted):
                await people.check_one_is_left(conn, login)
            await people.change(conn, wanted)
            return await people.get(conn, login)

    async def set_single_keys(self, login: str, *, on: bool) -> None:
        """Whether letters are commands on the screens of somebody."""
        async with self._pool.acquire() as conn:
            await people.set_single_keys(conn, login, on=on)

    async def disable(self, login: str, *, who: str, by: Person | None = None) -> Staff:
        """Let a person in no more: their sessions end at once. Raises NotFound and Refused."""
        async with self._pool.acquire() as conn, conn.transaction():
            before = await people.lock(conn, login)
            await check_theirs(conn, by, before)
            if lets_all_in(before):
                await people.check_one_is_left(conn, login)
            await people.disable(conn, login, who=who)
            await sessions.end_all(conn, login, who=who)
            return await people.get(conn, login)

    async def enable(self, login: str, *, by: Person | None = None) -> Staff:
        """Let a person in again. Raises NotFound and Refused."""
        async with self._pool.acquire() as conn, conn.transaction():
            await check_theirs(conn, by, await people.lock(conn, login))
            await people.enable(conn, login)
            return await people.get(conn, login)

    # Passwords ------------------------------------------------------------------------------------

    async def reset_password(self, login: str, *, who: str, by: Person | None = None) -> NewStaff:
        """Draw a new password, which they have to change at once. Their sessions end.

        How an OpenID Connect provider knows them is forgotten, too. Raises NotFound and Refused.
        """
        password = passwords.drawn()
        kept = await passwords.encoded(password)
        async with self._pool.acquire() as conn, conn.transaction():
            await check_theirs(conn, by, await people.lock(conn, login))
            await people.set_password(conn, login, kept, must_change=True)
            await people.unlink(conn, login)
            await sessions.end_all(conn, login, who=who)
            await sessions.forget_wrong(conn, login, "")
            return NewStaff(staff=await people.get(conn, login), password=SecretStr(password))

    async def change_password(self, person: Person, old: str, new: str) -> None:
        """Replace one's own password. All other sessions end.

        What others try at the sign-in does not count here. Raises WrongSignIn where the old one is
        wrong, TooManyTries, and InvalidInput for a new one that can be guessed.
        """
        right = await self._check_password(person.login, old, f"session {person.session_no}")
        passwords.check(new, about=[person.login, person.name])
        if new == old:
            raise InvalidInput("is the old one: take another", where="password", reason="same")
        kept = await passwords.encoded(new)
        async with self._pool.acquire() as conn, conn.transaction():
            await people.lock(conn, person.login)
            if (await people.password_of(conn, person.login)).encoded != right:
                raise _wrong()  # an admin has given them another one meanwhile
            await people.set_password(conn, person.login, kept, must_change=False)
            await sessions.end_all(conn, person.login, who=person.who, but_for=person.session_no)

    # Sessions -------------------------------------------------------------------------------------

    async def sign_in(self, login: str, password: str, browser: Browser) -> str:
        """Open a session, and answer its token. Raises WrongSignIn and TooManyTries."""
        login = login.strip().lower()
        places = (browser.known_as, "") if browser.known_as else ("",)
        right = await self._check_password(login, password, *places)
        return await self._begin(login, "password", browser, password=right)

    async def sign_in_by_openid(
        self, issuer: str, subject: str, email: str | None, browser: Browser
    ) -> str:
        """Open a session for whom a provider says that they are, and answer its token.

        `email`: their address where the provider has verified it: the first time, it tells who of
        the people known here they are. Raises WrongSignIn.
        """
        async with self._pool.acquire() as conn:
            login = await people.by_openid(conn, issuer, subject)
            if login is None and email is not None:
                linked = await people.link(conn, issuer, subject, email)
                login = linked or await people.by_openid(conn, issuer, subject)  # in another tab
        if login is None:
            raise WrongSignIn(
                "nobody here has this account: ask an admin to enter its mail address",
                reason="unknown_account",
            )
        return await self._begin(login, "openid", browser, subject=subject)

    async def person(self, token: str) -> Person | None:
        """Who is signed in with this token. One statement, for each request."""
        async with self._pool.acquire() as conn:
            return await sessions.person_of(conn, token)

    async def people(self, tokens: Collection[str]) -> Mapping[str, Person]:
        """Token → who is signed in with it; others are left out. Nobody counts as seen by it."""
        async with self._pool.acquire() as conn:
            return await sessions.people_of(conn, tokens)

    async def sign_out(self, token: str, *, who: str) -> None:
        """End a session; a repeat changes nothing."""
        async with self._pool.acquire() as conn:
            await sessions.end(conn, token, who=who)

    async def sessions(self, login: str | None = None) -> Sequence[Session]:
        """Open sessions, of a person or of everybody, the one used last first; 1,000 at most."""
        async with self._pool.acquire() as conn:
            return await sessions.open_ones(conn, login)

    async def end_session(
        self, session_no: int, *, who: str, of: str | None = None, by: Person | None = None
    ) -> str:
        """End a session, and answer whose it was. `of`: only this person's. Raises NotFound."""
        async with self._pool.acquire() as conn, conn.transaction():
            login = await sessions.end_number(conn, session_no, who=who)
            if login is None or of not in (None, login):
                raise NotFound(f"no session {session_no} is open", reason="no_session")
            await check_theirs(conn, by, await people.get(conn, login))
            return login

    async def end_sessions(self, login: str, *, who: str) -> int:
        """End all sessions of a person, and answer how many there were. Raises NotFound."""
        async with self._pool.acquire() as conn:
            await people.get(conn, login)
            return await sessions.end_all(conn, login, who=who)

    async def _begin(self, login: str, means: Means, browser: Browser, **came_with: str) -> str:
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        about = {"agent": browser.agent[:_TOLD_MAX], "address": browser.address[:_TOLD_MAX]}
        async with self._pool.acquire() as conn:
            if not await sessions.begin(conn, token, login, means=means, **about, **came_with):
                raise _wrong()
        return token

    async def _check_password(self, login: str, password: str, *places: str) -> str:
        """The password as it is kept.

        `places`: where tries are counted: at the first that takes one. "": that of everybody.
        Raises WrongSignIn and TooManyTries, alike for a login that is not there.
        """
        async with self._pool.acquire() as conn:
            place = await sessions.take_try(conn, login, places)
            kept = await people.password_of(conn, login)
        right = len(password) <= passwords.LENGTH_MAX and await passwords.fits(
            kept.encoded, password
        )
        if kept.encoded is None or not right:
            raise _wrong()
        again = None
        if passwords.is_outdated(kept.encoded):
            again = await passwords.encoded(password)
        async with self._pool.acquire() as conn, conn.transaction():
            await sessions.forget_wrong(conn, login, place)
            if again is None:
                return kept.encoded
            await people.lock(conn, login)
            if await people.password_of(conn, login) != kept:
                raise _wrong()  # an admin has given them another one meanwhile
            await people.set_password(conn, login, again, must_change=kept.must_change)
            return again


def _wrong() -> WrongSignIn:
    return WrongSignIn("the login or the password is wrong", reason="wrong_sign_in")
