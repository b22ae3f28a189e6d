"""What is done with an order, by keyboard alone: foretold, gone back from, and done."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from playwright.async_api import Browser, Page, expect

from domain.orders.policy import Policy
from tests.browser.test_screens import signed_in
from tests.support.api import Api
from tests.support.browser import axe, listening, visitor
from tests.support.builders import an_order
from tests.support.shop import Shop

TABS_MAX = 120
LASTING = {"return_window": timedelta(days=30)}


@pytest.fixture
async def site(shop: Shop) -> AsyncIterator[str]:
    await shop.stocked("TEA", 100)
    async with listening(Api(shop).app) as address:
        yield address


async def to(page: Page, what: str) -> None:
    """Press Tab until the element is reached that matches."""
    for _ in range(TABS_MAX):
        await page.keyboard.press("Tab")
        if await page.evaluate("what => document.activeElement.matches(what)", what):
            return
    raise AssertionError(f"the keyboard does not reach {what}")


async def typed(page: Page, what: str, text: str) -> None:
    """Put a text in place of what stands in a field."""
    await to(page, what)
    await page.keyboard.press("Control+A")
    await page.keyboard.type(text)


async def test_a_return_and_an_edit_by_keyboard_alone(
    shop: Shop, site: str, browser: Browser
) -> None:
    policy = Policy.model_validate({**shop.usual_policy.model_dump(), **LASTING})
    sent, kept = (an_order(("TEA", 3, "10.00"), channel_order_id=f"keys-{n}") for n in "12")
    for order in (sent, kept):
        await shop.placed(order, policy)
    await shop.drive(f"{sent.order_id}:1", "shipped")
    await shop.scan(f"{sent.order_id}:1", "delivered")
    await shop.heard(sent.order_id, "delivered", 3)
    await shop.idle(sent.order_id)
    async with visitor(browser) as page:
        await signed_in(page, site, shop.pool)
        await page.goto(f"{site}/app/orders/{sent.order_id}")
        await to(page, "a[href$='/return']")
        await page.keyboard.press("Enter")
        await expect(page.locator("#units-1")).to_be_visible()
        await typed(page, "#units-1", "2")
        await typed(page, "#reason", "too small")
        await page.keyboard.press("Enter")
        await expect(page.locator(".sums")).to_contain_text("2 × TEA (line 1)")
        assert await axe(page) == []
        await to(page, "button[value=change]")
        await page.keyboard.press("Enter")
        await expect(page.locator("#reason")).to_have_value("too small")
        await typed(page, "#units-1", "1")
        await to(page, "button[value=preview]")
        await page.keyboard.press("Enter")
        await expect(page.locator(".sums")).to_contain_text("1 × TEA (line 1)")
        await to(page, "button[value=do]")
        await page.keyboard.press("Enter")
        await expect(page.locator(".told[role=status]")).to_contain_text("is approved")

        await page.goto(f"{site}/app/orders/{kept.order_id}/edit")
        assert await axe(page) == []
        await typed(page, "[name='line:1:quantity']", "2")
        await typed(page, "#reason", "the customer called")
        await page.keyboard.press("Enter")
        await expect(page.locator(".sums")).to_contain_text("→")
        await to(page, "button[value=do]")
        await page.keyboard.press("Enter")
        await expect(page.locator(".told[role=status]")).to_contain_text("is changed")
    lines = (await shop.orders.get(kept.order_id)).lines
    assert [line.ordered for line in lines] == [2]
    (back,) = (await shop.orders.get(sent.order_id)).returns
    assert [counts["quantity"] for counts in back.lines.values()] == [1]
