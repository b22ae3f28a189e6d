"""What people may let others do, and who lets anybody in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from domain.errors import InvalidInput, Refused
from domain.staff.people import Person, Staff, StaffRequest, covers
from domain.staff.roles import ADMIN
from domain.words import few
from store.accounting import sellers
from store.database import Connection
from store.orders import channels
from store.staff import people
from store.stock import locations


def lets_all_in(person: Staff | StaffRequest) -> bool:
    """Whether it is an active admin without limits: others do not let everybody in."""
    limits = (person.channels, person.sellers, person.locations)
    is_admin = ADMIN in person.roles and all(one is None for one in limits)
    return is_admin and getattr(person, "state", "active") == "active"


async def check_theirs(conn: Connection, by: Person | None, other: Staff) -> None:
    """Raises NotFound where who asks may not let this person in: they are not there for them.

    The caller has locked the other's row. Raises Refused for who lets nobody in.
    """
    if by is not None and not covers(await now(conn, by), other.wanted()):
        raise people.unknown(other.login)


async def check_covers(conn: Connection, by: Person | None, wanted: StaffRequest) -> None:
    """Raises Refused where this would be more than who asks may."""
    if by is not None and not covers(await now(conn, by), wanted):
        raise _beyond(by)


async def now(conn: Connection, by: Person) -> StaffRequest:
    """Who asks, as they are now: their request may have begun before they lost a right.

    Raises Refused for who lets nobody in.
    """
    found = await people.get(conn, by.login)
    if found.state != "active" or ADMIN not in found.roles:
        raise _beyond(by)
    return found.wanted()


def _beyond(by: Person) -> Refused:
    return Refused(f"{by.login} may not let others do more than {by.login} may", reason="beyond")


async def check_named(conn: Connection, wanted: StaffRequest) -> None:
    """Raises InvalidInput for a channel, seller or location that is not there."""
    if wanted.channels is not None:
        _known("channel", wanted.channels, [x.channel for x in await channels.find(conn)])
    if wanted.sellers is not None:
        _known("seller", wanted.sellers, [x.seller for x in await sellers.find(conn)])
    if wanted.locations is not None:
        _known("location", wanted.locations, [x.location for x in await locations.find(conn)])


def _known(what: str, named: Iterable[str], known: Sequence[str]) -> None:
    lacking = sorted({*named} - {*known})
    if lacking:
        raise InvalidInput(
            f"there is no {what} {few(lacking, what)}; "
            f"there is {few(known, what) if known else 'none'}",
            where=f"{what}s",
        )
