"""The figures of a day: what happened on it by the seller's clock, counted again to the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from activities.days.counting import DayCounting
from activities.purchasing.demand import StockDemand
from activities.stock.contracts import ReserveAgain
from domain.days.figures import FLOWS, STANDINGS, WAITS
from domain.errors import InvalidInput, NotFound
from domain.ids import fulfilment_id
from domain.money import Money, Price
from domain.orders.order import Order
from starter.demo import left_open
from starter.service.carrier_claims import CarrierClaims
from starter.service.day_book import DayBook
from starter.service.days import Days
from starter.service.service import Records
from store.database import Pool
from store.days import counting, figures
from store.days.losses import LostParcel
from tests.support.bench import Bench
from tests.support.builders import an_order
from tests.support.earlier import earlier

DAY = date(2026, 11, 20)
KOREA = "Asia/Seoul"
SAID: dict[str, Any] = {"who": "test", "why": "test"}


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    bench = Bench(pool)
    await bench.stocked("TEA", 100)
    return bench


async def taken(bench: Bench, moment: str, channel: str = "web") -> Order:
    """An order that was taken in at a moment of the past."""
    order = an_order(("TEA", 1, "10.00"), channel=channel)
    await bench.take_in(order)
    await bench.pool.execute(
        "update customer_order set received_at = $1::text::timestamptz where order_id = $2",
        *(moment, order.order_id),
    )
    return order


async def counted(bench: Bench, first: date | None = None, last: date | None = None) -> DayBook:
    """Today, once it is counted, with the days from the first one on."""
    days = Days(bench.pool)
    (today, *_) = [one.today for one in await days.todays()]
    await days.count(first or today, last or today)
    return await days.look(last)


async def rest(bench: Bench) -> None:
    """A turn of the duty."""
    await DayCounting(bench.pool).count()


def now_of(book: DayBook) -> dict[str, int]:
    """Every figure of the day that is not zero."""
    every = {one.figure: book.trend(one.figure).now for one in book.figures}
    return {name: value for name, value in every.items() if value}


async def test_an_order_is_of_the_day_on_which_its_seller_took_it(bench: Bench) -> None:
    await bench.pool.execute("update seller set time_zone = $1", KOREA)
    await taken(bench, "2026-11-19 14:59:59Z")  # the day before, a second before midnight
    await taken(bench, "2026-11-19 15:00:00Z")
    await taken(bench, "2026-11-20 05:30:00Z", "pos")
    await taken(bench, "2026-11-20 15:00:00Z")  # the next day
    book = await counted(bench, DAY - timedelta(days=1), DAY)
    assert book.trend("orders").now == 2
    assert book.trend("orders").yesterday == 1
    assert book.trend("orders", channel="pos").now == 1
    assert book.trend("worth", part="USD").now == 3000
    assert {hour: n for hour, n in enumerate(book.by_hour()) if n} == {0: 1, 14: 1}
    assert {hour: n for hour, n in enumerate(book.by_hour(1)) if n} == {23: 1}


@pytest.mark.parametrize(
    ("zone", "day", "begins", "ends"),
    [
        ("Europe/Berlin", date(2026, 3, 29), "2026-03-28 23:00Z", "2026-03-29 22:00Z"),  # 23 hours
        ("Europe/Berlin", date(2026, 10, 25), "2026-10-24 22:00Z", "2026-10-25 23:00Z"),  # 25 hours
        ("Asia/Kolkata", date(2026, 10, 25), "2026-10-24 18:30Z", "2026-10-25 18:30Z"),
        ("Australia/Lord_Howe", date(2026, 4, 5), "2026-04-04 13:00Z", "2026-04-05 13:30Z"),
    ],
)
async def test_a_day_begins_and_ends_with_its_sellers_clock(
    bench: Bench, zone: str, day: date, begins: str, ends: str
) -> None:
    await bench.pool.execute("update seller set time_zone = $1", zone)
    for moment, more in (
        *((begins, "0"), (ends, "-1 microsecond")),  # the first and the last one
        *((begins, "-1 microsecond"), (ends, "0")),
    ):
        order = await taken(bench, moment)
        await bench.pool.execute(
            "update customer_order set received_at = received_at + $1::text::interval "
            "where order_id = $2",
            *(more, order.order_id),
        )
    book = await counted(bench, day - timedelta(days=1), day)
    assert (book.trend("orders").now, book.trend("orders").yesterday) == (2, 1)
    assert (book.by_hour()[0], book.by_hour()[23]) == (1, 1)


async def test_a_seller_who_moves_to_another_clock_has_its_month_counted_again(
    bench: Bench,
) -> None:
    day = await bench.pool.fetchval("select current_date - 3")
    await taken(bench, f"{day} 20:00:00Z")
    for _ in range(2 * counting.BACK // 10 + 1):
        await rest(bench)
    await bench.pool.execute("update seller set time_zone = $1", KOREA)
    async with bench.pool.acquire() as conn:
        # Each is compared by the clock of its count.
        assert await counting.wrong(conn, "main", "", at_most=99) == []
    for _ in range(2 * counting.BACK // 10 + 1):
        await rest(bench)
    book = await Days(bench.pool).look(day + timedelta(days=1))
    assert (book.trend("orders").now, book.trend("orders").yesterday) == (1, 0)


async def test_orders_are_compared_with_those_of_the_same_hours(bench: Bench) -> None:
    """Also where the last order is hours old, and where another seller's day is over."""
    await bench.pool.execute(
        "insert into seller (seller, name, time_zone) values ('kr', 'Korea', $1)", KOREA
    )
    today = DAY
    clock = {"main": 15, "kr": 23}
    told = [
        *((today, "main", 9, 3), (today, "kr", 9, 1)),
        *(
            (today - timedelta(days=back), "main", hour, 5)
            for back in (1, 7)
            for hour in (9, 15, 16)
        ),
        *((today - timedelta(days=1), "kr", hour, 7) for hour in (9, 22)),
    ]
    for day, seller, hour, value in told:
        await bench.pool.execute(
            "insert into day_figure values ($1, $2, 'orders', 'web', $3, $4)",
            *(seller, day, f"{hour:02}", value),
        )
    for back in range(31):
        await bench.pool.execute(
            "insert into day_count (seller, day, counted_at) select seller, $1, now() from seller",
            today - timedelta(days=back),
        )
    book = replace(await Days(bench.pool).look(today), counted_to=clock)
    assert book.orders_by_now()[:3] == (4, 24, 10)
    assert book.by_hour()[15:] == [0] + [None] * 8


