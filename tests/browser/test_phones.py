"""What is another way on a phone than at a desk: places behind a button, and rows as cards."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Final, cast

import pytest
from playwright.async_api import Browser, Page, expect

from domain.sellers import LANGUAGES, Language
from starter.service.service import Records, Service
from store.database import Pool
from tests.support.api import Api
from tests.support.bench import Bench
from tests.support.browser import DESK, PHONE, axe, listening, visitor
from tests.support.builders import an_order
from tests.support.desk import GOOD, Desk
from tests.support.keyboard import Keyboard
from tests.support.whole_shop import whole_shop

MAIN: Final = (
    *("app", "app/orders", "app/orders/{order}", "app/customers", "app/tasks", "app/day"),
    *("app/floor", "app/stock", "app/purchases", "app/purchases/PO-1", "app/money/documents"),
    *("app/money/ledger", "app/money/balance", "app/money/balance?first=2026-01-01"),
)
BROKEN: Final = """() => {
  const broken = [];
  const walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  for (let text; text = walker.nextNode();) {
    const told = text.data, one = text.parentElement;
    if (!one.checkVisibility() || one.matches("option, svg *")) continue;
    for (const found of told.matchAll(
      /(?<![\\p{L}\\d_-])[\\p{Sc}-]*\\d[\\d.,:]*\\d(\\u00a0\\p{Sc})?(?![a-z_-])/gu
    )) {
      const range = document.createRange();
      range.setStart(text, found.index);
      range.setEnd(text, found.index + found[0].length);
      const lines = new Set([...range.getClientRects()].map(box => Math.round(box.top)));
      if (lines.size > 1) broken.push(told.trim().slice(0, 60));
    }
  }
  return broken; }"""
"""Amounts, numbers, days and hours of which a part stands on the next line."""
OUTSIDE: Final = """() => [...document.querySelectorAll("main *, .top *")].filter(one => {
  if (!one.checkVisibility() || one.closest(".wide, .skip, svg, dialog")) return false;
  const box = one.getBoundingClientRect();
  return box.width > 1 && (box.right > innerWidth + 1 || box.left < -1);
}).map(one => one.outerHTML.slice(0, 100))"""
"""What is cut at the side of the screen."""
LARGE: Final = "document.documentElement.style.fontSize = '200%'"


@pytest.fixture
async def site(pool: Pool) -> AsyncIterator[str]:
    async with listening(Api(cast("Service", Records(pool))).app) as address:
        yield address


@pytest.mark.parametrize("scripts", [True, False])
async def test_each_place_is_reached_from_a_phone(
    pool: Pool, site: str, browser: Browser, scripts: bool
) -> None:
    async with visitor(browser, phone=True, scripts=scripts) as page:
        at = Keyboard(page, site)
        await at.sign_in(pool)
        await at.visit("app/kits")
        places = page.locator("#places")
        await expect(places).to_be_hidden()
        await page.get_by_role("button", name="Places · Stock").tap()
        # With the person's own page.
        assert await places.locator("a").count() == 10
        for link in await places.locator("a").all():
            box = await link.bounding_box()
            assert box is not None
            assert (box["x"] >= 0, box["x"] + box["width"] <= PHONE["width"]) == (True, True)
            assert (box["y"] >= 0, box["y"] + box["height"] <= PHONE["height"]) == (True, True)
            assert box["height"] >= 44
        await expect(places.locator("[aria-current]")).to_have_text("Stock")
        await places.get_by_role("link", name="Money").tap()
        await expect(page).to_have_url(f"{site}/app/money")


async def test_places_are_reached_and_left_with_keys(
    pool: Pool, site: str, browser: Browser
) -> None:
    async with visitor(browser, phone=True) as page:
        at = Keyboard(page, site)
        await at.sign_in(pool)
        await at.press(".places-button")
        await expect(page.locator("#places")).to_be_visible()
        assert await axe(page) == []
        await page.keyboard.press("Escape")
        await expect(page.locator("#places")).to_be_hidden()
        await expect(page.locator(".places-button")).to_be_focused()
        await page.keyboard.press("Enter")
        await at.press("#places a[href$='app/stock']")
        await expect(page.locator("h1")).to_have_text("Stock")


async def test_at_a_desk_places_stand_in_a_row(pool: Pool, site: str, browser: Browser) -> None:
    async with visitor(browser) as page:
        await Keyboard(page, site).sign_in(pool)
        await expect(page.locator(".places-button")).to_be_hidden()
        for link in await page.locator("#places ul a").all():
            await expect(link).to_be_in_viewport()


async def test_rows_that_are_cards_are_still_a_table_for_who_does_not_see_them(
    pool: Pool, site: str, browser: Browser
) -> None:
    bench = Bench(pool)
    await bench.stocked("TEA", 9)
    order = await bench.at(an_order(("TEA", 2, "10.00")), "packed")
    async with visitor(browser) as page:
        await Keyboard(page, site).sign_in(pool)
        await page.goto(f"{site}/app/orders/{order.partition(':')[0]}/story")
        await page.set_viewport_size(DESK)
        wide = await _spoken(page)
        assert {"table", "columnheader", "row", "cell"} <= set(wide)
        await page.set_viewport_size(PHONE)
        await expect(page.locator("table.cards tbody")).to_have_css("display", "block")
        assert await _spoken(page) == wide


@pytest.mark.parametrize("language", LANGUAGES)
async def test_no_number_breaks_and_nothing_is_cut_also_in_large_text(
    pool: Pool, site: str, browser: Browser, language: Language
) -> None:
    desk = await Desk(pool).signed_in("anna", language=language)
    paths = await whole_shop(Bench(pool), desk)
    order = next(
        path
        for path in paths
        if re.fullmatch(r"app/orders/[^/?]+", path) and path != "app/orders/views"
    )
    wrong = []
    async with visitor(browser, phone=True) as page:
        at = Keyboard(page, site)
        await at.visit("app/sign-in")
        await at.fill(login="anna", password=GOOD)
        await page.wait_for_url(f"{site}/app")
        for path in MAIN:
            await at.visit(path.format(order=order.rpartition("/")[2]))
            wrong += [f"{path}: breaks: {one}" for one in await page.evaluate(BROKEN)]
            await page.evaluate(LARGE)
            wrong += [f"{path}, large: cut: {one}" for one in await page.evaluate(OUTSIDE)]
            wrong += [f"{path}, large: breaks: {one}" for one in await page.evaluate(BROKEN)]
            wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
            wrong += [f"{path}, large: scrolls sideways by {wide}"] * (wide > 0)
    assert wrong == []


async def test_large_text_leaves_room_to_type_a_code(
    pool: Pool, site: str, browser: Browser
) -> None:
    desk = await Desk(pool).signed_in("anna", language="de")
    await whole_shop(Bench(pool), desk)
    async with visitor(browser, phone=True) as page:
        at = Keyboard(page, site)
        await at.visit("app/sign-in")
        await at.fill(login="anna", password=GOOD)
        await page.wait_for_url(f"{site}/app")
        await at.visit("app/floor?location=main")
        await page.evaluate(LARGE)
        box = await page.locator("#next-code").bounding_box()
        assert box is not None
        assert box["width"] >= 160


async def test_the_head_of_a_page_leaves_a_phone_to_the_page(
    pool: Pool, site: str, browser: Browser
) -> None:
    await Desk(pool).signed_in("anna", language="de")
    async with visitor(browser, phone=True) as page:
        at = Keyboard(page, site)
        await at.visit("app/sign-in")
        await at.fill(login="anna", password=GOOD)
        await page.wait_for_url(f"{site}/app")
        await at.visit("app/orders")
        head = await page.locator("header.top").bounding_box()
        assert head is not None
        assert head["height"] <= 110
        await page.locator(".places-button").tap()
        await page.locator("#places button[type=submit]").tap()
        await expect(page).to_have_url(f"{site}/app/sign-in")


async def _spoken(page: Page) -> list[str]:
    """The parts of tables, as the browser tells them to a screen reader."""
    session = await page.context.new_cdp_session(page)
    told = await session.send("Accessibility.getFullAXTree")
    roles = [one["role"]["value"] for one in told["nodes"] if not one["ignored"]]
    return [one for one in roles if one in ("table", "row", "columnheader", "rowheader", "cell")]
