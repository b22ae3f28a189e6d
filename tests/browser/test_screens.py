"""The screens in a real browser: signing in by keyboard alone, and nothing that axe finds."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import cast

import pytest
from playwright.async_api import Browser, expect

from domain.purchasing.purchase_orders import SupplierItem
from domain.stock.stock_levels import StockLevels
from starter.service.service import Records, Service
from store.database import Pool
from tests.support.api import Api
from tests.support.browser import listening, visitor
from tests.support.builders import an_order
from tests.support.keyboard import Keyboard
from tests.support.shop import Shop


@pytest.fixture
async def site(pool: Pool) -> AsyncIterator[str]:
    async with listening(Api(cast("Service", Records(pool))).app) as address:
        yield address


@pytest.mark.parametrize("scripts", [True, False])
async def test_somebody_signs_in_and_out_by_keyboard(
    pool: Pool, site: str, browser: Browser, scripts: bool
) -> None:
    async with visitor(browser, scripts=scripts) as page:
        await Keyboard(page, site).sign_in(pool)
        await page.goto(f"{site}/app/staff")
        await page.keyboard.press("Tab")
        await expect(page.locator(".skip")).to_be_focused()
        await page.keyboard.press("Enter")
        await page.locator(".who button[type=submit]").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("#login")).to_be_visible()
        await page.goto(f"{site}/app/me")
        await expect(page.locator("#login")).to_be_visible()


async def test_a_buyer_finds_what_runs_out_and_approves_it_by_keyboard(
    shop: Shop, browser: Browser
) -> None:
    await shop.stocked("POT", 3)
    terms = {"supplier": "potter", "sku": "POT", "lead_time_days": 3, "unit_price": "900"}
    await shop.purchasing.set_terms([SupplierItem.model_validate(terms | {"currency": "EUR"})])
    await shop.placed(an_order(("POT", 1), channel_order_id="buyer-1"))
    level = StockLevels(sku="POT", location="main", reorder_point=2, order_up_to=5)
    await shop.stock.set_levels([level])
    await shop.purchasing.measure_demand()
    ordered = await shop.purchasing.replenish()
    (order,) = await shop.purchasing.orders()
    assert ordered in ([], [order.po_id])  # a crossed level may have had it bought already
    async with listening(Api(shop).app) as site, visitor(browser) as page:
        await Keyboard(page, site).sign_in(shop.pool)
        await page.goto(f"{site}/app/stock")
        await Keyboard(page, site).fill(text="po")
        await expect(page.locator("main tbody tr")).to_have_count(1)
        await page.get_by_role("link", name="POT").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("h1")).to_contain_text("POT")
        await page.get_by_role("link", name="Purchases").focus()
        await page.keyboard.press("Enter")
        tabs = page.get_by_role("navigation", name="Pages of this place")
        await tabs.get_by_role("link", name=re.compile(r"^To buy \d")).focus()
        await page.keyboard.press("Enter")
        await page.get_by_role("checkbox", name=order.po_id).focus()
        await page.keyboard.press("Space")
        for button in ("See what the ticked ones cost", "Approve and order all of this"):
            await page.get_by_role("button", name=button).focus()
            await page.keyboard.press("Enter")
        await expect(page.locator("main")).to_contain_text("It is approved, and is sent now.")
    assert (await shop.purchasing.order(order.po_id)).state != "proposed"
