"""What people do at the screens, by keyboard alone and by scanner alone, on a desk and a phone.

Each journey begins where the one before it has ended: one shop, one person, one sign-in.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import cast

import pytest
from playwright.async_api import Browser, expect

from domain.purchasing.purchase_orders import OnOrder, SupplierItem
from starter.service.service import Records, Service
from store.database import Pool
from store.orders import events
from tests.http.test_floor_returns import approved, delivered
from tests.support.api import Api
from tests.support.bench import Bench
from tests.support.browser import axe, listening, visitor
from tests.support.builders import an_order
from tests.support.keyboard import Keyboard

WHERE = pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])


@pytest.fixture
async def site(pool: Pool) -> AsyncIterator[str]:
    async with listening(Api(cast("Service", Records(pool))).app) as address:
        yield address


@WHERE
async def test_a_shop_is_set_up_and_looked_after_by_keyboard(
    pool: Pool, site: str, browser: Browser, phone: bool
) -> None:
    bench = Bench(pool)
    await bench.stocked("TEA", 9)
    customer = {"id": "C-1", "name": "Kim", "email": "kim@example.com"}
    order = an_order(("TEA", 2, "10.00"), channel_order_id="by-keys", customer=customer)
    await bench.at(order, "packed")
    async with pool.acquire() as conn:
        await events.raise_attention(conn, order.order_id, "pick_pack_ship", "stuck", ("retry",))
    async with visitor(browser, phone=phone) as page:
        at = Keyboard(page, site)
        await at.sign_in(pool)
        await _lets_somebody_in(at)
        await _makes_a_key_and_a_channel(at)
        await _notes_something_of_a_customer(at)
        await _takes_a_task_and_puts_it_off(at)
        await _prints_the_day(at)
    here = Records(pool)
    assert [one.login for one in await here.staff.list()] == ["anna", "ben"]
    assert [one.name for one in await here.access.list()] == ["books"]
    assert [one.channel for one in await here.channels.list()][-1] == "web2"


async def _lets_somebody_in(at: Keyboard) -> None:
    await at.visit("app/setup")
    await at.press("a[href$='app/staff']")
    await at.press("a.button[href$='staff/new']")
    await at.write("#login", "ben")
    await at.write("#name", "Ben Lee")
    await at.press("#role-agent", "Space")
    await at.press("main form button")
    await expect(at.page.locator("output.secret")).to_have_text(re.compile(r"\w{5}(-\w{5})+"))
    await at.press("main a.button")
    await expect(at.page.locator("h1")).to_contain_text("Ben Lee")


async def _makes_a_key_and_a_channel(at: Keyboard) -> None:
    await at.press(".sections a[href$='setup/keys']")
    await at.press("a.button[href$='keys/new']")
    await at.write("#name", "books")
    await at.press("[value='orders:read']", "Space")
    await at.press("main form button")
    await expect(at.page.locator("output.secret")).to_have_text(re.compile(r"olk_\w+"))
    assert await axe(at.page) == []
    await at.press(".sections a[href$='setup/channels']")
    await at.press("a.button[href$='channels/new']")
    await at.write("#channel", "web2")
    await at.write("#currencies", "USD")
    await at.press("main form button")
    await at.says("It is made")


async def _notes_something_of_a_customer(at: Keyboard) -> None:
    await at.go("app/customers")
    await at.write("#text", "kim@example.com")
    await at.page.keyboard.press("Enter")
    await at.press("main a[href$='customers/C1']")
    await at.press("#form-notes summary")
    await at.write("#note", "asks for a later day")
    await at.press("#form-notes button")
    await at.says("asks for a later day", "aside")


async def _takes_a_task_and_puts_it_off(at: Keyboard) -> None:
    await at.go("app/tasks")
    await at.press("main button[value=me]")
    await at.says("It is noted who sees to it")
    await at.press("main th a")
    await at.write("#note", "the carrier calls back")
    await at.page.keyboard.press("Enter")
    await at.says("It is put off")


async def _prints_the_day(at: Keyboard) -> None:
    await at.go("app/day")
    await at.press("a[href*='day/report']")
    await expect(at.page.locator("h1")).to_be_visible()
    await at.page.emulate_media(media="print")
    await expect(at.page.locator(".top")).to_be_hidden()
    await at.page.emulate_media(media="screen")


@WHERE
async def test_goods_come_in_are_counted_packed_and_sent_with_nothing_but_scans(
    pool: Pool, site: str, browser: Browser, phone: bool
) -> None:
    bench = Bench(pool)
    for sku in ("TEA", "POT"):
        await bench.stocked(sku, 20)
        await bench.stocked(sku, 9, "shop")
    for walk, place in enumerate(("A-1", "B-2")):
        await pool.execute(
            "insert into bin (location, bin, walk) values ('main', $1, $2)", place, walk
        )
    bought, back = await _on_its_way(bench)
    part = await bench.at(an_order(("TEA", 1), channel_order_id="scans"), "picked")
    async with visitor(browser, phone=phone) as page:
        at = Keyboard(page, site)
        await at.sign_in(pool, "warehouse")
        await page.goto(f"{site}/app/floor")
        await at.press("main button[value=main]")
        await expect(page.locator("form.finds input[name=code]")).to_be_focused()
        await _scanned(at, "incoming", bought, "TEA", "TEA", "A-1", "OL:DONE")
        await _scanned(at, "incoming", "T-1", "POT", "B-2", "OL:DONE")
        await _scanned(at, "incoming", back, "TEA", "OL:IS:damaged", "OL:DONE")
        await _scanned(at, "incoming", "OL:MOVE", "A-1", "TEA", "B-2", "OL:ALL", "OL:DONE")
        await _scanned(at, "incoming", "OL:COUNT", "POT", "B-2", "OL:QTY:20", "POT", "OL:DONE")
        await _scanned(at, "", part, "TEA", "OL:DONE", "OL:DONE")
        await bench.send(part)
        await _scanned(at, "", part, "OL:DONE")
    assert await bench.state(part) == "shipped"
    assert (await bench.level("TEA"), await bench.level("POT")) == ((18, 0), (20, 0))


async def _on_its_way(bench: Bench) -> tuple[str, str]:
    """A purchase order and a return that are expected, and the transfer T-1."""
    terms = {"supplier": "assam", "name": "Assam", "sku": "TEA", "currency": "EUR"}
    terms |= {"lead_time_days": "7", "unit_price": "2.50"}
    await bench.purchasing.set_terms([SupplierItem.model_validate(terms)])
    asked = {"supplier": "assam", "sku": "TEA", "location": "main", "quantity": 2}
    rows = [OnOrder.model_validate({**asked, "due_on": "2031-01-05"})]
    (bought,) = await bench.purchasing.enter(rows, who="test", why="test")
    await bench.transfers.send("T-1", "shop", "main", {"POT": 1}, who="ben", why="sold out")
    back = await approved(bench, await delivered(bench, "back"), {"1": 1})
    return bought, back


async def _scanned(at: Keyboard, room: str, begins: str, *codes: str) -> None:
    """Begin a run with a scan, and scan until it is over."""
    await at.visit(f"app/floor/{room}".rstrip("/"))
    await expect(at.page.locator("form.finds input[name=code]")).to_be_focused()
    await at.scan(begins)
    await at.page.wait_for_url("**/app/floor/runs/*")
    await expect(at.page.locator("#keys")).to_be_visible()
    await at.scan(*codes)
    await expect(at.page.locator("#code")).to_have_count(0)
    await expect(at.page.locator("#banner .good")).to_be_visible()
    assert await axe(at.page) == []