async def test_a_day_is_known_when_each_seller_who_has_it_is_counted(bench: Bench) -> None:
    await counted(bench, DAY, DAY)
    await bench.pool.execute("insert into seller (seller, name) values ('uk', 'UK')")
    assert (await Days(bench.pool).look(DAY)).trend("orders").now == 0
    await bench.pool.execute("insert into day_count (seller, day) values ('uk', $1)", DAY)
    after = await Days(bench.pool).look(DAY + timedelta(days=1))
    assert after.trend("orders").yesterday is None


async def test_a_seller_who_is_not_counted_yet_leaves_the_sums_of_the_others(bench: Bench) -> None:
    await taken(bench, "2026-11-20 05:30:00Z")
    await counted(bench, DAY, DAY)
    await bench.pool.execute("insert into seller (seller, name) values ('uk', 'UK')")
    await bench.pool.execute("insert into day_count (seller, day) values ('uk', $1)", DAY)
    book = await Days(bench.pool).look(DAY)
    assert (book.trend("orders").now, book.not_counted) == (1, ("uk",))
    assert book.by_hour()[5] == 1
    alone = await Days(bench.pool).look(DAY, sellers=["uk"])
    assert (alone.trend("orders").now, alone.not_counted) == (None, ("uk",))


async def test_a_day_that_ended_before_it_was_ever_counted_is_counted_at_once(bench: Bench) -> None:
    """A shop that begins after one seller's midnight, and before another one's."""
    async with bench.pool.acquire() as conn, conn.transaction():
        hour = await conn.fetchval("select extract(hour from moment() at time zone 'UTC')::int")
        begun_just_now = f"Etc/GMT+{hour}" if hour <= 12 else f"Etc/GMT-{24 - hour}"
        await conn.execute("update seller set time_zone = $1", begun_just_now)
        await counting.add_days(conn)
        await conn.execute(
            "update day_count set counted_at = moment() where day <> ("
            "select (moment() at time zone time_zone)::date - 1 from seller) or seller <> 'main'"
        )
        found = await counting.due(conn)
    assert found is not None
    assert (found.seller, found.is_today) == ("main", False)


