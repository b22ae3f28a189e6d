"""Each form of an order's page and of set-up, sent wrongly: its answer is as good as any page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, cast

import pytest
from playwright.async_api import Browser, Page

from starter.service.service import Records, Service
from store.database import Pool
from tests.support.api import Api
from tests.support.bench import Bench
from tests.support.browser import axe, html_faults, listening, visitor
from tests.support.desk import GOOD, Desk
from tests.support.whole_shop import whole_shop

ROOMS: Final = ("app/orders/", "app/setup/", "app/staff", "app/me")
FORMS: Final = """main form[method=post]:has(
  :is(textarea, input:not([type=hidden], [type=checkbox], [type=radio])))"""
SEND: Final = """([forms, number]) => {
  const form = document.querySelectorAll(forms)[number];
  form.noValidate = true;
  for (const one of form.elements) {
    if (one.matches("textarea, input[type=text], input[type=url], input[type=search]"))
      one.value = '"><b>?';
    else if (one.matches("input[type=number]")) one.value = "-7";
    else if (one.matches("input:not([type=hidden], [type=checkbox], [type=radio])")) one.value = "";
  }
  form.requestSubmit(form.querySelector("button:not([type=button])")); }"""
"""Sends a form with what no field can take, as a browser does that checks nothing."""


@pytest.fixture
async def site(pool: Pool) -> AsyncIterator[str]:
    async with listening(Api(cast("Service", Records(pool))).app) as address:
        yield address


async def test_nothing_is_wrong_with_an_answer(
    pool: Pool, site: str, browser: Browser, tmp_path: Path
) -> None:
    desk = await Desk(pool).signed_in("anna")
    pages = await whole_shop(Bench(pool), desk)
    texts: dict[str, str] = {}
    wrong: list[str] = []
    refused = 0
    async with visitor(browser) as page:
        await page.goto(f"{site}/app/sign-in")
        await page.locator("#login").fill("anna")
        await page.locator("#password").fill(GOOD)
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"{site}/app")
        for path in (one for one in pages if one.startswith(ROOMS)):
            await page.goto(f"{site}/{path}")
            for number in range(await page.locator(FORMS).count()):
                status, text = await _sent(page, f"{site}/{path}", number)
                name = f"{len(texts)}.html"
                texts[name] = text
                refused += status in (403, 409, 422)
                wrong += [f"{name}, {path} {number}: {one}" for one in await axe(page)]
                if status >= 500 and status != 503:
                    wrong.append(f"{path} {number} is answered by {status}")
    told = html_faults(texts, tmp_path).splitlines()
    wrong += [one for one in told if ": error: " in one]
    assert wrong == []
    assert refused > 30


async def _sent(page: Page, address: str, number: int) -> tuple[int, str]:
    """Open a page anew, send one of its forms wrongly, and answer what came."""
    await page.goto(address)
    async with page.expect_navigation() as coming:
        await page.evaluate(SEND, [FORMS, number])
    answer = await coming.value
    assert answer is not None
    return answer.status, await answer.text()
