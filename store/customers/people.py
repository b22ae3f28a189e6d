"""Who ordered, and where it goes: shown, handed out, and erased."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

from store.database import Connection, Record, load_queries

_sql = load_queries(__file__)


class PersonsOrder(BaseModel):
    """One order of a person. `document`: as it was placed, without what is erased.

    `ended`: nothing happens to it any more that would need to know the person.
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
    ended: bool


async def orders_of(conn: Connection, customer: str) -> list[PersonsOrder]:
    """The orders of a customer's id, or of a mail address in any spelling, newest first."""
    return [PersonsOrder(**row) async for row in _sql.orders_of(conn, customer=customer)]


async def told_about(conn: Connection, order_no: int) -> dict[str, Any]:
    """What was written down about one order: story, documents, parcels, payments, returns."""
    told: dict[str, Any] = await _sql.told_about(conn, order_no=order_no)
    return told


async def ask(conn: Connection, order_nos: Sequence[int]) -> None:
    """These are to be erased: at once where the order has ended, else as soon as it has."""
    await _sql.ask(conn, order_nos=list(order_nos))


async def erase(
    conn: Connection, order_nos: Sequence[int], *, years: int, who: str, why: str
) -> set[int]:
    """Erase the persons of those of these orders that have ended, and are not erased already.

    Documents stay whole for the rest of the year that they were issued in and `years` more.
    """
    rows = _sql.erase(conn, order_nos=list(order_nos), years=years, who=who, why=why)
    return {row["order_no"] async for row in rows}


async def documents_kept(conn: Connection, order_no: int) -> tuple[int, date | None]:
    """How many documents of an erased order have the person on them still, and until when."""
    row: Record = await _sql.documents_kept(conn, order_no=order_no)
    return row["documents"], row["until"]


async def erase_credit(conn: Connection, customers: Sequence[str]) -> None:
    """Accounts of store credit without a balance belong to nobody from now on."""
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