async def test_what_there_was_on_a_day_that_is_counted_later_is_not_known(bench: Bench) -> None:
    book = await counted(bench, DAY, None)
    trend = book.trend("open_orders")
    assert (trend.now, trend.yesterday) == (0, None)
    assert book.trend("orders").yesterday == 0


async def test_figures_of_a_seller_under_its_first_name_are_not_added(bench: Bench) -> None:
    await counted(bench)
    await bench.pool.execute(
        "insert into day_figure select 'old', day, figure, channel, part, 9 from day_figure"
    )
    book = await Days(bench.pool).look()
    assert book.trend("stock_out").now == 0


async def test_a_day_that_cannot_be_counted_keeps_back_no_other(bench: Bench) -> None:
    await bench.pool.execute("insert into seller (seller, name) values ('aa', 'A')")
    await bench.pool.execute("alter table day_figure add constraint broken check (seller <> 'aa')")
    await rest(bench)
    found = await bench.pool.fetch(
        "select seller from day_count where counted_at > '-infinity' and day = current_date"
    )
    assert {row["seller"] for row in found} == {"", "main"}


async def test_a_day_that_nobody_counted_is_not_a_day_without_orders(bench: Bench) -> None:
    await taken(bench, "2026-11-20 05:30:00Z")
    book = await counted(bench, DAY, DAY)
    assert book.trend("orders").now == 1
    assert book.trend("orders").yesterday is None
    assert book.trend("orders").days == (*(None,) * 29, 1)


async def late_parcel(bench: Bench, *lines: tuple[str, int, str]) -> tuple[Order, str]:
    """A packed parcel that should have been with its customer yesterday."""
    order = an_order(*lines)
    part = await bench.at(order, "packed")
    await bench.pool.execute(
        "update fulfilment set promised_leave = current_date - 2, promised_on = current_date - 1 "
        "where fulfilment_id = $1",
        part,
    )
    return order, part


async def gone(bench: Bench, part: str) -> None:
    await bench.send(part)
    await bench.warehouse.hand_over(part, who="packer")


async def test_what_was_sent_and_paid_today(bench: Bench) -> None:
    late, part = await late_parcel(bench, ("TEA", 2, "10.00"))
    await gone(bench, part)
    await bench.scan(part, "delivered", "first")
    await bench.scan(part, "delivered", "second")  # a carrier that says it twice
    await bench.charged(part)
    await bench.refunded(late, amount=Decimal("3.00"))
    await bench.at(an_order(("TEA", 1, "10.00")), "shipped")
    await bench.grant(late, request_id="r2", amount=Decimal("1.00"))
    book = await counted(bench)
    assert now_of(book) == {
        "orders": 2,
        "worth": 4000,
        "open_orders": 1,
        "shipped": 2,
        "shipped_late": 1,
        "delivered": 1,
        "delivered_late": 1,
        "authorized": 4000,
        "charged": 2500,
        "refunded": 300,
        "owed_back": 100,
        "result": 3600,
    }


