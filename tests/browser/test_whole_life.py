"""A customer's whole life on the page: split, loss, replacement, delivery, return and refund.

At each stage a browser reads it in each language, and axe looks at it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta

import pytest
from playwright.async_api import Browser

from domain.aftersales.return_rules import ReturnRule
from domain.sellers import LANGUAGES
from domain.stock.items import Item
from tests.support.api import Api
from tests.support.browser import axe, listening, visitor
from tests.support.builders import a_policy, an_order
from tests.support.shop import Shop

LASTING = a_policy(return_window=timedelta(days=30), replace_missing=True)
STAGES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "split": {
        "en": ("On its way", "Waiting for stock", "Not in stock at the moment"),
        "de": ("Unterwegs", "Wartet auf Nachschub", "Zurzeit nicht auf Lager"),
        "ko": ("배송 중입니다", "입고 대기", "지금은 재고가 없습니다"),
    },
    "loss": {
        "en": ("Parcel 1 of 2", "We are sending it again: see below", "A parcel was lost"),
        "de": ("Paket 1 von 2", "Wir schicken es noch einmal", "Ein Paket ging verloren"),
        "ko": ("택배 1/2", "다시 보내 드리며", "택배가 분실되었습니다"),
    },
    "delivery": {
        "en": ("Parcel 2 of 2", "Delivered", "Send something back"),
        "de": ("Paket 2 von 2", "Zugestellt", "Etwas zurückschicken"),
        "ko": ("택배 2/2", "배송되었습니다", "반품하기"),
    },
    "return": {
        "en": ("Please send it back", "Your return is expected"),
        "de": ("Bitte senden Sie es zurück", "Wir erwarten Ihre Rücksendung"),
        "ko": ("보내 주세요", "반품을 기다리고 있습니다"),
    },
    "refund": {
        "en": ("Paid back", "We paid you back", "Credit note", "1 sent back"),
        "de": (
            "Erstattet",
            "Wir haben Ihnen Geld erstattet",
            "Rechnungskorrektur",
            "1 zurückgeschickt",
        ),
        "ko": ("환불되었습니다", "환불해 드렸습니다", "환불 명세서", "1개 반품"),
    },
}


@pytest.fixture
async def site(shop: Shop) -> AsyncIterator[str]:
    async with listening(Api(shop).app) as address:
        yield address


async def test_a_whole_life_reads_well_in_each_language(
    shop: Shop, site: str, browser: Browser
) -> None:
    await shop.stocked("TEA", 100)
    await shop.catalogue.set_items([Item(sku="BOWL", name="Matcha bowl", backorder=True)])
    await shop.returns.set_rules([ReturnRule(label="free", window_days=30)])
    order = an_order(("TEA", 2, "10.00"), ("BOWL", 1, "25.00"))
    order_id = order.order_id
    await shop.placed(order, LASTING)
    link = await shop.tracking.link(order_id, site)
    assert link is not None

    async def look(stage: str) -> None:
        for language in LANGUAGES:
            await shop.pool.execute(
                "update order_person set person = jsonb_set(person, '{customer,locale}', $1)",
                language,
            )
            async with visitor(browser, phone=True, locale=language) as page:
                await page.goto(link)
                text = await page.locator("body").inner_text()
                missing = [one for one in STAGES[stage][language] if one not in text]
                assert missing == [], (stage, language, text)
                assert await axe(page) == []

    await shop.drive(f"{order_id}:1", "shipped")
    await look("split")
    await shop.scan(f"{order_id}:1", "failure")
    await shop.told(order_id, "lost")
    await shop.drive(f"{order_id}:2", "shipped")
    await look("loss")
    await shop.scan(f"{order_id}:2", "delivered")
    await shop.heard(order_id, "delivered", 2)
    await look("delivery")
    async with visitor(browser, phone=True, locale="ko") as page:
        await page.goto(f"{link}/return")
        await page.locator("#units-1").fill("1")
        await page.locator("[value=damaged]").check()
        await page.locator("button").click()
        await page.locator("[name=sure] + button").click()
        await page.locator("p.told").wait_for()
    await look("return")
    await shop.warehouse.receive_return(f"{order_id}:R1", who="dock")
    await shop.told(order_id, "refunded")
    await look("refund")
