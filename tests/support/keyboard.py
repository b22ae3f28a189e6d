"""Somebody at a page who has a keyboard and no mouse, or a scanner and nothing else."""

from __future__ import annotations

from typing import Final

from playwright.async_api import Error, Page, expect

from store.database import Pool
from tests.support.desk import GOOD, Desk

TABS_MAX: Final = 160
_IS_THERE: Final = "what => document.activeElement.matches(what)"


class Keyboard:
    """Everything is reached by Tab, in the sequence in which the page has it."""

    def __init__(self, page: Page, site: str) -> None:
        self.page = page
        self.site = site

    async def visit(self, path: str) -> None:
        """Go to an address of ours, without its first slash."""
        await self.page.goto(f"{self.site}/{path}")

    async def to(self, what: str) -> None:
        """Press Tab until the element is reached that matches. Fails where Tab leads nowhere."""
        for _ in range(TABS_MAX):
            if await self._is_at(what):
                return
            await self.page.keyboard.press("Tab")
        raise AssertionError(f"the keyboard does not reach {what} at {self.page.url}")

    async def _is_at(self, what: str) -> bool:
        try:
            return bool(await self.page.evaluate(_IS_THERE, what))
        except Error:  # The page that was left for another one has gone just now.
            await self.page.wait_for_load_state()
            return False

    async def press(self, what: str, key: str = "Enter") -> None:
        """Reach a link, a button or a box, and press it."""
        await self.to(what)
        await self.page.keyboard.press(key)

    async def go(self, place: str) -> None:
        """Go to a place by the navigation, which a phone has behind a button."""
        if await self.page.locator(".places-button").is_visible():
            await self.press(".places-button")
        await self.press(f"#places a[href$='{place}']")

    async def write(self, what: str, text: str) -> None:
        """Put a text in place of what stands in a field."""
        await self.to(what)
        await self.page.keyboard.press("Control+A")
        await self.page.keyboard.type(text)

    async def fill(self, **texts: str) -> None:
        """Put texts into fields, by their ids, and send the form from the last one."""
        for name, text in texts.items():
            await self.write(f"#{name}", text)
        await self.page.keyboard.press("Enter")

    async def says(self, text: str, where: str = ".told[role=status]") -> None:
        """The page says so."""
        await expect(self.page.locator(where).first).to_contain_text(text)

    async def scan(self, *codes: str) -> None:
        """What a scanner does: it types, wherever the focus is, and ends with Enter."""
        for code in codes:
            await self.page.keyboard.type(code)
            await self.page.keyboard.press("Enter")

    async def sign_in(self, pool: Pool, *roles: str, **told: str) -> None:
        """Let somebody new in, who signs in here and takes a password of their own."""
        first = await Desk(pool).let_in("anna", *roles, **told)
        await self.visit("app/sign-in")
        await self.fill(login="anna", password=first)
        await expect(self.page.locator("#old")).to_be_visible()
        await self.fill(old=first, new=GOOD, again=GOOD)
        await expect(self.page.locator(".told[role=status]")).to_be_visible()
