"""The desk by keyboard alone: the list of commands, rows, and many orders at once."""

from __future__ import annotations

from typing import cast

from playwright.async_api import Browser, Page, expect

from starter.service.service import Records, Service
from store.database import Pool
from tests.support.api import Api
from tests.support.bench import Bench
from tests.support.browser import axe, listening, visitor
from tests.support.builders import an_order
from tests.support.jobs import jobs_at_work
from tests.support.keyboard import Keyboard
from tests.support.shop import Shop


async def command(page: Page, text: str) -> None:
    """Choose something from the list of commands."""
    await page.keyboard.press("Control+k")
    await expect(page.locator("#palette-q")).to_be_focused()
    await page.keyboard.type(text)
    await page.keyboard.press("Enter")


async def test_two_orders_are_found_ticked_and_held_without_a_mouse(
    shop: Shop, browser: Browser
) -> None:
    await shop.stocked("TEA", 100)
    orders = [an_order(("TEA", 1), channel_order_id=f"by-keys-{n}") for n in range(2)]
    for order in orders:
        await shop.placed(order)
    async with (
        jobs_at_work(shop),
        listening(Api(shop).app) as site,
        visitor(browser) as page,
    ):
        await Keyboard(page, site).sign_in(shop.pool)
        await page.keyboard.press("Control+k")
        await expect(page.locator("#palette [role=option]").first).to_be_visible()
        assert await axe(page) == []
        await page.keyboard.press("Escape")
        await command(page, "orders")
        await page.wait_for_url("**/app/orders")
        for order in reversed(orders):
            await page.keyboard.press("j")
            await expect(page.locator(f"a:text-is('{order.order_id}')")).to_be_focused()
            await page.keyboard.press("x")
        await page.keyboard.press("ArrowUp")
        await expect(page.locator(f"a:text-is('{orders[1].order_id}')")).to_be_focused()
        await command(page, "go on")
        await page.keyboard.press("Enter")
        await expect(page.locator("h1")).to_have_text("Hold them")
        assert await axe(page) == []
        await page.locator("#reason").focus()
        await page.keyboard.press("ArrowDown")  # nothing is chosen for them
        await page.locator("#note").focus()
        await page.keyboard.type("j looks at it")  # letters are letters here
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("It is done.")).to_be_visible()
        assert await axe(page) == []
        await page.keyboard.press("j")
        await page.keyboard.press("Enter")
        await expect(page.locator("main")).to_contain_text("j looks at it")
    for order in orders:
        assert len(await shop.holds.standing(order.order_id)) == 1


async def test_letters_lead_to_places_and_can_be_switched_off(pool: Pool, browser: Browser) -> None:
    await Bench(pool).take_in(an_order(("TEA", 1), channel_order_id="by-letters"))
    async with (
        listening(Api(cast("Service", Records(pool))).app) as site,
        visitor(browser) as page,
    ):
        await Keyboard(page, site).sign_in(pool)
        await page.keyboard.press("g")
        await page.keyboard.press("o")
        await page.wait_for_url("**/app/orders")
        await page.keyboard.press("?")
        await expect(page.locator("#key-list")).to_be_visible()
        assert await axe(page) == []
        await page.keyboard.press("Escape")
        await page.keyboard.press("/")
        await page.keyboard.type("web-by-letters")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/app/orders/web-by-letters")
        await page.goto(f"{site}/app/me")
        await page.locator("#single_keys").focus()
        await page.keyboard.press("Space")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("The keys are changed.")).to_be_visible()
        await page.keyboard.press("?")
        await page.keyboard.press("g")
        await page.keyboard.press("o")
        await expect(page.locator("#key-list")).to_be_hidden()
        await command(page, "by-letters")
        await page.wait_for_url("**/app/orders/web-by-letters")
