"""Several purchases at once, where somebody else was quicker, or what was typed is wrong."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from domain.purchasing.purchase_orders import Acknowledged
from domain.stock.stock_levels import StockLevels
from store.database import Pool
from tests.http.test_stock_pages import fields_of, terms
from tests.support.api import Api
from tests.support.bench import Bench
from tests.support.desk import Desk, text_of
from tests.support.shop import Shop

DAY = (datetime.now(UTC).date() + timedelta(days=1)).isoformat()
TOGETHER = "app/purchases/together"


def level(sku: str, place: str = "main", at: int = 20) -> StockLevels:
    return StockLevels(sku=sku, location=place, reorder_point=at, order_up_to=at + 20)


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    """TEA and CUP are low at main."""
    bench = Bench(pool)
    await bench.stocked("TEA", 10)
    await bench.stocked("CUP", 10)
    await bench.purchasing.set_terms([terms(), terms("CUP", supplier="kiln", name="Kiln")])
    await bench.stock.set_levels([level("TEA"), level("CUP")])
    return bench


async def form(desk: Desk, query: str = "need=main/TEA&need=main/CUP") -> dict[str, Any]:
    return fields_of((await desk.get(f"/{TOGETHER}?by={DAY}&{query}")).text)


async def test_of_two_buyers_with_the_same_page_the_second_buys_nothing_twice(
    bench: Bench,
) -> None:
    anna = await Desk(bench.pool).signed_in("anna", "buyer")
    ben = await Desk(bench.pool).signed_in("ben", "buyer")
    hers, his = await form(anna, "need=main/TEA"), await form(ben)
    await anna.send_form(TOGETHER, **hers)
    (made,) = await bench.purchasing.orders()
    await sent(bench, made.po_id)
    told = text_of(await ben.send_form(TOGETHER, **his))
    assert f"TEA: {made.lines[0].quantity} are on order by now" in told
    assert told.count("not done") == 1
    assert sorted(one.supplier for one in await bench.purchasing.orders()) == ["assam", "kiln"]
    again = text_of(await anna.send_form(TOGETHER, **hers))  # what she has done is no news to her
    assert ("not done" in again, made.po_id in again) == (False, True)


async def sent(bench: Bench, po_id: str) -> None:
    """Its supplier has it, and sends it all: no answer is awaited any more."""
    await bench.pool.execute("update purchase_order set state = 'sent' where po_id = $1", po_id)
    answer = {"TEA": Acknowledged(quantity=30, due_on=date(2027, 1, 1))}
    await bench.purchasing.acknowledge(po_id, "855", answer, who="assam")


async def test_a_wrong_number_loses_nothing_of_what_was_typed(bench: Bench) -> None:
    desk = await Desk(bench.pool).signed_in("anna", "buyer")
    fields = await form(desk)
    fields |= {"units:main/assam/TEA": "a dozen", "units:main/kiln/CUP": "8", "why": "the fair"}
    for wrong in ({}, {"units:main/assam/TEA": "12", "why": "x" * 900}):
        told = await desk.send_form(TOGETHER, **{**fields, **wrong})
        assert told.status_code == 422
        typed = fields_of(told.text)
        for name in ("units:main/assam/TEA", "units:main/kiln/CUP", "why"):
            assert typed[name] == {**fields, **wrong}[name], name
    assert await bench.purchasing.orders() == []
    fields |= {"units:main/assam/TEA": "12"}
    assert text_of(await desk.send_form(TOGETHER, **fields)).count("is being sent") == 2
    for made in await bench.purchasing.orders():
        assert (await bench.purchasing.story(made.po_id))[0].why == "the fair"


async def test_what_is_ticked_is_there_however_many_other_places_need_the_same(
    bench: Bench,
) -> None:
    skus = [f"SKU-{n:02}" for n in range(60)]
    for place, units in (("main", 0), ("shop", 9)):
        for sku in skus:
            await bench.stocked(sku, units + 1, place)
    await bench.purchasing.set_terms([terms(sku) for sku in skus])
    levels = [level(sku, place) for sku in skus for place in ("main", "shop")]
    await bench.stock.set_levels(levels)
    desk = await Desk(bench.pool).signed_in("anna", "buyer")
    page = await desk.get(f"/{TOGETHER}?by={DAY}&{'&'.join(f'need=shop/{sku}' for sku in skus)}")
    assert len([name for name in fields_of(page.text) if name.startswith("units:")]) == 60
    assert "not needed" not in text_of(page)


async def test_a_form_that_is_sent_twice_says_twice_that_it_is_approved_and_why(
    shop: Shop,
) -> None:
    buying = shop.purchasing
    for sku in ("TEA", "CUP", "POT"):
        await shop.stocked(sku, 5)
        await buying.set_terms([terms(sku)])
    *made, high = [
        await buying.propose("assam", "main", {sku: units}, who="x", why="y")
        for sku, units in (("TEA", 2000), ("CUP", 2000), ("POT", 4200))
    ]
    desk = await Desk(shop.pool, Api(shop).app).signed_in("ben", "buyer")
    fields: dict[str, Any] = {
        "po": [f"{one}~1.proposed" for one in (*made, high)],
        "why": "a good price",
    }
    first = text_of(await desk.send_form(TOGETHER, **fields))
    assert (first.count("It is approved"), first.count("not done")) == (2, 1)
    both = await asyncio.gather(*(desk.send_form(TOGETHER, **fields) for _ in range(2)))
    for told in map(text_of, both):
        assert (told.count("It is approved"), told.count("not done")) == (2, 1)
        assert "above what a buyer approves" in told
    for po_id in made:
        assert ("approved", "Ben (ben)", "a good price") in [
            (one.what, one.who, one.why) for one in await buying.story(po_id)
        ]
    assert (await buying.order(high)).state == "proposed"
    await desk.signed_in("kim", "lead")
    theirs = text_of(await desk.send_form(TOGETHER, **fields))
    assert theirs.count("not done") == 2  # somebody else has approved these
