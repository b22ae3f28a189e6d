"""A file of the books that is written in pieces is the file that is written at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import beancount.loader
import pytest
from beancount.core.data import Balance, Transaction

from domain.errors import Refused
from domain.sellers import Seller
from starter.accounting.books import exporting, pieces
from starter.accounting.books.exporting import Format, Wanted
from starter.service.service import Records
from store.accounting import ledger, sellers
from store.database import Pool
from tests.database.accounting.test_several_sellers import at, issue, sold_by

SELLER = Seller(seller="de", name="Tee")
BEGAN = datetime(2021, 3, 1, 12, tzinfo=UTC)
DAYS = (0, 0, 0, 1, 2, 5, 40, 40, 41, 90, 91, 91, 91, 91)
"""On which days after the first one a parcel was sold."""


@pytest.fixture
async def here(pool: Pool) -> Records:
    async with pool.acquire() as conn:
        await sellers.save(conn, [SELLER])
        order = await sold_by(conn, "de")
        for number, day in enumerate(DAYS):
            await at(conn, (BEGAN + timedelta(days=day)).isoformat())
            await issue(conn, order, number)
            if number % 4 == 3:
                await issue(conn, order, number, "credit_note")
        await ledger.close(conn, "de", date(2021, 4, 30), who="anna")
        await at(conn, "")
    return Records(pool)


async def in_pieces(here: Records, wanted: Wanted) -> Sequence[pieces.Piece]:
    place = await pieces.first_place(here, SELLER, wanted)
    found: list[pieces.Piece] = []
    while True:
        kept = pieces.Place.read(place.told())
        assert kept == place
        period, place = await pieces.days_at(here, SELLER, kept)
        one = pieces.written(period, SELLER, wanted, place, is_first=not found, closed=False)
        found.append(one)
        if one.behind is None:
            return found
        place = one.behind


@pytest.mark.parametrize("entries", [1, 3, 2_000])
@pytest.mark.parametrize("daily", [False, True])
@pytest.mark.parametrize("form", [Format.QUICKBOOKS, Format.XERO, Format.BEANCOUNT])
@pytest.mark.parametrize("first", [None, date(2021, 4, 1)])
async def test_the_pieces_are_the_file(
    here: Records,
    monkeypatch: pytest.MonkeyPatch,
    form: Format,
    daily: bool,
    first: date | None,
    entries: int,
) -> None:
    monkeypatch.setattr(pieces, "ENTRIES", entries)
    wanted = Wanted(form, first=first, last=date(2021, 7, 31), daily=daily)
    whole = exporting.written(await exporting.read(here, SELLER, wanted), SELLER, wanted).text
    found = await in_pieces(here, wanted)
    assert len(found) > 3
    text = "".join(one.text for one in found)
    assert text == whole
    if form is Format.BEANCOUNT:
        read, errors, _ = beancount.loader.load_string(text)
        assert errors == []
        assert any(isinstance(one, Transaction) for one in read)
        assert any(isinstance(one, Balance) for one in read)


async def test_only_closed_days_are_written_where_only_those_are_wanted(here: Records) -> None:
    closed = Wanted(Format.QUICKBOOKS, last=date(2021, 4, 30), final=True)
    assert (await pieces.first_place(here, SELLER, closed)).begins == BEGAN.date()
    with pytest.raises(Refused, match="not closed"):
        await pieces.first_place(
            here, SELLER, Wanted(Format.QUICKBOOKS, last=date(2021, 5, 1), final=True)
        )


async def test_books_without_an_entry_are_a_file_too(pool: Pool) -> None:
    async with pool.acquire() as conn:
        await sellers.save(conn, [SELLER])
    (only,) = await in_pieces(Records(pool), Wanted(Format.QUICKBOOKS, last=date(2021, 4, 30)))
    assert only.text.count("\r\n") == 1
