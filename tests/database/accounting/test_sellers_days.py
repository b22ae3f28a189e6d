"""One day for documents and books: the seller's, also over a year's end and a change of clocks."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from domain.accounting import accounts
from domain.errors import IllegalTransition
from domain.orders.amounts import Worth
from domain.orders.order import Order
from domain.sellers import Seller
from starter.stack.first_seller import name_seller
from store.accounting import documents, ledger, sellers
from store.database import Connection, Pool
from store.locks import lock_order
from store.orders import intake
from store.orders.intake import Received
from tests.support.builders import an_order

WORTH = Worth(goods=1000, tax=100)

DAYS = [
    ("Pacific/Honolulu", "2027-01-01T09:59:00Z", date(2026, 12, 31)),
    ("Pacific/Honolulu", "2027-01-01T10:00:00Z", date(2027, 1, 1)),
    ("Asia/Seoul", "2026-12-31T14:59:00Z", date(2026, 12, 31)),
    ("Asia/Seoul", "2026-12-31T23:30:00Z", date(2027, 1, 1)),
    ("Europe/Berlin", "2026-12-31T22:59:00Z", date(2026, 12, 31)),
    ("Europe/Berlin", "2026-12-31T23:00:00Z", date(2027, 1, 1)),
    # the night in which the clocks go forward, and the first evening of the summer's time
    ("Europe/Berlin", "2027-03-27T23:30:00Z", date(2027, 3, 28)),
    ("Europe/Berlin", "2027-03-28T22:30:00Z", date(2027, 3, 29)),
]


async def at(conn: Connection, moment: str) -> None:
    await conn.execute("select set_config('orderloom.now', $1, false)", moment)


async def sells_in(conn: Connection, zone: str) -> None:
    await sellers.save(conn, [Seller(name="Tea & Sons", time_zone=zone)])


async def sold(conn: Connection, order: Order, number: int = 1) -> str:
    """A parcel leaves: its invoice, and its entry."""
    part = f"{order.order_id}:{number}"
    async with conn.transaction():
        await lock_order(conn, order.order_id)
        await ledger.post(
            conn,
            effect=f"invoice:{part}",
            order_id=order.order_id,
            memo="shipped",
            currency="EUR",
            postings=accounts.invoiced(WORTH, due=WORTH.total),
        )
        return await documents.issue(
            conn,
            kind="invoice",
            order_id=order.order_id,
            part_id=part,
            lines={"1": 1},
            worth=WORTH,
        )


@pytest.fixture
def order() -> Order:
    return an_order(("TEA", 3, "10.00"), currency="EUR")


@pytest.mark.parametrize(("zone", "moment", "day"), DAYS)
async def test_an_invoice_and_its_entry_are_of_the_same_day_of_the_seller(
    pool: Pool, order: Order, zone: str, moment: str, day: date
) -> None:
    async with pool.acquire() as conn:
        await sells_in(conn, zone)
        await at(conn, moment)
        await intake.take_in(conn, [Received(order)])
        number = await sold(conn, order)
        issued = await documents.get(conn, number)
        (entry,) = await ledger.entries(conn, order_id=order.order_id)
        before = await ledger.trial_balance(conn, day - timedelta(days=1))
        then = {one.account: one.amount_minor for one in await ledger.trial_balance(conn, day)}
    assert number.startswith(f"INV-{day.year}-")
    assert (issued.issued_on, issued.supplied_on, entry.booked_on) == (day, day, day)
    assert before == []
    assert then == {"receivables": 1100, "revenue": -1000, "tax_payable": -100}


@pytest.mark.parametrize(("zone", "moment", "day"), DAYS)
async def test_a_day_of_the_seller_is_closed_when_it_is_over_there(
    pool: Pool, zone: str, moment: str, day: date
) -> None:
    yesterday = day - timedelta(days=1)
    async with pool.acquire() as conn:
        await sells_in(conn, zone)
        await at(conn, moment)
        with pytest.raises(IllegalTransition, match=f"can be closed is {yesterday}"):
            await ledger.close(conn, "main", day, who="anna")
        assert (await ledger.close(conn, "main", yesterday, who="anna")).through == yesterday
        assert await ledger.today(conn, "main") == day


async def test_a_seller_is_told_once_by_settings_and_then_by_people_alone(pool: Pool) -> None:
    first = Seller(name="Tea & Sons", country="DE", time_zone="Europe/Berlin")
    async with pool.acquire() as conn:
        assert await sellers.find(conn) == [Seller()]
        assert not await sellers.begin(conn, Seller())
        assert await sellers.begin(conn, first)
        assert not await sellers.begin(conn, Seller(name="Others"))
        assert await sellers.find(conn) == [first]
        uk = Seller(seller="uk", name="Tea Ltd", city="London")
        await sellers.save(conn, [uk])
        assert await sellers.find(conn) == [first, uk]


async def test_a_seller_whose_country_left_the_list_is_still_read(pool: Pool) -> None:
    async with pool.acquire() as conn:
        await conn.execute("update seller set name = 'Tea', country = 'YU', time_zone = 'Etc/UTC'")
        (found,) = await sellers.find(conn)
    assert (found.name, found.country) == ("Tea", "YU")


async def test_a_new_database_takes_its_seller_from_the_settings_once(
    pool: Pool, database_url: str
) -> None:
    assert not await name_seller(database_url, Seller())
    assert await name_seller(database_url, Seller(time_zone="Pacific/Honolulu"))
    assert await name_seller(database_url, Seller(name="Tea & Sons", time_zone="Asia/Seoul"))
    assert not await name_seller(database_url, Seller(name="Others"))
    async with pool.acquire() as conn:
        (found,) = await sellers.find(conn)
    assert (found.name, found.time_zone) == ("Tea & Sons", "Asia/Seoul")


async def test_documents_and_books_agree_on_the_day_after_the_seller_moved_west(
    pool: Pool, order: Order
) -> None:
    async with pool.acquire() as conn:
        await intake.take_in(conn, [Received(order)])
        await at(conn, "2026-12-31T23:30:00Z")
        await sells_in(conn, "Asia/Seoul")
        await sold(conn, order, 1)
        await sells_in(conn, "Europe/London")
        await sold(conn, order, 2)
        issued = [row.issued_on for row in await documents.of_order(conn, order.order_id)]
        booked = [row.booked_on for row in await ledger.entries(conn, order_id=order.order_id)]
        assert issued == booked == [date(2027, 1, 1)] * 2


async def test_a_seller_who_moved_west_goes_on_booking_after_the_days_that_are_closed(
    pool: Pool, order: Order
) -> None:
    """The day that is closed is not over there: what happens is of the first day that is open."""
    async with pool.acquire() as conn:
        await intake.take_in(conn, [Received(order)])
        await at(conn, "2026-12-31T16:00:00Z")
        await sells_in(conn, "Asia/Seoul")
        await ledger.close(conn, "main", date(2026, 12, 31), who="anna")
        await sells_in(conn, "Europe/London")
        await sold(conn, order)
        (issued,) = [row.issued_on for row in await documents.of_order(conn, order.order_id)]
        (entry,) = await ledger.entries(conn, order_id=order.order_id)
    assert issued == entry.booked_on == date(2027, 1, 1)