async def test_what_is_late_now_is_listed_and_counted(bench: Bench) -> None:
    _, waits = await late_parcel(bench, ("TEA", 1, "10.00"))
    _, travels = await late_parcel(bench, ("TEA", 1, "10.00"))
    await gone(bench, travels)
    book = await counted(bench)
    found = {name: book.trend(name).now for name in ("leave_late", "arrive_late", "leave_today")}
    assert found == {"leave_late": 1, "arrive_late": 1, "leave_today": 0}
    days = Days(bench.pool)
    assert [one.fulfilment_id for one in await days.late("leave_late")] == [waits]
    assert [one.fulfilment_id for one in await days.late("arrive_late")] == [travels]
    (one,) = await days.late("leave_late", channels=["web"])
    assert one.promised_leave is not None
    assert await days.late("leave_late", after=(one.promised_leave, waits)) == []
    assert await days.late("leave_late", channels=["pos"]) == []
    assert await days.late("leave_late", sellers=["other"]) == []


async def test_an_order_that_lost_money_is_named_with_what_it_cost(bench: Bench) -> None:
    each = Price(each=Decimal("14.00"), currency="USD")
    await bench.stock.receive("dear", "POT", "main", 9, unit_cost=each, **SAID)
    bad, good = an_order(("POT", 1, "10.00")), an_order(("POT", 1, "10.00"))
    for order in (bad, good):
        await bench.charged(await bench.at(order, "shipped"))
    await bench.refunded(bad, amount=Decimal("3.00"))
    book = await counted(bench)
    assert book.trend("lost").now == 200
    assert book.trend("lost_orders").now == 1
    (loss,) = await Days(bench.pool).losses(book.day)
    assert (loss.order_id, loss.result_minor, loss.day_minor) == (bad.order_id, -200, -200)
    assert (loss.sold_minor, loss.refunds_minor, loss.cost_minor) == (1500, 300, 1400)
    assert (loss.refunds, loss.reasons, loss.claims) == (("goodwill",), ("scratched",), ())
    booked = {str(one.account): (one.amount_minor, dict(one.goods)) for one in loss.booked}
    assert booked["cost_of_goods_sold"] == (1400, {"POT": 1})
    assert booked["refunds"] == (300, {})
    assert await Days(bench.pool).losses(book.day, currency="EUR") == []
    assert book.trend("result").now == -100
    assert await Days(bench.pool).losses(book.day, channels=["pos"]) == []
    assert await Days(bench.pool).losses(book.day - timedelta(days=1)) == []


async def test_goods_of_a_lost_parcel_that_were_sent_again_are_no_goods_below_cost(
    bench: Bench,
) -> None:
    each = Price(each=Decimal("9.00"), currency="USD")
    await bench.stock.receive("twice", "POT", "main", 9, unit_cost=each, **SAID)
    order = an_order(("POT", 1, "10.00"))
    first, second = await bench.at(order, "shipped"), fulfilment_id(order.order_id, 2)
    await bench.charged(first)
    await bench.scan(first, "failure")
    await bench.inventory.reserve_again(
        ReserveAgain(
            order_id=order.order_id,
            fulfilment_id=first,
            units={"1": 1},
            source="shipped",
            replace=True,
            reason="lost",
        )
    )
    await bench.warehouse.pick(second, who="picker")
    await bench.warehouse.pack(second, who="packer")
    await bench.send(second)
    await bench.warehouse.hand_over(second, who="packer")
    (loss,) = await Days(bench.pool).losses((await counted(bench)).day)
    assert (loss.sold_minor, loss.cost_minor, loss.is_below_cost) == (1500, 1800, False)
    assert loss.lost_parcels == (LostParcel(fulfilment_id=first, claim="due", sent_again=True),)
    claimed = Money(minor=10_00, currency="USD")
    await CarrierClaims(bench.pool).file(first, claimed, reference="CL-1", who="test")
    (loss,) = await Days(bench.pool).losses((await counted(bench)).day)
    assert [parcel.claim for parcel in loss.lost_parcels] == ["filed"]


