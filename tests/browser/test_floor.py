"""The warehouse floor in a real browser, on a phone, with a scanner that types and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import cast

import pytest
from playwright.async_api import Browser, Page, expect

from starter.service.service import Records, Service
from store.database import Pool
from tests.support.api import Api
from tests.support.bench import Bench
from tests.support.browser import listening, visitor
from tests.support.builders import an_order
from tests.support.keyboard import Keyboard


@pytest.fixture
async def site(pool: Pool) -> AsyncIterator[str]:
    async with listening(Api(cast("Service", Records(pool))).app) as address:
        yield address


ENDS_WITH_TAB = """code => {
    const field = document.getElementById("code");
    field.value = code;
    for (const key of [code.at(-1), "Tab"])
        field.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
}"""
"""Some scanners do; a person who leaves the field with it is slower."""


async def begun(page: Page) -> None:
    """The page's script runs, and the field waits for a scan."""
    await expect(page.locator("#keys")).to_be_visible()
    await expect(page.locator("#code")).to_be_focused()


async def says(page: Page, text: str) -> None:
    await expect(page.locator("#banner")).to_contain_text(text)


async def test_a_picker_goes_on_without_a_network_after_a_reload_and_in_two_tabs(
    pool: Pool, site: str, browser: Browser
) -> None:
    bench = Bench(pool)
    for sku in ("TEA", "POT"):
        await bench.stocked(sku, 20)
    order = an_order(("TEA", 6), ("POT", 1), channel_order_id="on-a-phone")
    part = await bench.at(order, "confirmed")
    async with visitor(browser, phone=True) as page:
        at = Keyboard(page, site)
        await at.sign_in(pool, "warehouse")
        await page.goto(f"{site}/app/floor")
        await page.get_by_role("button", name="Pick the next parcel").press("Enter")
        await begun(page)
        await page.evaluate(ENDS_WITH_TAB, "TEA")
        await says(page, "Another item")
        await page.locator(".actions button").first.focus()  # a scan finds its field from anywhere
        await at.scan("POT", "TEA")
        await says(page, "Still 5 × TEA")
        await page.context.set_offline(True)
        await at.scan("TEA", "TEA", "no such code")
        await expect(page.locator("#waits")).to_contain_text("Scans that wait: 3")
        assert await bench.state(part) == "picking"
        await page.context.set_offline(False)
        await says(page, "Nobody knows this code")
        await expect(page.locator("#waits")).to_be_empty()
        await expect(page.locator(".progress")).to_have_text("4 of 7 units")
        await page.reload()
        await begun(page)
        await expect(page.locator(".progress")).to_have_text("4 of 7 units")
        other = await page.context.new_page()
        await other.goto(page.url)
        await begun(other)
        await Keyboard(other, site).scan("TEA")
        await says(other, "Still 2 × TEA")
        await expect(page.locator(".progress")).to_have_text("5 of 7 units")
        await page.bring_to_front()
        await at.scan("OL:QTY:2", "TEA")
        await says(page, "All is picked")
        await expect(page.locator("#code")).to_have_count(0)
    assert await bench.state(part) == "picked"


async def test_scans_of_a_page_that_was_closed_are_sent_when_it_is_opened_again(
    pool: Pool, site: str, browser: Browser
) -> None:
    bench = Bench(pool)
    await bench.stocked("TEA", 20)
    order = an_order(("TEA", 3), channel_order_id="flat-battery")
    part = await bench.at(order, "confirmed")
    async with visitor(browser, phone=True) as page:
        at = Keyboard(page, site)
        await at.sign_in(pool, "warehouse")
        await page.goto(f"{site}/app/floor")
        await page.get_by_role("button", name="Pick the next parcel").press("Enter")
        await begun(page)
        run = page.url
        await at.scan("TEA")
        await says(page, "Still 2 × TEA")
        await page.context.set_offline(True)
        await at.scan("TEA")
        await expect(page.locator("#waits")).to_contain_text("Scans that wait: 1")
        context = page.context
        await page.close()
        await context.set_offline(False)
        later = await context.new_page()
        await later.goto(run)
        await begun(later)
        await says(later, "Still 1 × TEA")
        # Somebody goes on elsewhere: what is scanned for the old screen is named, not taken.
        await pool.execute("update scan_run set last_seq = last_seq + 1, last_scan = 'other'")
        await Keyboard(later, site).scan("TEA")
        await expect(later.locator("#waits")).to_contain_text("Not taken")
        # The picker works elsewhere by now: nothing waits for ever.
        await bench.stocked("TEA", 1, "outlet")
        await pool.execute("update staff set locations = '{outlet}'")
        await Keyboard(later, site).scan("TEA")
        await expect(later.locator("#waits")).to_contain_text("no longer yours")
        await expect(later.locator("#code")).to_have_count(0)
        await pool.execute("update staff set locations = null")
        await later.reload()
        await Keyboard(later, site).scan("TEA")
        await says(later, "All is picked")
    assert await bench.state(part) == "picked"


async def test_a_scanner_alone_begins_each_work_from_the_first_page(
    pool: Pool, site: str, browser: Browser
) -> None:
    bench = Bench(pool)
    await bench.stocked("TEA", 20)
    parts = [
        await bench.at(an_order(("TEA", 1), channel_order_id=f"scanned-{n}"), "confirmed")
        for n in range(3)
    ]
    async with visitor(browser, phone=True) as page:
        at = Keyboard(page, site)
        await at.sign_in(pool, "warehouse")
        await page.goto(f"{site}/app/floor")
        await expect(page.locator("#next-code")).to_be_focused()
        await at.scan("OL:NOTHING")
        await expect(page.locator("[role=alert]")).to_contain_text("Nothing is to be done")
        await page.locator("summary").first.focus()  # a scan finds its field from anywhere
        await at.scan("OL:PICK")
        await begun(page)
        await at.scan("TEA")
        await says(page, "All is picked")
        # The next parcel is scanned where the last one ended, also after a reload.
        await expect(page.locator("#next-code")).to_be_focused()
        await page.locator(".actions a").focus()
        await at.scan(parts[1])
        await begun(page)
        await at.scan("TEA")
        await says(page, "All is picked")
        await page.reload()
        await expect(page.locator("#next-code")).to_be_focused()
        await page.locator(".actions a").focus()
        await at.scan("OL:BATCH")
        await begun(page)
        await at.scan("TEA")
        await says(page, "All is picked")
        await expect(page.locator("#next-code")).to_be_focused()
        await at.scan(parts[0])
        await begun(page)
        await at.scan("TEA")
        await says(page, "All is in the box")
        await at.scan("OL:DONE")
    assert [await bench.state(part) for part in parts[1:]] == ["picked", "picked"]
