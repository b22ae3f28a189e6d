"""The customer's page in a real browser: by keyboard, on a phone, read aloud, and attacked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from activities.providers.sandbox.pay_pages import SandboxPages
from domain.aftersales.return_rules import ReturnRule
from domain.looks import Looks
from domain.orders.exchange_rules import ExchangeRules
from domain.orders.order import Order
from domain.sellers import Seller
from domain.stock.items import Item
from starter.service.pay_pages import CompanyPages
from starter.stack.pay_company import PayCompany
from starter.web.customer.templates import ASSETS
from store.stock import items
from tests.support.api import Api
from tests.support.browser import axe, html_faults, listening, visitor
from tests.support.builders import a_policy, an_order
from tests.support.keyboard import Keyboard
from tests.support.shop import Shop

GROUPS = ExchangeRules(groups=(("TEA", "POT"),))
LASTING = a_policy(return_window=timedelta(days=30), exchanges=GROUPS)
INJECTED = "\"><img src=x onerror=alert(1)><script>alert(2)</script>'{{7*7}}</title>"


@pytest.fixture
async def open_shop(shop: Shop) -> Shop:
    for sku in ("TEA", "POT"):
        await shop.stocked(sku, 100)
    looks = Looks(colour="#0a5c36", display_name="Tea Shop", support_email="hi@tea.example")
    await shop.sellers.save([Seller(name="Tea Ltd", time_zone="Asia/Seoul", looks=looks)])
    await shop.returns.set_rules([ReturnRule(label="free", window_days=30)])
    return shop


@pytest.fixture
async def site(open_shop: Shop) -> AsyncIterator[str]:
    async with listening(Api(open_shop).app) as address:
        yield address


def ordered(locale: str = "en", **fields: Any) -> Order:
    customer = {"id": "C-1", "name": "Kim Minji", "locale": locale, "email": "kim@example.com"}
    return an_order(*(("TEA", 2, "10.00"), ("POT", 1, "30.00")), **{"customer": customer, **fields})


async def placed(shop: Shop, order: Order, site: str, *, delivered: bool = False) -> str:
    """The address of the page of a new order."""
    await shop.placed(order, LASTING)
    if delivered:
        await shop.drive(f"{order.order_id}:1", "shipped")
        await shop.scan(f"{order.order_id}:1", "delivered")
        await shop.heard(order.order_id, "delivered", 3)
    link = await shop.tracking.link(order.order_id, site)
    assert link is not None
    return link


async def test_an_order_is_cancelled_by_keyboard_alone(
    open_shop: Shop, site: str, browser: Browser
) -> None:
    async with visitor(browser) as page:
        at = Keyboard(page, site)
        await page.goto(await placed(open_shop, ordered(), site))
        await page.keyboard.press("Tab")
        await expect(page.locator(".skip")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator("main")).to_be_focused()
        await at.to("#ask-cancel")
        await page.keyboard.press("Enter")
        await expect(page.locator("h1")).to_have_text("Cancel")
        await at.to("#units-1")
        await page.keyboard.press("ArrowDown")
        await at.to("[name=why][value=changed_mind]")
        await page.keyboard.press("Space")
        await at.to("button")
        await page.keyboard.press("Enter")
        await expect(page.locator("p.told")).to_contain_text("Cancelled.")
        await expect(page.locator("#goods + dl")).to_contain_text("1 cancelled")


async def test_a_return_is_asked_for_on_a_phone_without_scripts(
    open_shop: Shop, site: str, browser: Browser
) -> None:
    link = await placed(open_shop, ordered("ko"), site, delivered=True)
    async with visitor(browser, phone=True, scripts=False) as page:
        await page.goto(link)
        await page.get_by_role("link", name="반품하기").click()
        await page.locator("#units-1").fill("1")
        await page.locator("[value=did_not_fit]").check()
        await page.get_by_role("button", name="다음").click()
        await page.get_by_role("button", name="반품 신청").click()
        await expect(page.locator("p.told")).to_contain_text("반품을 기다리고 있겠습니다")
        # A phone that shows all letters twice as large has half the width.
        for width in (360, 320, 180):
            await page.set_viewport_size({"width": width, "height": 740})
            whole = await page.locator("html").bounding_box()
            assert whole is not None
            for part in await page.locator("main *").all():
                box = await part.bounding_box()
                assert box is None or box["x"] + box["width"] <= width + 1, await part.inner_html()


async def test_an_order_is_paid_at_the_companys_page_on_a_phone_without_scripts(
    open_shop: Shop, browser: Browser
) -> None:
    companies = CompanyPages()
    async with (
        listening(PayCompany().app) as company,
        listening(Api(open_shop, pay_pages=companies).app) as site,
        aclosing(companies),
    ):
        companies.by_name, companies.pages_url = {"sandbox": SandboxPages(company)}, site
        order = ordered("de", payment={"token": "tok_action_required"})
        await open_shop.orders.place(order, policy=LASTING)
        await open_shop.told(order.order_id, "held: payment")
        link = await open_shop.tracking.link(order.order_id, site)
        async with visitor(browser, phone=True, scripts=False, locale="de") as page:
            await page.goto(f"{link}?lang=ko")
            await page.get_by_role("link", name="결제하기").click()
            await page.get_by_role("link", name="Sandbox에서 결제하기").click()
            assert page.url.startswith(company)
            await page.get_by_role("button", name="Pay with a card that works").click()
            await expect(page.locator("p.told")).to_contain_text("결제되었습니다")
            assert page.url.startswith(f"{site}/o/")
            # Going back leads to the company's page, and what was paid there pays nothing again.
            await page.go_back()
            await page.get_by_role("button", name="Pay with a card that works").click()
            await expect(page.locator("h1")).to_contain_text("주문")
        payments = (await open_shop.orders.get(order.order_id)).payments
        made = [one for one in payments if (one.kind, one.state) == ("authorize", "succeeded")]
        assert len(made) == 1


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "ko", "de"])
async def test_axe_and_vnu_find_nothing(
    open_shop: Shop, site: str, browser: Browser, tmp_path: Path, language: str, theme: Any
) -> None:
    link = await placed(open_shop, ordered(language), site, delivered=True)
    new = await placed(open_shop, ordered(language), site)
    paths = {
        "order": link,
        "new": new,
        "return": f"{link}/return",
        "claim": f"{link}/claim",
        "cancel": f"{new}/cancel",
        "address": f"{new}/address",
        "exchange": f"{link}/exchange",
        "track": f"{site}/track",
        "nothing": f"{site}/o/nothing",
    }
    texts = {}
    async with visitor(browser, phone=True, theme=theme, locale=language) as page:
        for name, path in paths.items():
            answer = await page.goto(path)
            assert answer is not None
            texts[f"{name}.html"] = await answer.text()
            assert await axe(page) == [], name
            assert await page.locator("html").get_attribute("lang") == language
    if (theme, language) == ("light", "de"):  # the same elements in each language
        texts |= {one.name: one.content.decode() for one in ASSETS.all if one.name.endswith("css")}
        assert html_faults(texts, tmp_path) == ""


async def test_what_people_type_does_nothing_but_stand_there(
    open_shop: Shop, site: str, browser: Browser
) -> None:
    async with open_shop.pool.acquire() as conn:
        await items.save(conn, [Item(sku="TEA", name=INJECTED[:60])])
    address = dict.fromkeys(("name", "company", "line1", "line2", "city", "region"), INJECTED[:60])
    order = ordered(
        customer={"id": "C-1", "name": INJECTED, "locale": "en", "company": INJECTED},
        channel_order_id="<b>1</b>",
        note=INJECTED,
        shipping={"price": "5.00", "address": {**address, "postal_code": "<i>1", "country": "KR"}},
    )
    link = await placed(open_shop, order, site)
    async with visitor(browser) as page:
        await page.goto(link)
        await expect(page.locator("h1")).to_have_text("Your order <b>1</b>")
        assert await page.locator("main img, main script, main b, main i").count() == 0
        assert "49" not in await page.title()
        await page.goto(f"{link}/address")
        assert await page.locator("#line1").input_value() == INJECTED[:60]
        await page.goto(f"{site}/o/%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
        await page.goto(f"{link}?done=%3Cscript%3Ealert(1)%3C/script%3E")
        assert await page.locator("main script").count() == 0


async def test_the_page_changes_by_itself_and_keeps_the_focus(
    open_shop: Shop, site: str, browser: Browser
) -> None:
    order = ordered()
    link = await placed(open_shop, order, site)
    async with visitor(browser) as page:
        await page.clock.install()
        await page.goto(link)
        await expect(page.locator(".status")).to_contain_text("We are getting it ready")
        await page.locator("#ask-cancel").focus()
        await open_shop.drive(f"{order.order_id}:1", "packed")
        await page.clock.run_for(16_000)
        await expect(page.locator(".status")).to_contain_text("Packed")
        await expect(page.locator("#ask-cancel")).to_be_focused()
        await expect(page.locator("#news")).to_contain_text("Packed")
