"""Notes, consent, and which customers are one person."""

from __future__ import annotations

from datetime import datetime
from typing import Final, cast

from pydantic import BaseModel, ConfigDict

from domain.customers.care import CONSENT_KINDS, UNLESS_SAID, ConsentKind, ConsentWord, NewNote
from domain.customers.ids import customer_id
from domain.errors import NotFound
from store.database import Connection, load_queries
from store.faults import refusals

_sql = load_queries(__file__)

_KINDS: Final = frozenset[str](CONSENT_KINDS)


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class KeptNote(_Row):
    """A note about a customer, and who has written it when."""

    note_no: int
    contact: str
    order_id: str | None
    note: str
    who: str
    at: datetime


class SaidConsent(_Row):
    """What a customer has said of a kind of message: when, how, and who has written it down."""

    kind: ConsentKind
    given: bool
    how: str
    who: str
    at: datetime


class KeptMerge(_Row):
    """That a customer is merged into another one, or was."""

    customer_no: int
    into_no: int
    who: str
    why: str
    merged_at: datetime
    undone_at: datetime | None
    undone_by: str | None
    undone_why: str | None


async def note(conn: Connection, customer_no: int, new: NewNote, *, who: str) -> KeptNote:
    """Write a note about a customer.

    Raises NotFound for one who is erased, and for an order of somebody else.
    """
    if new.order_id is not None and not await _sql.is_theirs(
        conn, customer_no=customer_no, order_id=new.order_id
    ):
        raise NotFound(f"{customer_id(customer_no)} has no order {new.order_id}")
    row = await _sql.note(
        conn,
        customer_no=customer_no,
        contact=new.contact,
        order_id=new.order_id,
        note=new.note,
        who=who,
    )
    if row is None:
        raise NotFound(f"there is no customer {customer_id(customer_no)}")
    return KeptNote(**row)


async def notes(
    conn: Connection, customer_no: int, *, after: int | None = None, at_most: int
) -> list[KeptNote]:
    """Notes about a customer and whoever is merged into it, the latest first."""
    rows = _sql.notes(conn, customer_no=customer_no, after=after, at_most=at_most)
    return [KeptNote(**row) async for row in rows]


async def say(conn: Connection, customer_no: int, word: ConsentWord, *, who: str) -> None:
    """Keep what a customer has said. Raises NotFound for one who is erased."""
    count = await _sql.say(
        conn, customer_no=customer_no, kind=word.kind, given=word.given, how=word.how, who=who
    )
    if not count:
        raise NotFound(f"there is no customer {customer_id(customer_no)}")


async def words(conn: Connection, customer_no: int) -> list[SaidConsent]:
    """All that a customer has said: by kind, the latest first."""
    return [SaidConsent(**row) async for row in _sql.words(conn, customer_no=customer_no)]


async def may_be_told(conn: Connection, order_id: str, kind: str) -> bool:
    """Whether an order's customer wishes to get messages of this kind.

    What is no kind of consent is needed for the order, and told always. Who is erased, or has said
    nothing, is told what `UNLESS_SAID` says.
    """
    if kind not in _KINDS:
        return True
    said: bool | None = await _sql.said_for_order(conn, order_id=order_id, kind=kind)
    return UNLESS_SAID[cast(ConsentKind, kind)] if said is None else said


async def merge(conn: Connection, customer_no: int, into_no: int, *, who: str, why: str) -> None:
    """Say that a customer is the same person as another one; once more changes nothing.

    Raises NotFound, and Refused: `same_customer`, `already_merged`, `merged_elsewhere`,
    `has_merged`, `being_erased`.
    """
    with refusals():
        await _sql.merge(conn, customer_no=customer_no, into_no=into_no, who=who, why=why)


async def unmerge(conn: Connection, customer_no: int, *, who: str, why: str) -> int:
    """Say that they are two, as before. Returns the number of the one that it was merged into.

    Raises NotFound, and Refused: `not_merged`.
    """
    with refusals():
        former: int = await _sql.unmerge(conn, customer_no=customer_no, who=who, why=why)
    return former


async def merges(conn: Connection, customer_no: int) -> list[KeptMerge]:
    """All merges of a customer, of others into it and of it into others, the latest first."""
    return [KeptMerge(**row) async for row in _sql.merges(conn, customer_no=customer_no)]
