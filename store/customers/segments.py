"""Segments of customers: kept as data, and all that they look at, read by blocks of customers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from domain.customers.membership import Facts
from domain.customers.segments import SEGMENTS_MAX, Segment
from domain.errors import NotFound, Refused
from domain.stored import stored
from store.database import Connection, load_queries

_sql = load_queries(__file__)


class ShownSegment(BaseModel):
    """A segment as it was set, and by whom; without one, this version cannot read it."""

    model_config = ConfigDict(frozen=True)

    segment: str
    set_as: Segment | None
    changed_at: datetime
    changed_by: str


class Contact(BaseModel):
    """A customer with what segments look at. `person`: who it is, as the latest order says.

    `last_received_at`: when that order was taken in.
    """

    model_config = ConfigDict(frozen=True)

    customer_no: int
    facts: Facts
    person: dict[str, Any]
    last_received_at: datetime


async def find(conn: Connection) -> list[ShownSegment]:
    """All segments, by their names."""
    return [
        ShownSegment(
            segment=row["segment"],
            set_as=_read(row["document"]),
            changed_at=row["changed_at"],
            changed_by=row["changed_by"],
        )
        async for row in _sql.segments(conn)
    ]


async def save(conn: Connection, segments: Sequence[Segment], *, who: str) -> None:
    """Set these segments, whether they are there or not; all of them, or none.

    Raises Refused where there would be too many.
    """
    async with conn.transaction():
        for one in segments:
            document = one.model_dump(mode="json", exclude_defaults=True)
            await _sql.save(conn, segment=one.segment, document=document, who=who)
        if len(await find(conn)) > SEGMENTS_MAX:
            raise Refused(f"there may be {SEGMENTS_MAX} segments", reason="too_many_segments")


async def remove(conn: Connection, segment: str) -> None:
    """Forget a segment. Raises NotFound."""
    if await _sql.remove(conn, segment=segment) is None:
        raise NotFound(
            f"there is no segment {segment}; `orderloom customers segments list` has what is there"
        )


async def contacts(
    conn: Connection, *, customer_no: int | None = None, after: int = 0, at_most: int
) -> tuple[list[Contact], int | None]:
    """A block of customers in one question, those behind the one with this number; or one alone.

    And behind which number to go on; None: there are no more.
    """
    rows = _sql.contacts(conn, customer_no=customer_no, after=after, at_most=at_most)
    found, numbers = [], []
    async for row in rows:
        fields = dict(row)
        numbers.append(fields.pop("customer_no"))
        person, received_at = fields.pop("person"), fields.pop("last_received_at")
        # Somebody may be erased just now.
        if person is not None:
            found.append(
                Contact(
                    customer_no=numbers[-1],
                    facts=Facts(**fields),
                    person=person,
                    last_received_at=received_at,
                )
            )
    return found, numbers[-1] if len(numbers) == at_most else None


def _read(document: object) -> Segment | None:
    try:
        return stored(Segment, document)
    except ValidationError:
        return None
