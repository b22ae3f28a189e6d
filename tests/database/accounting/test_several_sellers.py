"""Several sellers in one database: each has documents, books and days of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import date
from random import Random

import asyncpg
import pytest

from domain.accounting import accounts
from domain.accounting.documents import Kind
from domain.errors import IllegalTransition, InvalidInput, NotFound, Refused
from domain.orders.amounts import Worth
from domain.orders.channels import Channel
from domain.orders.order import Order
from domain.orders.policy import Policy
from domain.sellers import Seller, choose, choose_one
from domain.series import Series, SeriesByKind
from starter.service.audit import AuditReport
from starter.service.taking_in import Asked, TakingIn
from store.accounting import documents, ledger, sellers, tax_report
from store.database import Connection, Pool, open_pool
from store.locks import lock_order
from store.orders import channels, intake
from store.orders.intake import Received
from store.views import audit
from tests.support.builders import an_order

WORTH = Worth(goods=1000, tax=100)
DE = Seller(
    seller="de",
    name="Tee & Söhne GmbH",
    country="DE",
    tax_numbers=("DE123456789",),
    currency="EUR",
    time_zone="Europe/Berlin",
    languages=("de", "en"),
    series=SeriesByKind(
        invoice=Series(format="RE{number:5}", first=4711),
        credit_note=Series(format="GU{number:5}"),
    ),
)
US = Seller(
    seller="us",
    name="Tea & Sons Inc.",
    country="US",
    currency="USD",
    time_zone="Pacific/Honolulu",
    languages=("en",),
)


@pytest.fixture
async def conn(pool: Pool) -> AsyncIterator[Connection]:
    async with pool.acquire() as conn:
        await sellers.save(conn, [DE, US])
        yield conn


async def at(conn: Connection, moment: str) -> None:
    await conn.execute("select set_config('orderloom.now', $1, false)", moment)


async def sold_by(conn: Connection, seller: str, *, locale: str = "en") -> Order:
    customer = {"id": "C-1", "name": "Kim", "locale": locale}
    order = an_order(("TEA", 30, "10.00"), currency="EUR", customer=customer)
    await intake.take_in(conn, [Received(order, seller=seller)])
    return order


async def issue(conn: Connection, order: Order, number: int, kind: Kind = "invoice") -> str:
    """A parcel leaves, or a refund is granted: the entry, and last the document."""
    invoice = kind == "invoice"
    part = f"{order.order_id}:{number}" if invoice else f"{order.order_id}:R{number}"
    booked = accounts.invoiced(WORTH, due=WORTH.total)
    async with conn.transaction():
        await lock_order(conn, order.order_id)
        await ledger.post(
            conn,
            effect=f"{'invoice' if invoice else 'granted'}:{part}",
            order_id=order.order_id,
            memo="x",
            currency="EUR",
            postings=booked if invoice else accounts.refund_granted(WORTH, WORTH),
        )
        return await documents.issue(
            conn,
            kind=kind,
            order_id=order.order_id,
            part_id=part,
            lines={"1": 1} if invoice else {},
            worth=WORTH,
        )


async def complaints(conn: Connection) -> list[str]:
    """Of numbers, months and sellers. These orders have no units behind their documents."""
    found = await audit.look(conn)
    return [
        f"{one.subject}: {one.message}"
        for one in (*found.violations, *found.suspects)
        if one.rule in ("documents", "ledger")
        and ("it is sold by" in one.message or not one.subject.startswith("web-"))
    ]


async def test_the_first_seller_gives_its_place_to_the_first_of_the_file(conn: Connection) -> None:
    assert await sellers.find(conn) == [DE, US]
    assert {one.seller for one in await channels.find(conn)} == {"de"}


async def test_an_order_that_comes_while_the_first_seller_is_named_is_of_that_seller(
    pool: Pool, database_url: str
) -> None:
    other = await open_pool(database_url, size_max=2)
    door = TakingIn(other, Policy())
    with pytest.raises(InvalidInput):  # It remembers the channels from now on.
        await door.take_in(Asked(an_order(("TEA", 1), channel="none")))
    order = Asked(an_order(("TEA", 1)))
    async with pool.acquire() as conn, conn.transaction():
        await sellers.save(conn, [DE])
        coming = asyncio.create_task(door.take_in(order))
        await asyncio.sleep(0.2)
        assert not coming.done()
    await coming
    async with pool.acquire() as conn:
        assert await conn.fetchval("select seller from customer_order") == "de"
    other.terminate()


async def test_a_seller_that_has_sold_keeps_its_code(pool: Pool) -> None:
    async with pool.acquire() as conn:
        await sold_by(conn, "main")
        await sellers.save(conn, [DE])
        assert [one.seller for one in await sellers.find(conn)] == ["de", "main"]


async def test_a_file_that_names_the_first_seller_changes_it_and_adds_the_others(
    pool: Pool,
) -> None:
    async with pool.acquire() as conn:
        await sellers.save(conn, [US, Seller(name="Tea & Sons")])
        assert [one.seller for one in await sellers.find(conn)] == ["main", "us"]


async def test_each_seller_has_series_languages_and_days_of_its_own(conn: Connection) -> None:
    await at(conn, "2026-12-31T23:30:00Z")  # The new year in Berlin, and the old one in Honolulu.
    german, american = await sold_by(conn, "de", locale="ko"), await sold_by(conn, "us")
    first, second = await issue(conn, german, 1), await issue(conn, german, 2)
    other = await issue(conn, american, 1)
    assert (first, second, other) == ("RE04711", "RE04712", "INV-2026-000001")
    one, two = await documents.get(conn, first), await documents.get(conn, other)
    assert (one.seller.name, one.seller.number, one.language, one.issued_on) == (
        "Tee & Söhne GmbH",
        "DE123456789",
        "de",
        date(2027, 1, 1),
    )
    assert (two.seller.name, two.language, two.issued_on) == (
        "Tea & Sons Inc.",
        "en",
        date(2026, 12, 31),
    )
    entries = await ledger.entries(conn)
    assert {(entry.seller, entry.booked_on) for entry in entries} == {
        ("de", date(2027, 1, 1)),
        ("us", date(2026, 12, 31)),
    }
    assert await complaints(conn) == []


async def test_books_reports_and_lists_are_of_one_seller(conn: Connection) -> None:
    german, american = await sold_by(conn, "de"), await sold_by(conn, "us")
    for number in (1, 2):
        await issue(conn, german, number)
    await issue(conn, american, 1)
    await issue(conn, american, 1, "credit_note")
    revenue = {
        seller: {str(one.account): one.amount_minor for one in books}["revenue"]
        for seller in ("de", "us")
        for books in [await ledger.trial_balance(conn, seller=seller)]
    }
    assert revenue == {"de": -2000, "us": -1000}
    assert sum(one.amount_minor for one in await ledger.trial_balance(conn, seller="us")) == 0
    assert {one.seller for one in await documents.newest(conn, 9)} == {"de", "us"}
    assert [one.number for one in await documents.newest(conn, 9, seller="de")] == [
        "RE04712",
        "RE04711",
    ]
    today = await ledger.today(conn, "de")
    taxes = await tax_report.of_days(conn, "de", today, today)
    assert [(one.tax_minor, one.booked_minor) for one in taxes.sums] == [(200, 200)]
    today = await ledger.today(conn, "us")
    taxes = await tax_report.of_days(conn, "us", today, today)
    assert [(one.tax_minor, one.booked_minor) for one in taxes.sums] == [(0, 0)]
    period = await ledger.period(conn, "us", None, today)
    assert {one.effect.split(":")[0] for one in period.entries} == {"invoice", "granted"}
    assert await complaints(conn) == []


async def test_a_number_that_several_sellers_have_is_asked_for_with_its_seller(
    conn: Connection,
) -> None:
    await sellers.save(conn, [DE.model_copy(update={"series": SeriesByKind()})])
    german, american = await sold_by(conn, "de"), await sold_by(conn, "us")
    number = await issue(conn, german, 1)
    assert await issue(conn, american, 1) == number
    with pytest.raises(InvalidInput, match=f"de, us each have a document {number}: say whose"):
        await documents.get(conn, number)
    assert (await documents.get(conn, number, seller="us")).order_id == american.order_id
    with pytest.raises(NotFound):
        await documents.get(conn, number, seller="uk")


async def test_another_format_begins_anew_and_a_years_numbers_begin_with_one(
    conn: Connection,
) -> None:
    def written(format: str, first: int = 1) -> list[Seller]:
        invoice = Series(format=format, first=first)
        return [US.model_copy(update={"series": SeriesByKind(invoice=invoice)})]

    order = await sold_by(conn, "us")
    await at(conn, "2026-06-01T12:00:00Z")
    await sellers.save(conn, written("T-{year}-{number:3}", 77))
    numbers = [await issue(conn, order, 1), await issue(conn, order, 2)]
    await sellers.save(conn, written("T-{year}-{number}", 500))  # The same series, and 500 is past.
    numbers.append(await issue(conn, order, 3))
    await at(conn, "2027-06-01T12:00:00Z")
    numbers.append(await issue(conn, order, 4))
    await sellers.save(conn, written("Tea {number:2}/X", 9))
    numbers += [await issue(conn, order, 5), await issue(conn, order, 6)]
    await at(conn, "2028-06-01T12:00:00Z")
    numbers.append(await issue(conn, order, 7))
    await sellers.save(conn, written("T-{year}-{number}", 500))
    numbers.append(await issue(conn, order, 8))
    assert numbers == [
        *("T-2026-077", "T-2026-078", "T-2026-79", "T-2027-1"),
        *("Tea 09/X", "Tea 10/X", "Tea 11/X", "T-2028-1"),
    ]
    assert await complaints(conn) == []
    with pytest.raises(InvalidInput, match=r"that the series T-\{year\}-\{number\} has given"):
        await sellers.save(conn, written("T-2027-{number}"))
    swapped = SeriesByKind(
        invoice=Series(format="C-{number}"), credit_note=Series(format="T-{year}-{number}")
    )
    with pytest.raises(InvalidInput, match="has given") as refused:
        await sellers.save(conn, [US.model_copy(update={"series": swapped})])
    assert refused.value.where == "sellers[0].series.credit_note.format"


@pytest.mark.parametrize("codes", [("de",), ("de", "us")])
async def test_workers_that_issue_for_one_seller_and_for_two_leave_no_hole(
    conn: Connection, database_url: str, codes: Sequence[str]
) -> None:
    chance = Random(7)
    orders = [(await sold_by(conn, code), code) for code in codes for _ in range(6)]
    work = [(order, number) for order, _ in orders for number in range(1, 6)]
    chance.shuffle(work)
    pools = [await open_pool(database_url, size_max=4) for _ in range(2)]
    thrown_away = 0

    async def one(order: Order, number: int) -> None:
        nonlocal thrown_away
        while True:
            async with chance.choice(pools).acquire() as worker:
                transaction = worker.transaction()
                await transaction.start()
                await issue(worker, order, number)
                if chance.random() < 0.7:
                    await transaction.commit()
                    return
                thrown_away += 1
                await transaction.rollback()

    try:
        await asyncio.gather(*(one(*item) for item in work))
    finally:
        for pool in pools:
            pool.terminate()
    assert thrown_away
    for code in codes:
        issued = await documents.newest(conn, 1000, seller=code)
        given = {int(row.number[-5:]) for row in issued}
        first = 4711 if code == "de" else 1
        assert (len(issued), given) == (30, set(range(first, first + 30)))
    assert await complaints(conn) == []


async def test_two_sellers_do_not_wait_for_each_others_numbers(
    conn: Connection, database_url: str
) -> None:
    german, american = await sold_by(conn, "de"), await sold_by(conn, "us")
    pool = await open_pool(database_url, size_max=1)
    async with conn.transaction():
        await issue(conn, german, 1)
        async with pool.acquire() as other, asyncio.timeout(20):
            await issue(other, american, 1)
    pool.terminate()


async def test_the_days_of_one_seller_are_closed_and_those_of_the_other_stay_open(
    conn: Connection,
) -> None:
    await at(conn, "2027-01-01T00:30:00Z")
    await ledger.close(conn, "de", date(2026, 12, 31), who="anna")
    with pytest.raises(IllegalTransition, match="can be closed is 2026-12-30"):
        await ledger.close(conn, "us", date(2026, 12, 31), who="anna")
    assert [await ledger.closed_through(conn, code) for code in ("de", "us")] == [
        date(2026, 12, 31),
        None,
    ]
    await issue(conn, await sold_by(conn, "us"), 1)
    await at(conn, "2026-12-31T12:00:00Z")  # A clock that went back.
    late = await sold_by(conn, "de")
    await issue(conn, late, 1)
    (entry,) = await ledger.entries(conn, order_id=late.order_id)
    assert entry.booked_on == date(2027, 1, 1)  # the first day that is open


async def test_an_entry_of_no_order_names_its_seller_where_there_are_several(
    conn: Connection,
) -> None:
    async def fee(seller: str | None) -> None:
        await ledger.post(
            conn,
            effect=f"fee:{seller}",
            memo="x",
            currency="EUR",
            postings=accounts.provider_fee(5),
            seller=seller,
        )

    with pytest.raises(asyncpg.NotNullViolationError):
        await fee(None)
    await fee("us")
    (entry,) = await ledger.entries(conn)
    assert entry.seller == "us"


async def test_a_seller_for_whom_a_channel_sells_is_not_retired(conn: Connection) -> None:
    with pytest.raises(Refused, match="de still sells by b2b, marketplace, pos, web: "):
        await sellers.retire(conn, "de")
    with pytest.raises(Refused, match="de still sells by"):
        await sellers.save(conn, [DE.model_copy(update={"retired": True})])
    await sellers.retire(conn, "us")
    assert [one.retired for one in await sellers.find(conn)] == [False, True]
    shop = Channel(channel="shopus", kind="web", seller="us")
    with pytest.raises(InvalidInput, match="us is retired; `orderloom sellers reopen us`"):
        await channels.save(conn, [shop])
    await sellers.reopen(conn, "us")
    await channels.save(conn, [shop])
    await channels.retire(conn, "shopus")
    await sellers.retire(conn, "us")
    with pytest.raises(Refused, match="shopus sells for us, which is retired"):
        await channels.reopen(conn, "shopus")
    for change in (sellers.retire, sellers.reopen):
        with pytest.raises(NotFound, match="there is no seller uk"):
            await change(conn, "uk")


async def test_a_channel_that_opens_while_its_seller_retires_waits_and_is_refused(
    conn: Connection, database_url: str
) -> None:
    pool = await open_pool(database_url, size_max=1)

    async def opens() -> None:
        async with pool.acquire() as other:
            await channels.save(other, [Channel(channel="shopus", kind="web", seller="us")])

    async with conn.transaction():
        await sellers.retire(conn, "us")
        opening = asyncio.create_task(opens())
        await asyncio.sleep(0.2)
        assert not opening.done()
    with pytest.raises(InvalidInput, match="us is retired"):
        await opening
    pool.terminate()


def test_what_is_asked_of_one_seller_says_which_there_are() -> None:
    assert choose([DE, US], None) == [DE, US]
    assert choose_one([DE], None) == choose_one([DE, US], "de") == DE
    with pytest.raises(NotFound, match="there is no seller uk; there is de, us"):
        choose([DE, US], "uk")
    with pytest.raises(InvalidInput, match="there are several sellers, de, us: say which"):
        choose_one([DE, US], None)


async def test_the_audit_says_whose_each_fault_is_and_can_be_asked_for_one_seller(
    conn: Connection,
) -> None:
    german, american = await sold_by(conn, "de"), await sold_by(conn, "us")
    await issue(conn, german, 1)
    await issue(conn, american, 1)
    await conn.execute("update document_counter set last_number = last_number + 1")
    found = await audit.look(conn)
    whose = {(one.subject, one.seller) for one in found.violations}
    assert {
        *((german.order_id, "de"), ("invoice RE{number} of de", "de")),
        (american.order_id, "us"),
    } <= whose
    report = AuditReport(
        counts=found.counts, workflows=0, violations=found.violations, under_way=()
    )
    assert {one.seller for one in report.of("us").violations} == {"us"}
    assert await audit.owners(conn, [german.order_id, "nobody"]) == {german.order_id: "de"}