async def test_units_that_were_not_found_are_a_reason(bench: Bench) -> None:
    each = Price(each=Decimal("16.00"), currency="USD")
    await bench.stock.receive("dear", "POT", "main", 9, unit_cost=each, **SAID)
    order = an_order(("POT", 3, "10.00"))
    part = await bench.at(order, "confirmed")
    await bench.warehouse.pick(part, {"1": 1}, who="picker")
    await bench.inventory.reserve_again(
        ReserveAgain(
            order_id=order.order_id,
            fulfilment_id=part,
            units={"1": 2},
            source="open",
            replace=False,
            reason="not found",
        )
    )
    await bench.warehouse.pack(part, who="packer")
    await bench.send(part)
    await bench.warehouse.hand_over(part, who="packer")
    await bench.charged(part)
    (loss,) = await Days(bench.pool).losses((await counted(bench)).day)
    assert (loss.not_found, loss.lost_parcels, loss.is_below_cost) == (2, (), True)


async def test_stock_that_is_out_low_or_soon_gone(bench: Bench) -> None:
    for sku, there, claimed in (("CUP", 2, 2), ("POT", 23, 21), ("SALT", 15, 7)):
        await bench.stocked(sku, there)
        await bench.reserve(an_order((sku, claimed, "1.00")))
    await bench.pool.execute(
        "update stock set reorder_point = 8, order_up_to = 20 where sku in ('POT', 'SALT')"
    )
    await earlier(bench.pool, 6)
    await StockDemand(bench.pool).measure()
    book = await counted(bench)
    found = {name: book.trend(name).now for name in ("stock_out", "stock_low", "runs_out")}
    # Of a week: POT has two units at three a day, SALT eight at one a day.
    assert found == {"stock_out": 2, "stock_low": 2, "runs_out": 2}


async def test_a_demo_that_stays_up_tells_at_once_what_is_sold_out(bench: Bench) -> None:
    await counted(bench)
    await bench.stocked("CUP", 2)
    await bench.reserve(an_order(("CUP", 2, "1.00")))
    here = Records(bench.pool)
    await here.purchasing.measure_demand()
    assert (await here.days.look()).trend("stock_out").now == 0
    await left_open.count_today(here)
    assert (await here.days.look()).trend("stock_out").now == 1


async def test_a_day_is_counted_again_to_the_same(bench: Bench) -> None:
    await taken(bench, "2026-11-20 05:30:00Z")
    await bench.charged(await bench.at(an_order(("TEA", 1, "10.00")), "delivered"))
    await counted(bench, DAY)
    rows = "select * from day_figure order by 1, 2, 3, 4, 5"
    before = await bench.pool.fetch(rows)
    await counted(bench, DAY)
    assert await bench.pool.fetch(rows) == before
    await bench.pool.execute(
        "update customer_order set received_at = received_at + interval '2 days'"
    )
    await counted(bench, DAY)
    assert await bench.pool.fetch(rows) != before


