"""The money's screens in a real browser: a difference is seen to with nothing but the keyboard."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import cast

import pytest
from playwright.async_api import Browser, expect

from starter.service.days import Days
from starter.service.service import Records, Service
from store.database import Pool
from tests.http.test_money_pages import differing, sold
from tests.support.api import Api
from tests.support.bench import Bench
from tests.support.browser import listening, visitor
from tests.support.keyboard import Keyboard


@pytest.fixture
async def site(pool: Pool) -> AsyncIterator[str]:
    async with listening(Api(cast("Service", Records(pool))).app) as address:
        yield address


async def test_the_day_puts_new_figures_in_their_place(
    pool: Pool, site: str, browser: Browser
) -> None:
    days = Days(pool)
    (today,) = [one.today for one in await days.todays()]
    await days.count(today, today)
    async with visitor(browser) as page:
        await Keyboard(page, site).sign_in(pool)
        await page.goto(f"{site}/app/day")
        table = page.locator("#by-hour-table summary")
        await table.press("Enter")
        await pool.execute(
            "insert into day_figure values ('main', $1, 'shipped', '', '', 7)", today
        )
        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        await expect(page.get_by_role("link", name="Parcels that left: 7")).to_be_visible()
        await expect(table).to_be_focused()
        await expect(page.locator("#by-hour-table[open]")).to_have_count(1)


async def test_a_difference_is_seen_to_by_keyboard(pool: Pool, site: str, browser: Browser) -> None:
    bench = Bench(pool)
    await bench.stocked("TEA", 9)
    order = await sold(bench, "keyboard-1")
    number = await differing(bench, order)
    async with visitor(browser) as page:
        await Keyboard(page, site).sign_in(pool)
        await page.goto(f"{site}/app/money")
        await page.locator(".sections a[href$='differences']").focus()
        await page.keyboard.press("Enter")
        await page.get_by_role("link", name=f"Difference {number}").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("h1")).to_contain_text("they have it, we do not")
        await page.locator("#note").focus()
        await page.keyboard.press("Tab")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")  # The browser itself asks for the note.
        await expect(page.locator("#note")).to_be_focused()
        await page.keyboard.type("paid back in the company's pages")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.locator(".told[role=status]")).to_contain_text("recorded for its order")
        await page.go_back()
        await page.reload()
        await expect(page.locator("form.card")).to_have_count(0)
        await page.goto(f"{site}/app/money/differences")
        await expect(page.get_by_role("status")).to_contain_text("No difference is open")
