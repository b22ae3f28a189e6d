"""What people may let others do, and who lets anybody in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from domain.errors import InvalidInput, Refused
from domain.staff.people import Person, Staff, StaffRequest
from domain.staff.roles import scopes_of
from domain.words import few
from store.accounting import sellers
from store.database import Connection
from store.orders import channels
from store.stock import locations


def lets_in(person: Staff | StaffRequest) -> bool:
    """Whether it is an active admin without limits: others let nobody in."""
    limits = (person.channels, person.sellers, person.locations)
    is_admin = "admin" in person.roles and all(one is None for one in limits)
    return is_admin and getattr(person, "state", "active") == "active"


def check_covers(by: Person | None, other: StaffRequest) -> None:
    """Raises Refused where the other may more than who asks.

    Nobody with limits has access:write, so who has it may hand out any limits.
    """
    if by is None:
        return
    may = by.grant.scopes
    if "access:write" not in may or not scopes_of(other.roles) <= may:
        raise Refused(f"{by.login} may not let others do more than {by.login} may", reason="beyond")


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
