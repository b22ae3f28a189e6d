"""Goods of one seller that another sells: each has its own entries, and neither's books mix."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from activities.aftersales.returns import ApproveReturn
from activities.provider_errors import Declined
from activities.providers.store_credit import StoreCredit
from domain.errors import Conflict, InvalidInput, OrderloomError, Refused
from domain.ids import order_of
from domain.money import Money, Price
from domain.orders.order import Order
from domain.orders.policy import Policy
from domain.payments.reconciliation import Theirs
from domain.sellers import Seller
from domain.stock.locations import Location
from store.accounting import ledger, sellers, tax_report
from store.aftersales.returns import Counted
from store.database import Connection, Pool, open_pool
from store.orders import intake
from store.orders.intake import Received
from store.payments import reconciliation
from store.stock import location_changes, locations, stock
from store.stock.receipts import Arrival
from store.views import audit
from tests.support.bench import Bench
from tests.support.builders import an_order

SAID: dict[str, Any] = {"who": "test", "why": "test"}
DE = Seller(seller="de", name="Tee GmbH", currency="EUR", time_zone="Europe/Berlin")
US = Seller(seller="us", name="Tea Inc.", currency="USD", time_zone="America/New_York")
HOMES = {"berlin": "de", "boston": "us"}


def price(each: str, currency: str = "EUR") -> Price:
    return Price(each=Decimal(each), currency=currency)


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    bench = Bench(pool)
    async with pool.acquire() as conn:
        await sellers.save(conn, [DE, US])
    for location, seller in HOMES.items():
        await bench.locations.add(location, seller)
    return bench


async def sold(
    bench: Bench, seller: str, units: int, location: str, number: str, **fields: Any
) -> tuple[Order, str]:
    """An order of a seller, sent from a location and charged."""
    order = an_order(("TEA", units), channel_order_id=number, **fields)
    policy = Policy.model_validate({"sourcing": {"locations": [location]}})
    async with bench.pool.acquire() as conn:
        await intake.take_in(conn, [Received(order, policy, seller=seller)])
    part = await bench.at(order, "delivered")
    await bench.charged(part)
    return order, part


async def came_back(bench: Bench, part: str, units: int, location: str, scrapped: int = 0) -> None:
    ask = ApproveReturn(
        order_id=order_of(part), request_id="r1", units={"1": units}, reason="test", who="test"
    )
    back = (await bench.returns.approve_return(ask)).return_id
    counted = {"1": Counted(restocked=units - scrapped, scrapped=scrapped)}
    await bench.warehouse.receive_return(back, counted, location=location, who="test")


async def balance(bench: Bench, seller: str, *accounts: str) -> dict[tuple[str, str], int]:
    async with bench.pool.acquire() as conn:
        books = await ledger.trial_balance(conn, seller=seller)
    found = {(one.account.value, one.currency): one.amount_minor for one in books}
    sums = Counter[str]()
    for (_, currency), amount in found.items():
        sums[currency] += amount
    assert not any(sums.values()), "the books of a seller balance by themselves"
    return {key: amount for key, amount in found.items() if not accounts or key[0] in accounts}


GOODS = ("inventory", "intercompany", "cost_of_goods_sold", "write_offs")


async def faults(pool: Pool) -> list[str]:
    async with pool.acquire() as conn:
        found = await audit.look(conn)
    seen = (*found.violations, *found.suspects)
    return [f"{x.rule} {x.subject}: {x.message}" for x in seen]


async def test_goods_of_another_seller_are_claimed_at_their_cost_and_owed(bench: Bench) -> None:
    await bench.stock.receive("1", "TEA", "berlin", 10, unit_cost=price("3.00"), **SAID)
    order, part = await sold(bench, "us", 4, "berlin", "1")
    assert await balance(bench, "de", *GOODS) == {
        ("inventory", "EUR"): 1800,
        ("intercompany", "EUR"): 1200,
    }
    assert await balance(bench, "us", *GOODS) == {
        ("cost_of_goods_sold", "EUR"): 1200,
        ("intercompany", "EUR"): -1200,
    }
    assert ("revenue", "USD") in await balance(bench, "us")
    assert ("revenue", "USD") not in await balance(bench, "de")
    async with bench.pool.acquire() as conn:
        entries = await ledger.entries(conn, order_id=order.order_id)
    assert {(one.seller, one.counterpart) for one in entries if one.counterpart} == {
        ("de", "us"),
        ("us", "de"),
    }
    await came_back(bench, part, 2, "berlin", scrapped=1)
    assert await balance(bench, "de", *GOODS) == {
        ("inventory", "EUR"): 2100,
        ("intercompany", "EUR"): 600,
        ("write_offs", "EUR"): 300,
    }
    assert await balance(bench, "us", *GOODS) == {
        ("cost_of_goods_sold", "EUR"): 600,
        ("intercompany", "EUR"): -600,
    }
    assert await faults(bench.pool) == []


async def test_goods_of_another_seller_that_come_back_to_our_own_shelf_are_ours(
    bench: Bench,
) -> None:
    await bench.stock.receive("1", "TEA", "berlin", 10, unit_cost=price("3.00"), **SAID)
    _, part = await sold(bench, "us", 4, "berlin", "1")
    await came_back(bench, part, 2, "boston")
    assert await balance(bench, "us", *GOODS) == {
        ("inventory", "EUR"): 600,
        ("cost_of_goods_sold", "EUR"): 600,
        ("intercompany", "EUR"): -1200,
    }
    assert await faults(bench.pool) == []


async def test_goods_that_are_sent_to_another_sellers_location_are_its_when_they_arrive(
    bench: Bench,
) -> None:
    await bench.stock.receive("1", "TEA", "berlin", 10, unit_cost=price("1.01"), **SAID)
    await bench.stock.receive("2", "TEA", "berlin", 3, unit_cost=price("2.00", "USD"), **SAID)
    await bench.stock.receive("3", "TEA", "boston", 5, unit_cost=price("4.00", "USD"), **SAID)
    await bench.transfers.send("T-1", "berlin", "boston", {"TEA": 6}, **SAID)
    assert await balance(bench, "us", *GOODS) == {("inventory", "USD"): 2000}
    for _ in range(2):
        await bench.transfers.receive("T-1", "first", {"TEA": 4}, who="ben")
    assert await balance(bench, "us", *GOODS) == {
        ("inventory", "USD"): 2000 + 184,
        ("inventory", "EUR"): 310,
        ("intercompany", "USD"): -184,
        ("intercompany", "EUR"): -310,
    }
    await bench.transfers.receive("T-1", "rest", {"TEA": 1}, rest_is_lost=True, who="ben")
    german = await balance(bench, "de", *GOODS)
    assert german["write_offs", "EUR"] == 77
    assert german["intercompany", "EUR"] == -(await balance(bench, "us"))["intercompany", "EUR"]
    assert await faults(bench.pool) == []


async def test_one_delivery_to_the_locations_of_two_sellers_is_booked_for_each(
    bench: Bench,
) -> None:
    async with bench.pool.acquire() as conn, conn.transaction():
        await stock.ensure_rows(conn, [("TEA", "berlin"), ("TEA", "boston")])
    async with bench.stock.delivery() as delivery:
        await delivery.add(
            [
                Arrival(1, "TEA", "berlin", 3, price("1.00")),
                Arrival(2, "TEA", "boston", 2, price("5.00", "USD")),
            ]
        )
        async for _ in delivery.book("D-1", **SAID):
            pass
    assert await balance(bench, "de") == {
        ("inventory", "EUR"): 300,
        ("opening_balances", "EUR"): -300,
    }
    assert await balance(bench, "us") == {
        ("inventory", "USD"): 1000,
        ("opening_balances", "USD"): -1000,
    }
    assert await faults(bench.pool) == []


async def test_a_location_changes_its_owner_while_nothing_is_there(bench: Bench) -> None:
    wanted = [Location(location="boston", seller="de")]
    await bench.stock.receive("1", "TEA", "boston", 1, **SAID)
    with pytest.raises(Refused, match="boston has goods of us, or awaits some"):
        await bench.locations.save(wanted)
    await bench.stock.write_off("2", "TEA", "boston", 1, **SAID)
    await bench.locations.save(wanted)
    await bench.locations.save([Location(location="boston", priority=7)])
    (found,) = await bench.locations.list("boston")
    assert (found.seller, found.priority) == ("de", 7)
    await bench.stock.receive("3", "TEA", "boston", 2, unit_cost=price("1.00"), **SAID)
    assert await balance(bench, "us", *GOODS) == {}
    assert await faults(bench.pool) == []


async def test_goods_that_come_while_a_location_changes_its_owner_wait_and_are_the_new_ones(
    bench: Bench, database_url: str
) -> None:
    await bench.stock.receive("1", "TEA", "boston", 1, **SAID)
    await bench.stock.write_off("2", "TEA", "boston", 1, **SAID)
    other = await open_pool(database_url, size_max=1)
    async with bench.pool.acquire() as conn, conn.transaction():
        await locations.save(conn, [Location(location="boston", seller="de")])
        coming = asyncio.create_task(
            Bench(other).stock.receive("3", "TEA", "boston", 2, unit_cost=price("1.00"), **SAID)
        )
        await asyncio.sleep(0.3)
        assert not coming.done()
    await coming
    assert (await balance(bench, "de", *GOODS))["inventory", "EUR"] == 200
    assert await faults(bench.pool) == []
    other.terminate()


async def test_a_location_says_whose_goods_lie_there_where_there_are_several_sellers(
    bench: Bench,
) -> None:
    with pytest.raises(InvalidInput, match="several sellers, de, us: say whose goods lie at ulm"):
        await bench.locations.add("ulm")
    with pytest.raises(InvalidInput, match="`orderloom locations add ulm --seller de`"):
        await bench.stock.receive("1", "TEA", "ulm", 1, new_location=True, **SAID)
    with pytest.raises(InvalidInput, match="there is no seller uk") as refused:
        await bench.locations.save([Location(location="ulm", seller="uk")])
    assert refused.value.where == "locations[0].seller"
    async with bench.pool.acquire() as conn:
        with pytest.raises(Conflict, match="berlin has goods of de, boston of us"):
            await location_changes.rename(conn, "berlin", "boston", merge=True, who="test")


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_two_sellers_do_their_books_never_mix(bench: Bench, seed: int) -> None:
    """Orders, refunds, returns, transfers, counts and write-offs, by chance."""
    walk = _Walk(bench, Random(seed))
    for step in range(28):
        await walk.step(step)
    assert walk.done["sell"] > 1
    async with bench.pool.acquire() as conn:
        for seller in ("de", "us"):
            await _is_whole(conn, bench, seller)
    assert await faults(bench.pool) == []


async def _is_whole(conn: Connection, bench: Bench, seller: str) -> None:
    """Each seller's books balance, and its documents are its books."""
    await balance(bench, seller)
    today = await ledger.today(conn, seller)
    report = await tax_report.of_days(conn, seller, today, today)
    assert all(one.tax_minor == one.booked_minor for one in report.sums)
    books = {
        (one.account.value, one.currency): one.amount_minor
        for one in await ledger.trial_balance(conn, seller=seller)
    }
    for one in report.sums:
        names = ("revenue", "shipping_income", "refunds")
        assert one.net_minor == -sum(books.get((name, one.currency), 0) for name in names)
    owed = await conn.fetchval("""
        select coalesce(sum(amount_minor), 0) from posting where account = 'intercompany'""")
    assert owed == 0


