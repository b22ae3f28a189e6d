"""An open page in a real browser: two tabs, what is typed, the focus, and a session that ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import cast

import pytest
from playwright.async_api import Browser, expect

from starter.service.service import Records, Service
from store.database import Pool
from store.orders import events
from tests.support.api import Api
from tests.support.bench import Bench
from tests.support.browser import listening, visitor
from tests.support.builders import an_order
from tests.support.desk import GOOD
from tests.support.keyboard import Keyboard

_STEP = "pick_pack_ship"
_WITHIN_MS = 20_000


@pytest.fixture
async def site(pool: Pool) -> AsyncIterator[str]:
    async with listening(Api(cast("Service", Records(pool))).app) as address:
        yield address


async def happens(pool: Pool, order_id: str, what: str) -> None:
    async with pool.acquire() as conn:
        await events.tell(conn, order_id, f"test:{what}", what, who="Ben (ben)")


async def test_what_happens_is_shown_and_what_is_typed_stays(
    pool: Pool, site: str, browser: Browser
) -> None:
    order = an_order(("TEA", 1, "10.00"), channel_order_id="live-page")
    await Bench(pool).on_record(order)
    async with pool.acquire() as conn:
        await events.raise_attention(conn, order.order_id, _STEP, "no answer", ("retry",))
    async with visitor(browser) as page:
        await Keyboard(page, site).sign_in(pool)
        other = await page.context.new_page()
        for tab in (page, other):
            await tab.goto(f"{site}/app/orders/{order.order_id}")
        note = other.locator("#note-1")
        await note.fill("half a sen")
        story = page.locator("#order-story a").first
        await story.focus()
        await happens(pool, order.order_id, "packed")
        for tab in (page, other):
            await expect(tab.locator("#live")).to_contain_text("packed", timeout=_WITHIN_MS)
            await expect(tab.locator("#order-story table")).to_contain_text("packed")
        await expect(story).to_be_focused()
        await expect(note).to_have_value("half a sen")
        await expect(note).to_be_focused()
        async with pool.acquire() as conn:
            await events.settle(conn, order.order_id, _STEP, "mended", who="Ben (ben)")
        await expect(page.locator("#order-needs")).to_have_count(0, timeout=_WITHIN_MS)
        await expect(other.locator("#live a")).to_be_visible(timeout=_WITHIN_MS)
        await expect(note).to_have_value("half a sen")
        # Nothing is lost where the session ends meanwhile.
        async with pool.acquire() as conn:
            await events.raise_attention(conn, order.order_id, _STEP, "again", ("retry",))
        (session,) = await Records(pool).staff.sessions("anna")
        await Records(pool).staff.end_session(session.session_no, who="an admin")
        await expect(other.locator("#login")).to_be_visible(timeout=_WITHIN_MS)
        await Keyboard(other, site).fill(login="anna", password=GOOD)
        await expect(note).to_have_value("half a sen")
        await other.reload()
        await expect(note).to_have_value("")


async def test_a_form_that_met_an_ended_session_comes_back_filled_in(
    pool: Pool, site: str, browser: Browser
) -> None:
    await Bench(pool).on_record(an_order(("TEA", 1, "10.00"), channel_order_id="typed"))
    async with visitor(browser) as page:
        await Keyboard(page, site).sign_in(pool)
        await page.goto(f"{site}/app/customers/C1")
        await page.locator("#form-notes summary").click()
        note = page.locator("#note")
        await note.fill("asks for a later day")
        await Records(pool).staff.end_sessions("anna", who="an admin")
        await page.locator("#form-notes button").click()
        await Keyboard(page, site).fill(login="anna", password=GOOD)
        await expect(note).to_be_visible()
        await expect(note).to_have_value("asks for a later day")
        await page.locator("#form-notes button").click()
        await expect(page.locator(".told[role=status]")).to_be_visible()
        await expect(page.locator("aside")).to_contain_text("asks for a later day")
