"""Customers, found by what somebody has in hand. Reads only."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime
from typing import Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from domain import ids
from domain.customers.ids import number_in
from store.database import Connection, load_queries
from store.words import words_in

_sql = load_queries(__file__)

_PHONE_END: Final = 4
_PHONE_WHOLE: Final = 8
"""So many digits are more than the end of a phone number."""

_COUNTRY_CODE: Final = re.compile(
    r"[17]|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|\d{3}"
)
"""How an international number begins (ITU-T E.164): one digit, two, or three."""


CustomerKind = Literal["open", "again", "business", "private", "owing", "owed_back"]
"""What makes a list of customers: with an order that is not over, with several, with an order for a
company or with none, of whom money is due and not paid, and to whom money is owed."""


class FoundCustomer(BaseModel):
    """A customer on one line, as the latest of the orders that the caller sees says."""

    model_config = ConfigDict(frozen=True)

    customer_no: int
    name: str | None
    email: str | None
    phone: str | None
    company: str | None
    orders: int
    last_order_id: str
    last_order_at: datetime


class ListedCustomers(NamedTuple):
    """A page of a list. `looked_until`: the way ended at this one, known since then."""

    customers: list[FoundCustomer]
    looked_until: tuple[int, datetime] | None


async def found(
    conn: Connection,
    text: str,
    *,
    channels: Collection[str] | None = None,
    sellers: Collection[str] | None = None,
    after: int | None = None,
    at_most: int = 20,
) -> list[FoundCustomer]:
    """Those that a text names, the newest first.

    By our id, the channel's, a mail address, an order's id or number: the whole of it. By a phone
    number: its last digits, four or more. By names: how words of them begin; of a name that
    many have, those of the latest 200 orders. `channels`, `sellers`:
    of one of these alone. `after`: behind the one with this number.
    """
    channel, dash, number = text.partition("-")
    limits = _limits(channels, sellers)
    rows = _sql.named(
        conn,
        text=text,
        number=number_in(text),
        as_id=ids.order_id(channel, number) if dash else text,
        phones=_phone_ends(text),
        words=_beginnings(text),
        after=after,
        at_most=at_most,
        **limits,
    )
    return await _told(conn, [row["customer_no"] async for row in rows], limits)


async def listed(
    conn: Connection,
    *,
    kind: CustomerKind | None = None,
    segment: str | None = None,
    channels: Collection[str] | None = None,
    sellers: Collection[str] | None = None,
    after: int | None = None,
    at_most: int = 20,
    looks_at: int,
) -> ListedCustomers:
    """Those of a kind, or in a segment as a worker saw it last; or all: the newest first.

    `channels`, `sellers`: of one of these alone. `after`: behind the one with this number.
    `looks_at`: after so many customers it gives up, however few were of the kind.
    """
    limits = _limits(channels, sellers)
    asked = {"kind": kind, "segment": segment, "after": after}
    rows = [
        row
        async for row in _sql.listed(conn, at_most=at_most, looks_at=looks_at, **asked, **limits)
    ]
    reached = [(row["customer_no"], row["made_at"]) for row in rows if not row["is_listed"]]
    numbers = [row["customer_no"] for row in rows if row["is_listed"]]
    return ListedCustomers(await _told(conn, numbers, limits), next(iter(reached), None))


def _limits(
    channels: Collection[str] | None, sellers: Collection[str] | None
) -> dict[str, list[str] | None]:
    return {
        "channels": None if channels is None else sorted(channels),
        "sellers": None if sellers is None else sorted(sellers),
    }


async def _told(
    conn: Connection, numbers: list[int], limits: dict[str, list[str] | None]
) -> list[FoundCustomer]:
    if not numbers:
        return []
    return [FoundCustomer(**row) async for row in _sql.told(conn, numbers=numbers, **limits)]


def _phone_ends(text: str) -> list[str]:
    """The digits of what may be the end of a phone number.

    Of a number that is typed whole, a leading 0 may be a country's code in the order, and a
    country's code may be a 0 there.
    """
    if re.search(r"[^0-9 ()+/.-]", text):
        return []
    digits = re.sub(r"[^0-9]", "", text.replace("(0)", ""))
    abroad = digits.removeprefix("00") if text.startswith(("+", "00")) else ""
    if len(digits) >= _PHONE_WHOLE:
        digits = digits.lstrip("0")
    ends = [digits]
    if len(abroad) >= _PHONE_WHOLE:
        ends.append(_COUNTRY_CODE.sub("", abroad, count=1))
    return [one for one in ends if len(one) >= _PHONE_END]


def _beginnings(text: str) -> str | None:
    """`kim mi` → words that begin with these, as PostgreSQL's text search writes it."""
    words = words_in(text)
    if "@" in text or not any(_is_of_a_name(one) for one in words):
        return None
    return " & ".join(f"'{one}':*" for one in words)


def _is_of_a_name(word: str) -> bool:
    letters_alone = not any(one.isnumeric() for one in word)
    return (letters_alone and len(word) > 1) or ord(word[0]) > 0x2E80