class _Walk:
    def __init__(self, bench: Bench, chance: Random) -> None:
        self.bench, self.chance = bench, chance
        self.parts: list[tuple[Order, str, int]] = []
        self.done = Counter[str]()

    async def step(self, number: int) -> None:
        doing = self.chance.choice(("receive", "sell", "sell", "back", "refund", "send", "fix"))
        if not self.parts and doing in ("back", "refund"):
            return
        if number < 3:
            doing = ("receive", "receive", "sell")[number]
        try:
            await getattr(self, doing)(f"w{number}")
        except OrderloomError:
            return  # There was not enough, or it is over.
        self.done[doing] += 1

    def place(self) -> str:
        return self.chance.choice(list(HOMES))

    async def receive(self, key: str) -> None:
        cost = price(f"{self.chance.randint(1, 900) / 100}", self.chance.choice(["EUR", "USD"]))
        units = self.chance.randint(1, 9)
        await self.bench.stock.receive(key, "TEA", self.place(), units, unit_cost=cost, **SAID)

    async def sell(self, key: str) -> None:
        fields: dict[str, Any] = {"currency": "USD"}
        seller = self.chance.choice(["de", "us"])
        if seller == "de":
            fields = {"currency": "EUR", "prices_include_tax": True}
        units = self.chance.randint(1, 4)
        order, part = await sold(self.bench, seller, units, self.place(), key, **fields)
        sent = "select delivered from order_line where order_no = order_no_of($1)"
        self.parts.append((order, part, await self.bench.count(sent, part)))

    async def back(self, key: str) -> None:
        _, part, units = self.parts.pop(self.chance.randrange(len(self.parts)))
        scrapped = self.chance.randint(0, units)
        await came_back(self.bench, part, units, self.place(), scrapped)

    async def refund(self, key: str) -> None:
        order, _, _ = self.chance.choice(self.parts)
        await self.bench.refunded(order, request_id=key, amount=Decimal("0.50"))

    async def send(self, key: str) -> None:
        here, there = self.chance.sample(list(HOMES), 2)
        units = self.chance.randint(1, 5)
        await self.bench.transfers.send(key, here, there, {"TEA": units}, **SAID)
        came = self.chance.randint(0, units)
        await self.bench.transfers.receive(
            key, "first", {"TEA": came}, rest_is_lost=self.chance.random() < 0.5, who="ben"
        )

    async def fix(self, key: str) -> None:
        await self.bench.stock.count(key, "TEA", self.place(), self.chance.randint(0, 6), **SAID)


