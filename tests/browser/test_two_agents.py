"""Two agents on one order, each at a browser of their own: no text is lost, nothing is undone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from playwright.async_api import Browser, expect

from domain.orders.policy import Policy
from tests.support.api import Api
from tests.support.browser import axe, listening, visitor
from tests.support.builders import an_order
from tests.support.desk import GOOD, Desk
from tests.support.keyboard import Keyboard
from tests.support.shop import Shop


@pytest.fixture
async def site(shop: Shop) -> AsyncIterator[str]:
    await shop.stocked("TEA", 100)
    async with listening(Api(shop).app) as address:
        yield address


async def _comes_in(at: Keyboard, shop: Shop, login: str) -> None:
    await Desk(shop.pool).signed_in(login, "agent")
    await at.visit("app/sign-in")
    await at.fill(login=login, password=GOOD)
    await at.page.wait_for_url("**/app")


async def _cancels(at: Keyboard, order_id: str, units: str) -> None:
    """By the page, as anybody does."""
    await at.visit(f"app/orders/{order_id}/cancel")
    await at.fill(**{"units-1": units, "reason": "the customer wants it no more"})
    await at.press("button[value=do]")
    await at.says("cancelled")


async def test_who_fills_in_a_form_is_told_what_another_has_done_and_keeps_the_text(
    shop: Shop, site: str, browser: Browser
) -> None:
    order = an_order(("TEA", 3, "10.00"), channel_order_id="two-agents")
    await shop.placed(order)
    async with visitor(browser) as hers, visitor(browser) as his:
        anna, ben = Keyboard(hers, site), Keyboard(his, site)
        await _comes_in(anna, shop, "anna")
        await _comes_in(ben, shop, "ben")

        # It can still be done: what happened is told, the text stays, and nothing is done yet.
        await anna.visit(f"app/orders/{order.order_id}/cancel")
        await anna.write("#units-1", "2")
        await anna.write("#reason", "two are too many")
        await _cancels(ben, order.order_id, "1")
        await anna.press("button[value=preview]")
        await anna.says("the customer wants it no more (Ben (ben))", "main")
        await expect(hers.locator(".sums")).to_contain_text("2 × TEA")

        # It cannot be done any more: the text is shown, to be copied.
        await anna.visit(f"app/orders/{order.order_id}/edit")
        await anna.write("[name='line:1:quantity']", "5")
        await anna.write("#reason", "she wants five, and by Friday")
        await _cancels(ben, order.order_id, "2")
        await anna.press("button[value=preview]")
        await anna.says("What you had typed", "main")
        await anna.says("she wants five, and by Friday", "#typed-before")
        await anna.says("5", "#typed-before")
        await expect(hers.locator("main form")).to_have_count(0)
        assert await axe(hers) == []
    (line,) = (await shop.orders.get(order.order_id)).lines
    assert (line.ordered, line.cancelled) == (3, 3)


async def test_a_return_that_another_has_asked_for_loses_no_text(
    shop: Shop, site: str, browser: Browser
) -> None:
    terms = {"return_window": timedelta(days=30)}
    policy = Policy.model_validate({**shop.usual_policy.model_dump(), **terms})
    order = an_order(("TEA", 1, "10.00"), channel_order_id="two-returns")
    await shop.placed(order, policy)
    await shop.drive(f"{order.order_id}:1", "shipped")
    await shop.scan(f"{order.order_id}:1", "delivered")
    await shop.heard(order.order_id, "delivered", 1)
    await shop.idle(order.order_id)
    async with visitor(browser) as hers, visitor(browser) as his:
        anna, ben = Keyboard(hers, site), Keyboard(his, site)
        await _comes_in(anna, shop, "anna")
        await _comes_in(ben, shop, "ben")
        await anna.visit(f"app/orders/{order.order_id}/return")
        await anna.write("#units-1", "1")
        await anna.write("#reason", "the lid is broken, she sent a photo")
        await ben.visit(f"app/orders/{order.order_id}/return")
        await ben.fill(**{"units-1": "1", "reason": "too small"})
        await ben.press("button[value=do]")
        await ben.says("is approved")
        await anna.press("button[value=preview]")
        await anna.says("too small (Ben (ben))", "main")
        await anna.says("the lid is broken, she sent a photo", "#typed-before")
    assert len((await shop.orders.get(order.order_id)).returns) == 1
