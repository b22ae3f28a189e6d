"""Every page for staff, in each language: as the server writes it, and as a browser shows it."""

from __future__ import annotations

import importlib
import re
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Final, Literal, NamedTuple, cast

import pytest
from playwright.async_api import Browser, Page, ViewportSize

from domain.sellers import LANGUAGES
from starter.service.service import Records, Service
from starter.web.screens.rooms import ROOMS
from starter.web.screens.templates import ASSETS
from store.database import Pool
from tests.support.api import Api
from tests.support.bench import Bench
from tests.support.browser import DESK, PHONE, axe, html_faults, listening, visitor
from tests.support.desk import GOOD, Desk
from tests.support.whole_shop import whole_shop

PLANTED: Final = '"><img src=x onerror=alert(1)>{{7*7}}'
NO_PAGES: Final = (
    *(".pdf", ".json", "/pdf", "/json", "/csv", "/850", "/file", "/label", "/slip", "/export"),
    *(
        "/version",
        "/live",
        "/suggestions",
        "/sheet",
        "/mail",
        "/temporal",
        "export.{form}",
        "manifests/{number}",
        "/places",
        "/labels",
    ),
    *("files/{name}", "/openid", "/openid/back", "/sign-in", "/signed-in"),
)
"""How addresses end of files and streams, and of pages for those who are not signed in."""
UNKNOWN: Final = "Property “paint-order” doesn't exist."
"""What vnu says of a property that SVG has, and its list of CSS has not."""
ZOOMED: Final = ViewportSize(width=640, height=450)
"""A desk's screen at 200 %: half as wide."""
NARROW: Final = ViewportSize(width=320, height=640)
MAY_MOVE: Final = {
    "app/setup/roles": "roles are compared, scope by scope",
}
"""Pages on which a region may move sideways on a phone, and why no cards are made of it."""
MOVES: Final = """() => [...document.querySelectorAll("main *")].filter(one =>
  one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 0 && !one.matches("input, select")
  && /auto|scroll|hidden|clip/.test(getComputedStyle(one).overflowX)
  && getComputedStyle(one).position != "absolute"
).map(one => [one.outerHTML.slice(0, 100),
  one.tabIndex == 0 && one.matches("section") && Boolean(one.getAttribute("aria-label"))])"""
"""What moves sideways by itself, and whether the keyboard reaches it and it has a name."""

COVERED: Final = """() => {
  for (const one of document.querySelectorAll("main details")) one.open = true;
  const covered = [];
  for (const one of document.querySelectorAll("main :is(input, select, textarea)")) {
    if (!one.labels?.length || !one.checkVisibility()) continue;
    one.focus({ focusVisible: true, preventScroll: true });
    const { outlineOffset, outlineWidth } = getComputedStyle(one);
    const ring = parseFloat(outlineOffset) + parseFloat(outlineWidth);
    const box = one.getBoundingClientRect();
    for (const label of one.labels) {
      if (label.clientWidth <= 1 && getComputedStyle(label).position == "absolute") continue;
      const text = document.createRange();
      text.selectNodeContents(label);
      const letters = parseFloat(getComputedStyle(label).fontSize);
      for (const line of text.getClientRects()) {
        const air = Math.max(0, (line.height - letters) / 2);
        const wide = Math.min(line.right, box.right + ring) - Math.max(line.left, box.left - ring);
        const high = Math.min(line.bottom - air, box.bottom + ring)
          - Math.max(line.top + air, box.top - ring);
        if (wide > 0.5 && high > 0.5) covered.push(label.textContent.trim());
      }
    }
  }
  return covered; }"""
"""Labels whose letters are below the ring of their field while it has the focus."""


class Look(NamedTuple):
    """How a page is looked at in a language, and what is looked at once more."""

    theme: Literal["light", "dark"]
    size: ViewportSize
    again: Literal["light", "dark"]
    sizes: tuple[ViewportSize, ...]


LOOKS: Final = {
    "en": Look("light", DESK, "dark", (ZOOMED, PHONE)),
    "ko": Look("dark", PHONE, "light", (DESK,)),
    "de": Look("dark", ZOOMED, "light", (DESK, PHONE, NARROW)),
}


@pytest.fixture
async def site(pool: Pool) -> AsyncIterator[str]:
    async with listening(Api(cast("Service", Records(pool))).app) as address:
        yield address


@pytest.mark.parametrize("language", LOOKS)
async def test_nothing_is_wrong_with_any_page(
    pool: Pool, site: str, browser: Browser, tmp_path: Path, language: str
) -> None:
    desk = await Desk(pool).signed_in("anna", language=language)
    pages = await whole_shop(Bench(pool), desk, PLANTED)
    assert list(_never_seen(pages)) == []
    wrong = []
    texts = {one.name: one.content.decode() for one in ASSETS.all if one.name.endswith(".css")}
    async with visitor(browser) as page:
        await page.goto(f"{site}/app/sign-in")
        await page.locator("#login").fill("anna")
        await page.locator("#password").fill(GOOD)
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"{site}/app")
        for number, path in enumerate(pages):
            answer = await desk.get(f"/{path}")
            assert f'<html lang="{language}"' in answer.text, path
            texts[f"{number}.html"] = answer.text
            faults = await _faults(page, site, path, language)
            wrong += [f"{number}.html, {path}: {one}" for one in faults]
    told = html_faults(texts, tmp_path).splitlines()
    wrong += [one for one in told if ": error: " in one and not one.endswith(UNKNOWN)]
    assert wrong == []


def test_each_language_is_looked_at() -> None:
    assert tuple(LOOKS) == LANGUAGES


def _never_seen(pages: Iterable[str]) -> Iterable[str]:
    """Pages that have an address, and are looked at by nobody."""
    seen = {f"/{path.partition('?')[0]}" for path in pages}
    for room in ROOMS:
        for router in importlib.import_module(f"starter.web.{room.name}").ROUTERS:
            for route in router.routes:
                path: str = re.sub(r":path(?=})", "", route.path)
                is_page = "GET" in route.methods and not path.endswith(NO_PAGES)
                if is_page and not any(route.path_regex.match(one) for one in seen):
                    yield path


async def _faults(page: Page, site: str, path: str, language: str) -> list[str]:
    """What is wrong with a page, once it has been looked at as this language is."""
    look = LOOKS[language]
    await page.emulate_media(color_scheme=look.theme)
    await page.set_viewport_size(look.size)
    await page.goto(f"{site}/{path}")
    found = await axe(page)
    await page.emulate_media(color_scheme=look.again)
    found += await axe(page, rules=["color-contrast"])
    for size in (look.size, *look.sizes):
        await page.set_viewport_size(size)
        wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        found += [f"scrolls sideways by {wide} at {size['width']}"] * (wide > 0)
        if size == PHONE:
            may = path.partition("?")[0] in MAY_MOVE
            moving = await page.evaluate(MOVES)
            found += [f"moves on a phone: {one}" for one, named in moving if not (may and named)]
    found += [f"the focus covers: {one}" for one in await page.evaluate(COVERED)]
    planted = await page.locator("[onerror], script:not([src]), main img[src='x']").count()
    return [*found, *["what somebody typed is an element"] * planted]
