"""What is done with an order, by keyboard alone: foretold, gone back from, and done."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from playwright.async_api import Browser, expect

from domain.orders.messages import CancelRequest
from domain.orders.policy import Policy
from tests.support.api import Api
from tests.support.browser import axe, listening, visitor
from tests.support.builders import an_order
from tests.support.keyboard import Keyboard
from tests.support.shop import Shop

WIDTHS = """() => [...document.querySelectorAll("[name^='address-']")].map(box => {
  box.closest("details").open = true; return box.offsetWidth; })"""
LASTING = {"return_window": timedelta(days=30)}


@pytest.fixture
async def site(shop: Shop) -> AsyncIterator[str]:
    await shop.stocked("TEA", 100)
    async with listening(Api(shop).app) as address:
        yield address


async def test_a_return_a_refund_an_edit_and_a_cancellation_by_keyboard_alone(
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
        at = Keyboard(page, site)
        await at.sign_in(shop.pool)
        await at.visit(f"app/orders/{sent.order_id}")
        await at.press("a[href$='/return']")
        await at.fill(**{"units-1": "2", "reason": "too small"})
        await at.says("2 × TEA", ".sums")
        assert await axe(page) == []
        await at.press("button[value=change]")
        await expect(page.locator("#reason")).to_have_value("too small")
        await at.write("#units-1", "1")
        await at.press("button[value=preview]")
        await at.says("1 × TEA", ".sums")
        await at.press("button[value=do]")
        await at.says("is approved")
        await at.press("a[href$='/refund']")
        await at.fill(**{"units-1": "1", "reason": "it was late"})
        await at.says("1 × TEA", ".sums")
        await at.press("button[value=do]")
        await at.says("It is paid back")

        await at.visit(f"app/orders/{kept.order_id}/edit")
        assert await axe(page) == []
        assert min(await page.evaluate(WIDTHS)) >= 160, "an address can be read"
        await at.write("[name='line:1:quantity']", "2")
        await at.fill(reason="the customer called")
        await at.says("→", ".sums")
        await at.press("button[value=do]")
        await at.says("is changed")
        await at.press("a[href$='/cancel']")
        await at.fill(**{"units-1": "1", "reason": "one is enough"})
        await at.says("1 × TEA", ".sums")
        await at.press("button[value=do]")
        await at.says("cancelled")

        # A page that stays open while somebody else cancels the rest.
        await at.visit(f"app/orders/{kept.order_id}/hold")
        await page.locator("#why").focus()
        await page.keyboard.press("ArrowDown")  # No reason is chosen at first.
        await at.write("#note", "wait for the customer")
        gone = {"reason": "it was called off", "by": "ben"}
        await shop.aftersales.cancel(kept.order_id, CancelRequest.model_validate(gone))
        await page.keyboard.press("Enter")
        await at.says("it was called off (ben)", "main")
    lines = (await shop.orders.get(kept.order_id)).lines
    assert [(line.ordered, line.cancelled) for line in lines] == [(2, 2)]
    assert list(await shop.holds.standing(kept.order_id)) == []
    (back,) = (await shop.orders.get(sent.order_id)).returns
    assert [counts["quantity"] for counts in back.lines.values()] == [1]
