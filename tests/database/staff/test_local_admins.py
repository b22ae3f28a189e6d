"""An admin of some places lets in people of these places, and nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from domain.errors import NotFound, Refused
from domain.staff.people import Person, StaffChange, StaffRequest, covers
from domain.staff.roles import ROLES, Role, scopes_of
from starter.service.staff import StaffDoor
from store.database import Pool
from tests.database.staff.test_staff import made, signed_in, staff, trips
from tests.support.round_trips import RoundTrips

__all__ = ["staff", "trips"]

AT_MAIN = {"locations": ["main"]}


@pytest.fixture
async def mia(staff: StaffDoor, trips: RoundTrips) -> Person:
    """An admin of one location."""
    await trips.pool.execute("insert into location (location) values ('other')")
    await made(staff, "root", "admin")
    return await signed_in(staff, await made(staff, "mia", "admin", **AT_MAIN))


def wanted(login: str, *roles: Role, **limits: Any) -> StaffRequest:
    return StaffRequest.model_validate({"login": login, "name": "Eve", "roles": roles, **limits})


async def all_acts(staff: StaffDoor, login: str, by: Person) -> list[type[BaseException] | None]:
    """What comes of everything that is done to a person who is there."""
    numbers = [one.session_no for one in await staff.sessions(login)]
    acts: list[Callable[[], Awaitable[object]]] = [
        lambda: staff.change(login, StaffChange(name="Eve"), by=by),
        lambda: staff.change(login, StaffChange(email="mia@example.com"), by=by),
        lambda: staff.change(login, StaffChange(locations=("main",), roles=("agent",)), by=by),
        lambda: staff.end_session(next(iter(numbers)), who=by.who, by=by),
        lambda: staff.disable(login, who=by.who, by=by),
        lambda: staff.enable(login, by=by),
        lambda: staff.reset_password(login, who=by.who, by=by),
    ]
    came: list[type[BaseException] | None] = []
    for act in acts:
        try:
            await act()
            came.append(None)
        except Refused as no:
            came.append(type(no))
    return came


@pytest.mark.parametrize("role", ["admin", "accountant", "warehouse"])
async def test_somebody_of_the_same_place_is_made_changed_and_ended(
    staff: StaffDoor, mia: Person, role: Role
) -> None:
    new = await staff.make(wanted("eve", role, **AT_MAIN), who=mia.who, by=mia)
    eve = await signed_in(staff, new)
    assert eve.grant.scopes <= mia.grant.scopes
    assert [one.login for one in await staff.list(by=mia)] == ["eve", "mia"]
    assert await all_acts(staff, "eve", mia) == [None] * 7
    assert (await staff.get("eve", by=mia)).signs_in_by == ("password",)


@pytest.mark.parametrize(
    ("roles", "limits"),
    [
        (("admin",), {}),
        (("warehouse",), {}),
        (("warehouse",), {"locations": ["other"]}),
        (("agent", "warehouse"), {"locations": ["main", "other"]}),
        (("agent",), {"channels": ["web"]}),
        (("accountant",), {"sellers": ["main"]}),
        (("agent",), {"channels": ["web"], "sellers": ["main"], "locations": ["other", "main"]}),
    ],
)
async def test_somebody_of_another_or_a_wider_place_is_not_there(
    staff: StaffDoor, mia: Person, roles: tuple[Role, ...], limits: dict[str, Any]
) -> None:
    with pytest.raises(Refused, match="may not let others do more"):
        await staff.make(wanted("eve", *roles, **limits), who=mia.who, by=mia)
    eve = await made(staff, "eve", *roles, **limits)
    await signed_in(staff, eve)
    before = await staff.get("eve")
    assert await all_acts(staff, "eve", mia) == [NotFound] * 7
    assert await staff.get("eve") == before
    assert len(await staff.sessions("eve")) == 1
    # Her password is as it was: nobody has come in in her place.
    assert (await signed_in(staff, eve)).login == "eve"
    with pytest.raises(NotFound):
        await staff.get("eve", by=mia)
    assert [one.login for one in await staff.list(by=mia)] == ["mia"]
    assert "root" not in [one.login for one in await staff.list(by=mia, disabled=True)]


@pytest.mark.parametrize(
    "change",
    [
        {"locations": None},
        {"locations": ["other"]},
        {"locations": ["main", "other"]},
        {"roles": ["admin"], "locations": None},
    ],
)
async def test_nobody_is_let_out_of_their_place(
    staff: StaffDoor, mia: Person, change: dict[str, Any]
) -> None:
    await made(staff, "eve", "warehouse", **AT_MAIN)
    for login in ("eve", "mia"):  # herself, too
        before = await staff.get(login)
        with pytest.raises(Refused, match="may not let others do more"):
            await staff.change(login, StaffChange.model_validate(change), by=mia)
        assert await staff.get(login) == before


async def test_each_limit_counts_for_itself(staff: StaffDoor, trips: RoundTrips) -> None:
    """Of two lists that overlap, none is in the other."""
    await made(staff, "root", "admin")
    pool = trips.pool
    await pool.execute("insert into seller (seller, name) values ('uk', 'Tea Ltd')")
    await pool.execute("insert into channel (channel, kind, seller) values ('uk', 'web', 'uk')")
    by = await signed_in(
        staff, await made(staff, "kim", "admin", channels=["web", "uk"], sellers=["main"])
    )
    for limits in (
        {"channels": ["web"], "sellers": ["main"]},
        {"channels": ["web", "uk"], "sellers": ["main"], "locations": ["main"]},
    ):
        await staff.make(wanted("eve", "agent", **limits), who=by.who, by=by)
        await pool.execute("delete from staff where login = 'eve'")
    for limits in (
        {"channels": ["web"]},
        {"sellers": ["main"]},
        {"locations": ["main"]},
        {"channels": ["web"], "sellers": ["main", "uk"]},
        {"channels": ["pos"], "sellers": ["main"]},
    ):
        with pytest.raises(Refused, match="may not let others do more"):
            await staff.make(wanted("eve", "agent", **limits), who=by.who, by=by)


async def test_who_is_no_admin_lets_nobody_in_of_their_own_place_either(
    staff: StaffDoor, mia: Person
) -> None:
    lead = await signed_in(staff, await made(staff, "lena", "lead", "warehouse", **AT_MAIN))
    await signed_in(staff, await made(staff, "eve", "warehouse", **AT_MAIN))
    with pytest.raises(Refused):
        await staff.make(wanted("ben", "warehouse", **AT_MAIN), who=lead.who, by=lead)
    assert None not in await all_acts(staff, "eve", lead)
    with pytest.raises(Refused):
        await staff.list(by=lead)
    assert not lead.lets_in


async def test_what_an_admin_may_is_asked_when_they_act(staff: StaffDoor, mia: Person) -> None:
    """They came in as an admin, and are none by the time their form is met."""
    await made(staff, "eve", "warehouse", **AT_MAIN)
    await staff.change("mia", StaffChange(locations=("other",)))
    with pytest.raises(NotFound):
        await staff.disable("eve", who=mia.who, by=mia)
    await staff.change("mia", StaffChange(locations=("main",), roles=("agent",)))
    with pytest.raises(Refused):
        await staff.reset_password("eve", who=mia.who, by=mia)
    await staff.change("mia", StaffChange(roles=("admin",)))
    await staff.disable("mia", who="root")
    with pytest.raises(Refused):
        await staff.make(wanted("ben", "warehouse", **AT_MAIN), who=mia.who, by=mia)


async def test_of_two_who_meet_one_widens_and_the_other_resets_nothing(
    staff: StaffDoor, mia: Person, pool: Pool
) -> None:
    """A reset that came with the widening would give a wider person's password away."""
    await made(staff, "eve", "warehouse", **AT_MAIN)
    both = StaffDoor(pool)
    for _ in range(5):
        await staff.change("eve", StaffChange(locations=("main",)))
        widened, reset = await asyncio.gather(
            both.change("eve", StaffChange(locations=None)),
            both.reset_password("eve", who=mia.who, by=mia),
            return_exceptions=True,
        )
        assert not isinstance(widened, BaseException)
        assert not isinstance(reset, BaseException) or isinstance(reset, NotFound)


def test_whose_place_is_within_mine_may_no_more_than_i() -> None:
    """Counted for all roles and limits: lists of people are cut by their places alone."""
    some = (None, ("a",), ("a", "b"))
    everybody = [
        wanted("x", *roles, channels=c, sellers=s, locations=at)
        for roles in (("admin",), *((one, "agent") for one in ROLES))
        for c in some
        for s in some
        for at in some
    ]
    admins = [one for one in everybody if one.roles == ("admin",)]
    for mine in admins:
        for other in everybody:
            within = all(
                my is None or (their is not None and {*their} <= {*my})
                for my, their in zip(_limits(mine), _limits(other), strict=True)
            )
            assert covers(mine, other) == within
            if within:
                assert scopes_of(other.roles, *_limits(other)) <= scopes_of(
                    mine.roles, *_limits(mine)
                )


def _limits(one: StaffRequest) -> list[tuple[str, ...] | None]:
    return [one.channels, one.sellers, one.locations]
