"""What is another way on a phone than at a desk: places behind a button, and rows as cards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import cast

import pytest
from playwright.async_api import Browser, Page, expect

from starter.service.service import Records, Service
from store.database import Pool
from tests.support.api import Api
from tests.support.bench import Bench
from tests.support.browser import DESK, PHONE, axe, listening, visitor
from tests.support.builders import an_order
from tests.support.keyboard import Keyboard


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
        assert await places.locator("a").count() == 9
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
        for link in await page.locator("#places a").all():
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


async def _spoken(page: Page) -> list[str]:
    """The parts of tables, as the browser tells them to a screen reader."""
    session = await page.context.new_cdp_session(page)
    told = await session.send("Accessibility.getFullAXTree")
    roles = [one["role"]["value"] for one in told["nodes"] if not one["ignored"]]
    return [one for one in roles if one in ("table", "row", "columnheader", "rowheader", "cell")]
