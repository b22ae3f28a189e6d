"""What looks at pages sees faults: a page that is wrong in each way is found out."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.support.browser import axe, html_faults, visitor

WRONG = "<!DOCTYPE html><html><head><title>x</title></head><body><img src='data:,'></body></html>"


async def test_axe_and_vnu_see_a_picture_without_words(browser: Browser, tmp_path: Path) -> None:
    async with visitor(browser) as page:
        await page.set_content(WRONG)
        found = await axe(page)
    assert any(one.startswith("image-alt: ") for one in found), found
    told = html_faults({"wrong.html": WRONG, "wrong.css": "p { colr: red }"}, tmp_path)
    assert "“img” element must have an “alt” attribute" in told
    assert "Property “colr” doesn't exist" in told


async def test_a_script_that_fails_and_a_dialog_fail_the_test(browser: Browser) -> None:
    for script, told in (("throw Error('oops')", "oops"), ("alert('hello')", "hello")):
        with pytest.raises(AssertionError, match=told):
            await _run(browser, script)


async def _run(browser: Browser, script: str) -> None:
    async with visitor(browser) as page:
        await page.set_content(f"<script>setTimeout(() => {{ {script} }})</script>")
        await page.wait_for_timeout(200)