async def test_today_is_counted_each_minute_and_an_earlier_day_once_it_is_whole(
    bench: Bench,
) -> None:
    for _ in range(2 * counting.BACK // 10 + 1):  # each turn takes ten days
        await rest(bench)
    counts = "select seller, day, counted_at from day_count order by 1, 2"
    before = await bench.pool.fetch(counts)
    assert len(before) == 2 * (counting.BACK + 1)
    assert all(row["counted_at"].year > 2000 for row in before)
    await rest(bench)
    assert await bench.pool.fetch(counts) == before
    await bench.pool.execute("update day_count set counted_at = counted_at - interval '61 seconds'")
    await rest(bench)
    again = await bench.pool.fetch(
        "select seller, current_date - day from day_count "
        "where counted_at > now() - interval '30 seconds' order by 1"
    )
    assert {row["seller"] for row in again} == {"", "main"}


async def test_a_day_is_counted_once_more_after_three_days(bench: Bench) -> None:
    await counted(bench, DAY, DAY)
    cases = (
        (5, "3 days", True),
        (5, "12 hours", False),
        (2, "3 days", True),
        (2, "20 hours", False),
    )
    for back, ago, again in cases:
        await bench.pool.execute(
            "update day_count set day = current_date - $1::int, "
            "counted_at = now() - $2::text::interval",
            *(back, ago),
        )
        async with bench.pool.acquire() as conn, conn.transaction():
            found = await counting.due(conn)
        assert (found is not None) == again, (back, ago)


async def test_what_is_told_later_of_a_day_is_no_fault_of_its_count(bench: Bench) -> None:
    await bench.charged(await bench.at(an_order(("TEA", 1, "10.00")), "shipped"))
    await bench.pool.execute(
        "update customer_order set received_at = now() - interval '9 days'; "
        "update payment_operation set settled_at = now() - interval '9 days'"
    )
    (today,) = [one.today for one in await Days(bench.pool).todays()]
    day = today - timedelta(days=5)
    await counted(bench, day, day)
    await bench.pool.execute("update shipment set handed_over_at = now() - interval '5 days'")
    async with bench.pool.acquire() as conn:
        assert await counting.wrong(conn, "main", "") == []
    assert (await counted(bench, day, day)).trend("shipped").now == 1


async def test_a_day_that_somebody_counts_is_passed_over_by_others(bench: Bench) -> None:
    async with bench.pool.acquire() as conn:
        await counting.add_days(conn)
    taken_days = set()
    async with (
        bench.pool.acquire() as one,
        one.transaction(),
        bench.pool.acquire() as other,
        other.transaction(),
    ):
        for conn in (one, other):
            found = await counting.due(conn)
            assert found is not None
            taken_days.add((found.seller, found.day))
    assert len(taken_days) == 2


async def test_the_audit_finds_a_figure_that_is_not_so(bench: Bench) -> None:
    await taken(bench, "2026-11-20 05:30:00Z")
    await counted(bench, DAY, DAY)
    async with bench.pool.acquire() as conn:
        assert await counting.wrong(conn, "main", "") == []
        await conn.execute("update day_figure set value = 7 where figure = 'orders'")
        ((day, kept, now),) = await counting.wrong(conn, "main", "")
    assert (day, kept.figure, kept.part, kept.value, now) == (DAY, "orders", "05", 7, 1)


async def test_old_days_go(bench: Bench) -> None:
    await counted(bench, DAY, DAY)
    async with bench.pool.acquire() as conn:
        await counting.forget(conn, 800)
        assert await conn.fetchval("select count(*) from day_count") == 1
        await counting.forget(conn, -1)
        assert await conn.fetchval("select count(*) from day_figure") == 0
        assert await conn.fetchval("select count(*) from day_count") == 0


async def test_the_most_of_an_hour_is_kept(bench: Bench) -> None:
    async with bench.pool.acquire() as conn:
        for seconds in (3, 9, 5):
            await counting.keep_most(conn, {"mails_wait": seconds})
    found = await Days(bench.pool).waits()
    assert [(one.figure, one.value) for one in found] == [("mails_wait", 9)]


async def test_days_are_asked_for_within_reason(bench: Bench) -> None:
    days = Days(bench.pool)
    with pytest.raises(InvalidInput):
        await days.count(DAY, DAY - timedelta(days=1))
    with pytest.raises(NotFound):
        await days.count(DAY, DAY, seller="nobody")
    with pytest.raises(NotFound):
        await days.look(sellers=["nobody"])
    assert (await days.look(date(2999, 1, 1))).is_today


async def test_the_schema_knows_each_figure(pool: Pool) -> None:
    for figure in (*FLOWS, *STANDINGS, *WAITS):
        await pool.execute(
            "insert into day_figure (seller, day, figure, channel, part, value) "
            "values ('', current_date, $1, '', '', 1)",
            figure,
        )
    async with pool.acquire() as conn:
        assert await figures.tasks(conn, DAY, date(2999, 1, 1))
