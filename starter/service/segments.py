"""Segments of customers, who belongs to them, and customers as CRMs are told of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from domain.customers.care import ConsentKind
from domain.customers.ids import number_of
from domain.customers.membership import Check, belongs, checks
from domain.customers.segments import Segment
from domain.errors import InvalidInput, NotFound
from store import clock
from store.customers import pages, segments
from store.database import Connection, Pool

ShownSegment: TypeAlias = segments.ShownSegment
Contact: TypeAlias = segments.Contact

BLOCK: Final = 1_000
"""So many customers are looked at in one question."""


@dataclass(frozen=True)
class Member:
    """A customer, and the segments that they belong to."""

    contact: Contact
    segments: tuple[str, ...]


@dataclass(frozen=True)
class Why:
    """Why a customer belongs to a segment, or does not: rule by rule."""

    segment: str
    belongs: bool
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class Members:
    """Some customers. `reached`: go on behind the one with this number; None: these were the last.

    There may be none though others follow: of those that were looked at, none belonged to it.
    """

    members: Sequence[Member]
    reached: int | None


class Segments:
    """A customer belongs to a segment as long as all holds that it asks for: nothing is kept."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def list(self) -> Sequence[ShownSegment]:
        """All segments, by their names."""
        async with self._pool.acquire() as conn:
            return await segments.find(conn)

    async def save(self, wanted: Sequence[Segment], *, who: str) -> None:
        """Set these segments whole; the others stay as they are. Raises Refused for too many."""
        async with self._pool.acquire() as conn:
            await segments.save(conn, wanted, who=who)

    async def remove(self, segment: str) -> None:
        """Forget a segment. Raises NotFound."""
        async with self._pool.acquire() as conn:
            await segments.remove(conn, segment)

    async def check_known(self, segment: str) -> None:
        """Raises NotFound for a segment that is not there."""
        async with self._pool.acquire() as conn:
            if all(one.segment != segment for one in await segments.find(conn)):
                raise _unknown(segment)

    async def get(self, segment: str) -> ShownSegment:
        """One segment, as it was set. Raises NotFound."""
        async with self._pool.acquire() as conn:
            for one in await segments.find(conn):
                if one.segment == segment:
                    return one
        raise _unknown(segment)

    async def why(self, customer: str) -> Sequence[Why]:
        """Of each segment, why a customer belongs to it or does not. Raises NotFound.

        The id of one who is merged into another names that one.
        """
        async with self._pool.acquire() as conn:
            person = await pages.customer(conn, number_of(customer))
            found: Sequence[Contact] = ()
            if person is not None:
                number = person.customer_no
                found, _ = await segments.contacts(conn, customer_no=number, at_most=1)
            if not found:
                raise NotFound(f"there is no customer {customer}")
            return [why(found[0], one) for one in await _known(conn)]

    async def of(self, customer: str) -> tuple[str, ...]:
        """The names of the segments that a customer belongs to. Raises NotFound."""
        number = number_of(customer)
        async with self._pool.acquire() as conn:
            known = await _known(conn)
            found, _ = await segments.contacts(conn, customer_no=number, at_most=1)
        return _segments_of(found[0], known) if found else ()

    async def block(
        self,
        *,
        segment: str | None = None,
        consent: ConsentKind | None = None,
        after: int = 0,
        at_most: int = BLOCK,
    ) -> Members:
        """Customers behind the one with this number, of those in the next block that belong to it.

        `segment`: of this one alone. `consent`: who wishes these messages alone. Raises NotFound,
        and InvalidInput for a segment that this version cannot read.
        """
        async with self._pool.acquire() as conn:
            known = await _known(conn)
            if segment is not None and segment not in {one.segment for one in known}:
                raise await _missing(conn, segment)
            found, reached = await segments.contacts(conn, after=after, at_most=at_most)
        told = [Member(one, _segments_of(one, known)) for one in found]
        return Members(
            [
                one
                for one in told
                if (segment is None or segment in one.segments)
                and (consent is None or one.contact.facts.wishes(consent))
            ],
            reached,
        )

    async def members(self, segment: str, *, after: int = 0, at_most: int) -> Sequence[Member]:
        """Who belongs to a segment, by their numbers. Raises as `block` does."""
        told: list[Member] = []
        reached: int | None = after
        while reached is not None and len(told) < at_most:
            found = await self.block(segment=segment, after=reached)
            told += found.members
            reached = found.reached
        return told[:at_most]


def why(one: Contact, segment: Segment) -> Why:
    """Why a customer belongs to a segment at this moment, or does not."""
    looked_at = checks(one.facts, segment, clock.now())
    return Why(segment.segment, all(each.holds for each in looked_at), looked_at)


async def _known(conn: Connection) -> list[Segment]:
    return [one.set_as for one in await segments.find(conn) if one.set_as is not None]


async def _missing(conn: Connection, segment: str) -> NotFound | InvalidInput:
    if any(one.segment == segment for one in await segments.find(conn)):
        return InvalidInput(f"this version cannot read segment {segment}: set it again")
    return _unknown(segment)


def _unknown(segment: str) -> NotFound:
    return NotFound(
        f"there is no segment {segment}; `orderloom customers segments list` has what is there"
    )


def _segments_of(one: Contact, known: Sequence[Segment]) -> tuple[str, ...]:
    now = clock.now()
    return tuple(x.segment for x in known if belongs(one.facts, x, now))
