"""People on the real database: who comes in, what they may, and what is kept of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.access.retention import StaffSessions
from domain.errors import Conflict, InvalidInput, NotFound, Refused
from domain.staff.people import Person, Staff, StaffChange, StaffRequest
from domain.staff.roles import OF_THE_WHOLE_SHOP
from domain.staff.sessions import IDLE, LASTS, TooManyTries, WrongSignIn
from starter.service.staff import Browser, NewStaff, StaffDoor
from store.database import Pool
from store.staff import people, sessions
from tests.support.planted import left_of_it
from tests.support.round_trips import RoundTrips, counting_pool

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
HERE = Browser("Firefox 150", "192.0.2.7")
GOOD = "seven blue lamps under a bridge"


@pytest.fixture
async def trips(database_url: str) -> AsyncIterator[RoundTrips]:
    """One connection, whose clock is set, and whose statements are counted."""
    async with counting_pool(database_url) as trips:
        await at(trips.pool, NOW)
        await trips.pool.execute("insert into location (location) values ('main')")
        yield trips


@pytest.fixture
def staff(trips: RoundTrips) -> StaffDoor:
    return StaffDoor(trips.pool)


async def at(pool: Pool, moment: datetime) -> None:
    await pool.execute("select set_config('orderloom.now', $1, false)", moment.isoformat())


async def made(staff: StaffDoor, login: str = "anna", *roles: str, **told: Any) -> NewStaff:
    wanted = {"login": login, "name": "Anna Kim", "roles": roles or ("agent",), **told}
    return await staff.make(StaffRequest.model_validate(wanted), who="the owner")


async def signed_in(staff: StaffDoor, new: NewStaff) -> Person:
    token = await staff.sign_in(new.staff.login, new.password.get_secret_value(), HERE)
    person = await staff.person(token)
    assert person is not None
    return person


async def test_a_person_comes_in_with_what_their_roles_may(
    staff: StaffDoor, trips: RoundTrips
) -> None:
    new = await made(staff, "anna", "agent", "warehouse", locations=["main"], language="ko")
    token = await staff.sign_in(" ANNA ", new.password.get_secret_value(), HERE)
    with trips.counted() as sent:
        person = await staff.person(token)
    assert len(sent) == 1
    assert person is not None
    assert (person.who, person.language, person.must_change) == ("Anna Kim (anna)", "ko", True)
    assert person.allows("orders:write", "warehouse:write", "stock:write")
    assert not person.allows("accounting:read")
    assert (person.works_at("main"), person.works_at("other")) == (True, False)
    assert person.grant.role == "agent"


async def test_whoever_is_for_some_channels_may_little_of_what_is_nobodys(staff: StaffDoor) -> None:
    anna = await signed_in(staff, await made(staff, "anna", "lead", channels=["web"]))
    assert anna.allows("orders:write", "stock:read")
    assert not anna.allows("operations:read")
    assert not anna.allows("accounting:read")
    assert (anna.grant.sees("web", "main"), anna.grant.sees("pos", "main")) == (True, False)


async def test_what_is_not_there_and_what_is_there_already_is_refused(staff: StaffDoor) -> None:
    await made(staff, email="anna@example.com")
    with pytest.raises(Conflict, match="there is a login anna already"):
        await made(staff)
    with pytest.raises(Conflict, match="another login has the address ANNA@example"):
        await made(staff, "ben", email="ANNA@example.com")
    with pytest.raises(InvalidInput, match="channels: there is no channel nowhere"):
        await made(staff, "ben", channels=["nowhere"])
    with pytest.raises(InvalidInput, match="locations: there is no location mars"):
        await made(staff, "ben", locations=["mars"])
    with pytest.raises(NotFound, match="there is no login ben"):
        await staff.get("ben")
    assert [one.login for one in await staff.list()] == ["anna"]


async def test_wrong_passwords_cost_more_and_more_time_also_for_nobody(
    staff: StaffDoor, trips: RoundTrips
) -> None:
    new = await made(staff)
    for login in ("anna", "nobody"):
        for _ in range(5):
            with pytest.raises(WrongSignIn, match="the login or the password is wrong"):
                await staff.sign_in(login, "wrong", HERE)
        with pytest.raises(TooManyTries, match="try again in 15 seconds") as told:
            await staff.sign_in(login, new.password.get_secret_value(), HERE)
        assert told.value.left == timedelta(seconds=15)
    await at(trips.pool, NOW + timedelta(seconds=16))
    with pytest.raises(WrongSignIn):
        await staff.sign_in("anna", "wrong", HERE)
    with pytest.raises(TooManyTries, match="30 seconds"):
        await staff.sign_in("anna", "wrong", HERE)
    await at(trips.pool, NOW + timedelta(seconds=60))
    assert (await signed_in(staff, new)).login == "anna"
    with pytest.raises(WrongSignIn):  # it counts from the beginning again
        await staff.sign_in("anna", "wrong", HERE)


async def test_guesses_that_come_at_once_wait_too(staff: StaffDoor, pool: Pool) -> None:
    await made(staff)
    many = StaffDoor(pool)
    guesses = (many.sign_in("anna", f"wrong {n}", HERE) for n in range(9))
    told = await asyncio.gather(*guesses, return_exceptions=True)
    assert sorted(type(one).__name__ for one in told) == ["TooManyTries"] * 4 + ["WrongSignIn"] * 5


async def test_a_session_ends_by_idling_by_age_and_by_hand(
    staff: StaffDoor, trips: RoundTrips
) -> None:
    new = await made(staff)
    word = new.password.get_secret_value()
    token = await staff.sign_in("anna", word, HERE)
    moment = NOW
    while moment < NOW + LASTS:
        await at(trips.pool, moment)
        assert await staff.person(token) is not None
        moment += IDLE - timedelta(minutes=1)
    await at(trips.pool, NOW + LASTS)
    assert await staff.person(token) is None
    other = await staff.sign_in("anna", word, HERE)
    await at(trips.pool, NOW + LASTS + IDLE)
    assert await staff.person(other) is None
    third = await staff.sign_in("anna", word, HERE)
    (known,) = await staff.sessions("anna")
    assert (known.agent, known.address, known.means) == ("Firefox 150", "192.0.2.7", "password")
    with pytest.raises(NotFound):
        await staff.end_session(known.session_no, who="ben", of="ben")
    assert await staff.person(third) is not None
    assert await staff.end_session(known.session_no, who="the owner") == "anna"
    assert await staff.person(third) is None
    fourth = await staff.sign_in("anna", word, HERE)
    await staff.sign_out(fourth, who="anna")
    assert await staff.person(fourth) is None


async def test_a_new_password_ends_the_other_sessions(staff: StaffDoor) -> None:
    new = await made(staff)
    word = new.password.get_secret_value()
    elsewhere = await staff.sign_in("anna", word, HERE)
    token = await staff.sign_in("anna", word, HERE)
    anna = await staff.person(token)
    assert anna is not None
    for weak, why in (("short", "10 to 200"), ("anna kim anna", "guess"), (word, "the old one")):
        with pytest.raises(InvalidInput, match=why):
            await staff.change_password(anna, word, weak)
    with pytest.raises(WrongSignIn):
        await staff.change_password(anna, "wrong", GOOD)
    await staff.change_password(anna, word, GOOD)
    assert await staff.person(elsewhere) is None
    still = await staff.person(token)
    assert still is not None
    assert not still.must_change
    again = await staff.reset_password("anna", who="the owner")
    assert await staff.person(token) is None
    assert (await signed_in(staff, again)).must_change


async def test_a_password_that_was_replaced_meanwhile_opens_no_session(
    staff: StaffDoor, pool: Pool
) -> None:
    await made(staff)
    about: dict[str, Any] = {"means": "password", "agent": "", "address": ""}
    async with pool.acquire() as conn:
        before = (await people.password_of(conn, "anna")).encoded
        assert await sessions.begin(conn, "a token", "anna", password=before, **about)
        await staff.reset_password("anna", who="the owner")
        assert not await sessions.begin(conn, "another", "anna", password=before, **about)
    assert list(await staff.sessions("anna")) == []


async def test_what_changes_counts_from_the_next_request(staff: StaffDoor) -> None:
    new = await made(staff)
    token = await staff.sign_in("anna", new.password.get_secret_value(), HERE)
    changed = await staff.change("anna", StaffChange(roles=("buyer",)))
    assert (changed.roles, changed.name) == (("buyer",), "Anna Kim")
    anna = await staff.person(token)
    assert anna is not None
    assert anna.allows("purchasing:write")
    assert not anna.allows("payments:write")
    await made(staff, "boss", "admin")
    gone = await staff.disable("anna", who="boss")
    assert (gone.state, gone.disabled_by, gone.sessions) == ("disabled", "boss", 0)
    assert await staff.person(token) is None
    with pytest.raises(WrongSignIn):
        await staff.sign_in("anna", new.password.get_secret_value(), HERE)
    assert (await staff.enable("anna")).state == "active"
    assert (await signed_in(staff, new)).login == "anna"


async def test_somebody_is_always_left_who_lets_others_in(staff: StaffDoor, pool: Pool) -> None:
    await made(staff, "a", "admin")
    for lock_out in (
        staff.disable("a", who="x"),
        staff.change("a", StaffChange(roles=("agent",))),
    ):
        with pytest.raises(Refused, match="the only admin"):
            await lock_out
    await made(staff, "m", "admin", locations=["main"])
    for lock_out in (
        staff.disable("a", who="x"),
        staff.change("a", StaffChange(locations=("main",))),
        staff.change("a", StaffChange(channels=("web",))),
    ):
        with pytest.raises(Refused, match="the only admin"):  # m may let few in
            await lock_out
    await made(staff, "b", "admin")
    both = StaffDoor(pool)
    done = await asyncio.gather(
        both.disable("a", who="x"), both.disable("b", who="x"), return_exceptions=True
    )
    assert {type(one) for one in done} == {Staff, Refused}


async def test_nobody_hands_out_more_than_they_have(staff: StaffDoor) -> None:
    root = await made(staff, "root", "admin")
    lead = await signed_in(staff, await made(staff, "lena", "lead"))
    with pytest.raises(Refused, match="lena may not let others do more"):
        await staff.make(
            StaffRequest(login="eve", name="Eve", roles=("agent",)), who=lead.who, by=lead
        )
    with pytest.raises(Refused):
        await staff.reset_password("root", who=lead.who, by=lead)
    at_main = await signed_in(staff, await made(staff, "mia", "admin", locations=["main"]))
    assert at_main.allows("stock:write", "locations:write")
    assert not {*at_main.grant.scopes} & OF_THE_WHOLE_SHOP
    with pytest.raises(Refused):
        await staff.change("lena", StaffChange(name="Lena"), by=at_main)
    boss = await signed_in(staff, root)
    assert (await staff.change("lena", StaffChange(name="Lena"), by=boss)).name == "Lena"


async def test_a_provider_tells_who_somebody_is(staff: StaffDoor) -> None:
    await made(staff, email="anna@example.com")
    who = "https://id.example.com", "248289761001"
    with pytest.raises(WrongSignIn, match="ask an admin"):
        await staff.sign_in_by_openid(*who, None, HERE)
    first = await staff.sign_in_by_openid(*who, "Anna@Example.com", HERE)
    # From now on the subject counts: an address may go to somebody else.
    second = await staff.sign_in_by_openid(*who, "other@example.com", HERE)
    for token in (first, second):
        person = await staff.person(token)
        assert person is not None
        assert person.login == "anna"
    with pytest.raises(WrongSignIn):
        await staff.sign_in_by_openid(who[0], "another", "anna@example.com", HERE)
    assert (await staff.get("anna")).signs_in_by == ("password", "openid")
    again = await staff.reset_password("anna", who="the owner")
    assert again.staff.signs_in_by == ("password",)


async def test_an_account_of_a_provider_is_one_persons(staff: StaffDoor) -> None:
    await made(staff, email="kim@example.com")
    who = "https://id.example.com", "248289761001"
    with pytest.raises(WrongSignIn):  # the sign of Kelvin: another address, though in small a k
        await staff.sign_in_by_openid(*who, "\u212aim@example.com", HERE)
    await staff.sign_in_by_openid(*who, "kim@example.com", HERE)
    await made(staff, "boss", "admin")
    await staff.disable("anna", who="boss")
    await staff.change("anna", StaffChange(email=None))
    await made(staff, "ben", email="kim@example.com")
    with pytest.raises(WrongSignIn):  # it is still Anna's, who may not come in
        await staff.sign_in_by_openid(*who, "kim@example.com", HERE)
    with pytest.raises(ValueError, match="the screens have a page of this name"):
        await made(staff, "New")


async def test_the_first_admin_is_made_once(pool: Pool) -> None:
    staff = StaffDoor(pool)
    made_by = await asyncio.gather(*(staff.first_admin(who="up") for _ in range(3)))
    (first,) = [one for one in made_by if one is not None]
    assert first.staff.roles == ("admin",)
    assert await staff.first_admin(who="up") is None
    assert (await signed_in(staff, first)).must_change


async def test_nothing_secret_is_kept_as_it_is(staff: StaffDoor, trips: RoundTrips) -> None:
    new = await made(staff)
    word = new.password.get_secret_value()
    token = await staff.sign_in("anna", word, HERE)
    assert await left_of_it(trips.pool, (word, token)) == {}
    assert word not in repr(new)


async def test_old_sessions_and_tries_are_forgotten(staff: StaffDoor, trips: RoundTrips) -> None:
    new = await made(staff)
    await signed_in(staff, new)
    with pytest.raises(WrongSignIn):
        await staff.sign_in("nobody", "wrong", HERE)
    duty = StaffSessions(trips.pool, kept=timedelta(days=90))
    await at(trips.pool, NOW + timedelta(days=80))
    await duty.forget()
    assert await trips.pool.fetchval("select count(*) from staff_session") == 1
    assert await trips.pool.fetchval("select count(*) from staff_try") == 0
    await at(trips.pool, NOW + LASTS + timedelta(days=91))
    await duty.forget()
    assert await trips.pool.fetchval("select count(*) from staff_session") == 0