async def test_store_credit_is_of_one_seller_and_pays_its_orders_alone(bench: Bench) -> None:
    ten = Money(minor=1000, currency="EUR")
    with pytest.raises(InvalidInput, match="there are several sellers, de, us: say which"):
        await bench.credit.grant("G-1", "C-1", ten, **SAID)
    german = await bench.credit.grant("G-1", "C-1", ten, seller="de", **SAID)
    again = await bench.credit.grant("G-1", "C-1", ten, seller="de", **SAID)
    american = await bench.credit.grant("G-2", "C-1", ten, seller="us", **SAID)
    assert german == again
    assert [one.seller for one in await bench.credit.accounts("C-1")] == ["de", "us"]
    assert (await balance(bench, "de"))["store_credit_liability", "EUR"] == -1000
    assert (await balance(bench, "us"))["store_credit_liability", "EUR"] == -1000
    order = an_order(("TEA", 1, "4.00"), currency="EUR")
    company = StoreCredit(bench.pool)
    asked: dict[str, Any] = {"order_id": order.order_id, "amount": Money(minor=400, currency="EUR")}
    async with bench.pool.acquire() as conn:
        await intake.take_in(conn, [Received(order, seller="us")])
    with pytest.raises(Declined, match="no such store credit or authorization of this seller"):
        await company.authorize(key=f"{order.order_id}:a", token=german.account_id, **asked)
    await company.authorize(key=f"{order.order_id}:b", token=american.account_id, **asked)
    issued = Money(minor=50, currency="USD")
    said: dict[str, Any] = {"customer_id": "C-9", "amount": issued, "order_id": order.order_id}
    await company.issue(key=f"{order.order_id}:R1:refund", **said, **SAID)
    (account,) = await bench.credit.accounts("C-9")
    assert (account.seller, account.balance_minor) == ("us", 50)


async def test_a_companys_fee_is_of_the_seller_whose_order_was_charged(bench: Bench) -> None:
    await bench.stock.receive("1", "TEA", "berlin", 10, **SAID)
    await sold(bench, "us", 1, "berlin", "1")
    await sold(bench, "de", 1, "berlin", "2", currency="EUR")
    fees = [
        Theirs(
            key=f"web-{number}:1:capture",
            kind="capture",
            reference=f"cap_{number}",
            authorization="",
            order_id="",
            amount_minor=1500,
            currency=currency,
            at=datetime.now(UTC),
            fee_minor=30,
            fee_currency=currency,
        )
        for number, currency in ((1, "USD"), (2, "EUR"))
    ]
    async with bench.pool.acquire() as conn, conn.transaction():
        await reconciliation.book_fees(conn, "sandbox", fees)
    assert await balance(bench, "us", "provider_fees") == {("provider_fees", "USD"): 30}
    assert await balance(bench, "de", "provider_fees") == {("provider_fees", "EUR"): 30}
    assert await faults(bench.pool) == []
