"""The screens in a real browser: signing in by keyboard alone, and nothing that axe finds."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal, cast

import pytest
from playwright.async_api import Browser, Page, expect

from domain.purchasing.purchase_orders import OnOrder, SupplierItem
from domain.stock.stock_levels import StockLevels
from starter.service.service import Records, Service
from store.database import Pool
from tests.support.api import Api
from tests.support.bench import Bench
from tests.support.browser import axe, html_faults, listening, visitor
from tests.support.builders import an_order
from tests.support.desk import GOOD, Desk
from tests.support.shop import Shop

ORDER = "web-seen-on-a-screen"
SCREENS = (
    *("app", "app/me", "app/staff", "app/staff/new", "app/staff/anna", "app/staff/none"),
    *(
        *("app/day", "app/day/report", "app/day/losses"),
        *("app/day/parcels?what=shipped", "app/day/payments?what=authorized"),
        "app/tasks",
        "app/orders",
        f"app/orders/{ORDER}",
        "app/orders?sku=TEA&columns=customer&columns=skus&columns=total",
        "app/orders?state=odd",
        f"app/orders/bulk?act=hold&order={ORDER}",
        "app/orders/bulk?act=cancel&all=1&sku=TEA",
        "app/jobs",
        "app/find?q=kim@example.com",
        "app/find?q=nothing",
        f"app/orders/{ORDER}/story",
        *(f"app/orders/{ORDER}/{act}" for act in ("cancel", "edit", "hold", "return")),
        *("app/customers?q=kim@example.com", "app/customers/C1", "app/customers/C1/orders"),
        "app/customers/C1/erase",
        *("app/money", "app/money/documents", "app/money/ledger"),
        *("app/money/balance?first=2026-01-01", "app/money/closing", "app/money/taxes"),
        *("app/money/differences", "app/money/disputes", "app/money/open/events"),
        *("app/money/vouchers/new", "app/money/credit?customer=C-1", "app/money/claims"),
        *("app/setup", "app/setup/sellers/main", "app/setup/channels/web", "app/setup/shops/web"),
        *("app/setup/locations/main", "app/setup/rules/new", "app/setup/policy", "app/setup/roles"),
        *("app/setup/templates/main/shipped/en", "app/setup/events/new", "app/setup/keys/new"),
        "app/setup/extensions",
        *("app/floor", "app/floor?change=1", "app/floor/incoming"),
    ),
    *("app/stock", "app/stock/TEA?n=5&country=DE", "app/transfers", "app/transfers/T-1"),
    *("app/kits", "app/codes", "app/baskets", "app/purchases", "app/purchases/PO-1"),
    *("app/purchases/proposals", "app/purchases/new?supplier=assam", "app/suppliers"),
    "app/suppliers/assam?sku=TEA",
)
LIGHT: Literal["light", "dark"] = "light"
DARK: Literal["light", "dark"] = "dark"


@pytest.fixture
async def site(pool: Pool) -> AsyncIterator[str]:
    async with listening(Api(cast("Service", Records(pool))).app) as address:
        yield address


async def typed(page: Page, *texts: str) -> None:
    """Type into one field after the other, and send the form."""
    for number, text in enumerate(texts):
        if number:
            await page.keyboard.press("Tab")
        await page.keyboard.type(text)
    await page.keyboard.press("Enter")


async def signed_in(page: Page, site: str, pool: Pool, **told: str) -> None:
    """Somebody new, with a password of their own, by keyboard alone."""
    first = await Desk(pool).let_in("anna", **told)
    await page.goto(f"{site}/app/staff")
    await page.locator("#login").focus()
    await typed(page, "anna", first)
    await expect(page.locator("#old")).to_be_visible()
    await page.locator("#old").focus()
    await typed(page, first, GOOD, GOOD)
    await expect(page.locator(".told[role=status]")).to_be_visible()


async def bought(bench: Bench) -> None:
    """Something to show a buyer: a proposal, an order that is late, goods on their way."""
    terms = {"supplier": "assam", "name": "Assam Gardens", "lead_time_days": 7, "currency": "EUR"}
    sold = [{"sku": "TEA", "unit_price": "2.50"}, {"sku": "POT", "unit_price": "900"}]
    await bench.purchasing.set_terms([SupplierItem.model_validate(terms | one) for one in sold])
    for sku in ("TEA", "POT"):
        await bench.stocked(sku, 5, "shop")
    level = StockLevels(sku="TEA", location="main", reorder_point=12, order_up_to=40)
    await bench.stock.set_levels([level])
    late = {"supplier": "assam", "sku": "TEA", "location": "shop", "quantity": 20}
    on_order = OnOrder.model_validate({**late, "due_on": "2026-01-05"})
    await bench.purchasing.enter([on_order], who="anna", why="ordered before")
    await bench.purchasing.propose(
        "assam", "shop", {"POT": 2}, po_id="PO-1", who="anna", why="for Christmas"
    )
    await bench.transfers.send("T-1", "shop", "main", {"TEA": 2}, who="anna", why="sold out")
    await bench.purchasing.measure_demand()


@pytest.mark.parametrize("scripts", [True, False])
async def test_somebody_signs_in_and_out_by_keyboard(
    pool: Pool, site: str, browser: Browser, scripts: bool
) -> None:
    async with visitor(browser, scripts=scripts) as page:
        await signed_in(page, site, pool)
        await page.goto(f"{site}/app/staff")
        await page.keyboard.press("Tab")
        await expect(page.locator(".skip")).to_be_focused()
        await page.keyboard.press("Enter")
        await page.locator(".who button[type=submit]").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("#login")).to_be_visible()
        await page.goto(f"{site}/app/me")
        await expect(page.locator("#login")).to_be_visible()


@pytest.mark.parametrize(("language", "theme"), [("en", LIGHT), ("ko", DARK), ("de", LIGHT)])
async def test_nothing_is_wrong_with_the_screens(
    pool: Pool,
    site: str,
    browser: Browser,
    tmp_path: Path,
    language: str,
    theme: Literal["light", "dark"],
) -> None:
    customer = {"id": "C-1", "name": "Kim", "email": "kim@example.com"}
    order = an_order(("TEA", 2, "10.00"), channel_order_id="seen-on-a-screen", customer=customer)
    bench = Bench(pool)
    await bench.stocked("TEA", 9)
    await bench.at(order, "packed")
    await bench.at(an_order(("TEA", 2, "10.00")), "picked")
    await bench.at(an_order(("TEA", 2, "10.00")), "confirmed")
    pages = {}
    async with visitor(browser, phone=theme == "dark", theme=theme, locale=language) as page:
        await page.goto(f"{site}/app/sign-in")
        assert await axe(page) == []
        pages["sign-in"] = await page.content()
        await signed_in(page, site, pool, language=language)
        for kind in ("pick", "pack"):
            await page.goto(f"{site}/app/floor")
            await page.locator(f'form:has(input[name="kind"][value="{kind}"]) button').first.click()
            await page.wait_for_url("**/app/floor/*/*")
            await page.keyboard.type("nobody knows")
            await page.keyboard.press("Enter")
            await expect(page.locator(".banner.bad")).to_be_visible()
            assert await axe(page) == [], kind
            pages[f"run-{kind}"] = await page.content()
        await bought(bench)
        await page.goto(f"{site}/app/floor?change=1")
        await page.locator('button[value="main"]').click()
        for kind in ("arrive", "returns", "count", "move"):
            await page.goto(f"{site}/app/floor/incoming")
            await page.locator(f'form:has(input[name="kind"][value="{kind}"]) button').first.click()
            await page.wait_for_url("**/app/floor/runs/*")
            await page.keyboard.type("TEA")
            await page.keyboard.press("Enter")
            await expect(page.locator(".banner")).to_be_visible()
            assert await axe(page) == [], kind
            pages[f"run-{kind}"] = await page.content()
        for path in SCREENS:
            await page.goto(f"{site}/{path}")
            assert await axe(page) == [], path
            pages[re.sub(r"\W", "-", path)] = await page.content()
            wide = await page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert wide == 0, f"{path} scrolls sideways"
    told = html_faults(pages, tmp_path).splitlines()
    assert [line for line in told if ": error: " in line] == []


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
        await signed_in(page, site, shop.pool)
        await page.goto(f"{site}/app/stock")
        await page.locator("#text").focus()
        await typed(page, "po")
        await expect(page.locator("main tbody tr")).to_have_count(1)
        await page.get_by_role("link", name="POT").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("h1")).to_contain_text("POT")
        await page.get_by_role("link", name="Purchases").focus()
        await page.keyboard.press("Enter")
        await page.get_by_role("link", name="To buy").focus()
        await page.keyboard.press("Enter")
        await page.get_by_role("checkbox", name=order.po_id).focus()
        await page.keyboard.press("Space")
        await page.get_by_role("button", name="Approve all that are ticked").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("status").first).to_contain_text("It is approved")
    assert (await shop.purchasing.order(order.po_id)).state != "proposed"
