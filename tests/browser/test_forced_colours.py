"""Pages in colours that their reader has chosen (`forced-colors`): nothing on them disappears."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final, Literal, cast

import pytest
from playwright.async_api import Browser

from starter.service.service import Records, Service
from store.database import Pool
from tests.support.api import Api
from tests.support.bench import Bench
from tests.support.browser import listening, visitor
from tests.support.desk import GOOD, Desk
from tests.support.whole_shop import whole_shop

MAIN: Final = (
    *("app", "app/me", "app/day", "app/orders", "app/tasks", "app/stock", "app/purchases"),
    *("app/floor", "app/suppliers", "app/setup", "app/money", "app/purchases/PO-1"),
    *("app/stock/TEA?n=5&country=DE", "app/suppliers/assam?sku=TEA", "app/money/vouchers/new"),
)
LOST: Final = """() => {
  const colour = name => { const one = document.createElement("i");
    one.setAttribute("hidden", ""); document.body.append(one);
    const sheet = new CSSStyleSheet(); sheet.replaceSync(`i:last-child { color: ${name} }`);
    document.adoptedStyleSheets = [sheet]; const found = getComputedStyle(one).color;
    document.adoptedStyleSheets = []; one.remove(); return found; };
  const theirs = new Set(["Canvas", "CanvasText", "LinkText", "VisitedText", "GrayText",
    "Highlight", "HighlightText", "ButtonText", "ButtonFace", "FieldText"].map(colour));
  const ground = colour("Canvas");
  const is_theirs = paint => paint == "none" || paint.startsWith("url(") || theirs.has(paint);
  const name = one => one.outerHTML.slice(0, 90);
  const lost = [];
  for (const one of document.querySelectorAll(":is(rect, path, line, circle, polyline, text)")) {
    const { fill, stroke } = getComputedStyle(one);
    if (!is_theirs(fill) || !is_theirs(stroke)) lost.push(`not theirs: ${fill} ${name(one)}`);
  }
  for (const one of document.querySelectorAll("a, button, input, select, textarea, summary")) {
    if (!one.checkVisibility() || one.type == "hidden") continue;
    one.focus({ focusVisible: true, preventScroll: true });
    const style = getComputedStyle(one);
    const ring = style.outlineStyle != "none" && parseFloat(style.outlineWidth) >= 2;
    if (!ring || style.outlineColor == ground) lost.push(`no ring: ${name(one)}`);
    const bordered = parseFloat(style.borderTopWidth) >= 1 && style.borderTopStyle != "none";
    if (one.matches("button, .button") && !(bordered && style.borderTopColor != ground))
      lost.push(`no border: ${name(one)}`);
  }
  return lost; }"""
"""What has a colour of ours alone, a button without a border, and what shows no focus."""


@pytest.fixture
async def site(pool: Pool) -> AsyncIterator[str]:
    async with listening(Api(cast("Service", Records(pool))).app) as address:
        yield address


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_nothing_is_lost(
    pool: Pool, site: str, browser: Browser, theme: Literal["light", "dark"]
) -> None:
    desk = await Desk(pool).signed_in("anna")
    pages = await whole_shop(Bench(pool), desk)
    orders = [one for one in pages if one.startswith("app/orders/") and one.count("/") == 2]
    runs = [one for one in pages if one.startswith("app/floor/runs/")]
    acts = [one for one in pages if one.endswith(("/cancel", "/return", "/edit"))]
    assert (len(orders) > 2, len(runs) > 2, len(acts)) == (True, True, 3)
    wrong = []
    async with visitor(browser, theme=theme) as page:
        await page.emulate_media(forced_colors="active")
        await page.goto(f"{site}/app/sign-in")
        assert await page.evaluate("matchMedia('(forced-colors: active)').matches")
        await page.locator("#login").fill("anna")
        await page.locator("#password").fill(GOOD)
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"{site}/app")
        for path in (*MAIN, *orders, *runs, *acts):
            await page.goto(f"{site}/{path}")
            wrong += [f"{path}: {one}" for one in await page.evaluate(LOST)]
    assert wrong == []
