"""Sellers in Honolulu, Seoul and Berlin, over a year's end and two changes of clocks."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.errors import IllegalTransition
from domain.orders.order import Order
from domain.sellers import Seller
from store.accounting import documents, ledger, sellers, tax_report
from store.database import Pool
from tests.database.accounting.test_several_sellers import WORTH, at, complaints, issue, sold_by

ZONES = {"hi": "Pacific/Honolulu", "kr": "Asia/Seoul", "de": "Europe/Berlin"}

TIMES = [
    # Berlin's clocks go back in the night to 2026-10-25, and forward in the night to 2027-03-28.
    *(datetime(2026, 10, 24, 12, tzinfo=UTC) + timedelta(hours=n) for n in range(36)),
    *(datetime(2026, 12, 31, 0, 30, tzinfo=UTC) + timedelta(hours=n) for n in range(40)),
    *(datetime(2027, 3, 27, 12, tzinfo=UTC) + timedelta(hours=n) for n in range(36)),
]
"""Each seller sells one parcel in each of these hours, and pays one back in each third."""


def day_of(seller: str, moment: datetime) -> date:
    return moment.astimezone(ZoneInfo(ZONES[seller])).date()


async def test_each_sellers_documents_books_and_taxes_are_of_its_own_days(pool: Pool) -> None:
    sold: dict[str, list[date]] = {seller: [] for seller in ZONES}
    back: dict[str, list[date]] = {seller: [] for seller in ZONES}
    async with pool.acquire() as conn:
        await sellers.save(
            conn,
            [Seller(seller=code, name=code, time_zone=zone) for code, zone in ZONES.items()],
        )
        orders: dict[str, Order] = {}
        for number, moment in enumerate(TIMES):
            await at(conn, moment.isoformat())
            for seller in ZONES:
                if number % 25 == 0:  # An order has so many units.
                    orders[seller] = await sold_by(conn, seller)
                order, today = orders[seller], day_of(seller, moment)
                written = [await issue(conn, order, number)]
                sold[seller].append(today)
                if number % 3 == 2:
                    written.append(await issue(conn, order, number, "credit_note"))
                    back[seller].append(today)
                for name in written:
                    found = await documents.get(conn, name, seller=seller)
                    supplied = today if found.kind == "invoice" else None
                    assert (found.issued_on, found.supplied_on) == (today, supplied)
                assert await ledger.today(conn, seller) == today
                with pytest.raises(IllegalTransition):
                    await ledger.close(conn, seller, today, who="anna")

        for seller in ZONES:
            numbers = [
                row.number
                for row in await documents.newest(conn, 1000, seller=seller)
                if row.kind == "invoice"
            ]
            years = Counter(day.year for day in sold[seller])
            assert sorted(numbers) == [
                f"INV-{year}-{number:06}"
                for year in sorted(years)
                for number in range(1, years[year] + 1)
            ]
            by_day = Counter(entry.booked_on for entry in await ledger.entries(conn, seller=seller))
            assert by_day == Counter(sold[seller]) + Counter(back[seller])
            for first, last in (
                (date(2026, 10, 1), date(2026, 10, 31)),
                (date(2026, 12, 1), date(2026, 12, 31)),
                (date(2027, 1, 1), date(2027, 1, 31)),
                (date(2027, 3, 1), date(2027, 3, 31)),
            ):
                count = sum(first <= day <= last for day in sold[seller])
                count -= sum(first <= day <= last for day in back[seller])
                (taxes,) = (await tax_report.of_days(conn, seller, first, last)).sums
                assert taxes.tax_minor == taxes.booked_minor == count * WORTH.tax
        assert {day.year for day in sold["kr"]} == {2026, 2027}
        assert sold["hi"] != sold["kr"] != sold["de"]
        assert await complaints(conn) == []


@pytest.mark.parametrize(
    ("zone", "midnight"),
    [
        ("Pacific/Honolulu", "2027-01-01T10:00:00+00:00"),
        ("Asia/Seoul", "2026-12-31T15:00:00+00:00"),
        ("Europe/Berlin", "2026-12-31T23:00:00+00:00"),
        ("Europe/Berlin", "2026-10-24T22:00:00+00:00"),  # the day that has 25 hours begins
        ("Europe/Berlin", "2026-10-25T23:00:00+00:00"),  # and ends
        ("Europe/Berlin", "2027-03-27T23:00:00+00:00"),  # the day that has 23 hours begins
        ("Europe/Berlin", "2027-03-28T22:00:00+00:00"),  # and ends
    ],
)
async def test_a_sellers_day_begins_at_its_midnight_and_not_a_moment_before(
    pool: Pool, zone: str, midnight: str
) -> None:
    moment = datetime.fromisoformat(midnight)
    day = moment.astimezone(ZoneInfo(zone)).date()
    async with pool.acquire() as conn:
        await sellers.save(conn, [Seller(name="Tea & Sons", time_zone=zone)])
        await at(conn, (moment - timedelta(microseconds=1)).isoformat())
        assert await ledger.today(conn, "main") == day - timedelta(days=1)
        await at(conn, midnight)
        assert await ledger.today(conn, "main") == day
