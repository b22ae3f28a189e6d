"""The screens in a real browser: signing in by keyboard alone, and nothing that axe finds."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal, cast

import pytest
from playwright.async_api import Browser, Page, expect

from starter.service.service import Records, Service
from store.database import Pool
from tests.support.api import Api
from tests.support.bench import Bench
from tests.support.browser import axe, html_faults, listening, visitor
from tests.support.builders import an_order
from tests.support.desk import GOOD, Desk

ORDER = "web-seen-on-a-screen"
SCREENS = (
    *("app", "app/me", "app/staff", "app/staff/new", "app/staff/anna", "app/staff/none"),
    *(
        *("app/day", "app/day/report", "app/day/losses"),
        *("app/day/parcels?what=shipped", "app/day/payments?what=authorized"),
        "app/tasks",
        "app/orders",
        f"app/orders/{ORDER}",
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
        *("app/floor", "app/floor?change=1"),
    ),
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
        await page.locator(".who button").focus()
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
        for path in SCREENS:
            await page.goto(f"{site}/{path}")
            assert await axe(page) == [], path
            pages[re.sub(r"\W", "-", path)] = await page.content()
            wide = await page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert wide == 0, f"{path} scrolls sideways"
        for kind in ("pick", "pack"):
            await page.goto(f"{site}/app/floor")
            await page.locator(f'form:has(input[name="kind"][value="{kind}"]) button').first.click()
            await page.keyboard.type("nobody knows")
            await page.keyboard.press("Enter")
            await expect(page.locator(".banner.bad")).to_be_visible()
            assert await axe(page) == [], kind
            pages[f"run-{kind}"] = await page.content()
    html_faults(pages, tmp_path)
