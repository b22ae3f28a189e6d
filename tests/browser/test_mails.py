"""Mails in a browser, as a mailbox on a phone shows them."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser

from domain.messages.examples import the_usual
from domain.messages.facts import ToldShop
from domain.messages.rendering import render
from domain.sellers import LANGUAGES
from tests.support.browser import axe, visitor

SHOP = ToldShop(name="Tea Shop", colour="#0a5c36", support_email="help@tea.example")


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_mails_have_no_fault_and_fit_a_phone(browser: Browser, theme: str) -> None:
    async with visitor(browser, phone=True, theme="dark" if theme == "dark" else "light") as page:
        for language in LANGUAGES:
            made = render("shipped", the_usual(language, SHOP))
            await page.set_content(made.html)
            # A mail is no page: it has no landmarks, nor a way past them.
            faults = [x for x in await axe(page) if not x.startswith(("region", "landmark"))]
            assert faults == []
            assert await page.evaluate("document.documentElement.scrollWidth") <= 360


async def test_the_browser_has_korean_letters(browser: Browser) -> None:
    draw = """letter => {
        const canvas = document.createElement('canvas'), pen = canvas.getContext('2d');
        pen.font = '40px sans-serif'; pen.fillText(letter, 5, 50);
        return canvas.toDataURL();
    }"""
    async with visitor(browser) as page:
        first, second = [await page.evaluate(draw, letter) for letter in ("가", "나")]
    assert first != second, "boxes look alike"
