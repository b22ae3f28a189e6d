"""Who ordered, and where it goes: shown, handed out, and erased."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from domain.customers.ids import number_in
from store.database import Connection, load_queries

_sql = load_queries(__file__)


KnownFor = Literal["open", "late", "attention", "claim", "dispute", "refund"]
"""It has not ended; something came after its end; a person has to decide; a bank questions its
payment; a refund is owed."""


class PersonsOrder(BaseModel):
    """One order of a person. `document`: as it was placed, without what is erased.

    `known_for`: why the person has still to be known; None where nothing happens to it any more.
    """

    model_config = ConfigDict(frozen=True)

    order_no: int
    order_id: str
    channel: str
    seller: str
    state: str
    placed_at: datetime
    received_at: datetime
    customer_id: str
    document: dict[str, Any]
    asked_at: datetime | None
    erased_at: datetime | None
    known_for: KnownFor | None


class Standing(BaseModel):
    """Of one order's person. `documents`: those that are whole `until` then, if it is erased."""

    model_config = ConfigDict(frozen=True)

    erased_at: datetime | None
    known_for: KnownFor | None
    documents: int
    until: date | None


class Namesake(NamedTuple):
    """Whether an id is one of ours. `namesake`: the number of another one whom it names, too."""

    is_ours: bool
    namesake: int | None


class Called(NamedTuple):
    """What a channel calls a customer, with the seller and the currency of their last order."""

    customer_id: str
    customer_no: int
    name: str | None
    seller: str
    currency: str


async def orders_of(
    conn: Connection,
    customer: str,
    *,
    channels: Collection[str] | None = None,
    sellers: Collection[str] | None = None,
    after: int | None = None,
    at_most: int | None = None,
) -> list[PersonsOrder]:
    """The orders of an id, ours or the channel's, or of a mail address, newest first.

    With those of whoever is merged with that customer.

    Those that are erased are found by their id for as long as a document has it. `channels`,
    `sellers`: of one of these alone. `after`: behind the order with this number.
    """
    rows = _sql.orders_of(
        conn,
        customer=customer,
        number=number_in(customer),
        channels=None if channels is None else sorted(channels),
        sellers=None if sellers is None else sorted(sellers),
        after=after,
        at_most=at_most,
    )
    return [PersonsOrder(**row) async for row in rows]


async def called(
    conn: Connection, customer: str, *, sellers: Collection[str] | None = None
) -> list[Called]:
    """What channels call the customers whom an id, ours or the channel's, or a mail address names.

    What was written is the first, then what they were called last. `sellers`: by these alone.
    """
    rows = _sql.called(
        conn,
        customer=customer,
        number=number_in(customer),
        sellers=None if sellers is None else sorted(sellers),
    )
    return [Called(**row) async for row in rows]


async def hold(conn: Connection, customer: str) -> list[int]:
    """Whom an id or a mail address names, with all who are merged with them, by their numbers.

    Nobody merges them, or undoes it, until the transaction ends.
    """
    rows = _sql.hold(conn, customer=customer, number=number_in(customer))
    return [row["customer_no"] async for row in rows]


async def namesake(conn: Connection, customer: str) -> Namesake:
    """Whether an id is one of ours, and whether a channel calls somebody else by it."""
    number = number_in(customer)
    if number is None:
        return Namesake(is_ours=False, namesake=None)
    return Namesake(**await _sql.namesake(conn, customer=customer, number=number))


async def told_about(conn: Connection, order_no: int) -> dict[str, Any]:
    """What was written down about one order: story, documents, parcels, payments, returns."""
    told: dict[str, Any] = await _sql.told_about(conn, order_no=order_no)
    return told


async def written_about(conn: Connection, customer: str) -> dict[str, Any]:
    """What is kept about a person beside the orders: notes, consent, merges, and segments."""
    told: dict[str, Any] = await _sql.written_about(
        conn, customer=customer, number=number_in(customer)
    )
    return told


async def ask(conn: Connection, order_nos: Sequence[int]) -> None:
    """These are to be erased: at once where the order has ended, else as soon as it has."""
    await _sql.ask(conn, order_nos=list(order_nos))


async def tell_asked(conn: Connection, order_no: int, *, who: str, why: str) -> None:
    """Tell in the order's story who asked to erase its person, and why, while it is too early.

    The caller holds the order's lock.
    """
    await _sql.tell_asked(conn, order_no=order_no, who=who, why=why)


async def erase(conn: Connection, order_no: int, *, years: int, who: str, why: str) -> bool:
    """Erase the person of an order that is over; False: it is not, or is erased already.

    Documents stay whole for the rest of the year that they were issued in and `years` more.
    """
    done: bool = await _sql.erase(conn, order_no=order_no, years=years, who=who, why=why)
    return done


async def standing(conn: Connection, order_no: int) -> Standing:
    """How it stands with the person of one order by now."""
    return Standing(**await _sql.standing(conn, order_no=order_no))


async def erase_credit(conn: Connection, customers: Sequence[str]) -> None:
    """Accounts of store credit that is spent belong to nobody any more; others stay."""
    await _sql.erase_credit(conn, customers=list(customers))


async def asked_for(conn: Connection, at_most: int) -> list[int]:
    """The numbers of orders that are to be erased, and can be by now."""
    return [row["order_no"] async for row in _sql.asked_for(conn, at_most=at_most)]


async def kept_long_enough(conn: Connection, kept: timedelta, at_most: int) -> list[int]:
    """The numbers of orders that ended longer ago than this, the oldest first."""
    rows = _sql.kept_long_enough(conn, kept=kept, at_most=at_most)
    return [row["order_no"] async for row in rows]


async def erase_documents(conn: Connection, at_most: int) -> int:
    """Erase the persons on documents which the law does not want whole any more: how many."""
    done: int = await _sql.erase_documents(conn, at_most=at_most)
    return done
