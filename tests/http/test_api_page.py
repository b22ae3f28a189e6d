"""docs/api.md is tested: each request that it shows is sent, and answered as it shows."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx
import pytest

from starter.http import problems
from tests.support.api import Api, Caller
from tests.support.jobs import jobs_at_work
from tests.support.shop import Shop

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")


class Example(NamedTuple):
    """A curl command of the page, and the JSON that is shown below it."""

    command: str
    shown: str


def examples() -> Iterator[Example]:
    for block in re.findall(r"^```console\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
        for part in re.split(r"^\$ ", block.replace("\\\n", " "), flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            if command.startswith("curl"):
                yield Example(command, shown.strip())


async def sent(caller: Caller, command: str) -> httpx.Response:
    """What curl would send, with the caller's key."""
    words = iter(shlex.split(command)[1:])
    url, body, headers = "", "", dict[str, str]()
    for word in words:
        if word == "-H":
            name, _, value = next(words).partition(": ")
            if name != "$AUTH":
                headers[name] = value
        elif word in ("-d", "--data-binary"):
            given = next(words)
            body = (ROOT / given[1:]).read_text("utf-8") if given.startswith("@") else given
        elif word != "-s":
            url = word.removeprefix("$API")
    method = "POST" if body else "GET"
    return await caller.request(method, renamed(url), content=renamed(body), headers=headers)


def renamed(text: str) -> str:
    """The page's order under a number that no other test places: tests share a Temporal server."""
    return text.replace("1001", "api-page-1001")


def shows(shown: Any, answered: Any) -> bool:
    """Whether all that is shown is in the answer."""
    match shown:
        case dict():
            return all(
                name in answered and shows(value, answered[name]) for name, value in shown.items()
            )
        case list():
            pairs = zip(shown, answered, strict=True)
            return len(shown) == len(answered) and all(shows(one, other) for one, other in pairs)
        case _:
            return bool(shown == answered)


@pytest.fixture
async def caller(shop: Shop) -> AsyncIterator[Caller]:
    for sku in ("TEA-ASSAM-250", "POT-CAST-IRON-08"):
        await shop.stocked(sku, 10)
    scopes = ("orders:read", "orders:write", "aftersales:write", "catalogue:write")
    async with jobs_at_work(shop):
        yield await Api(shop).caller(*scopes)


async def test_each_request_of_the_page_is_answered_as_it_shows(caller: Caller) -> None:
    told = list(examples())
    assert len(told) >= 5
    for example in told:
        shown = json.loads(renamed(re.sub(r",\s*…", "", example.shown)))
        for _ in range(100):
            answer = await sent(caller, example.command)
            if shows(shown, answer.json()) or answer.request.method != "GET":
                break
            await asyncio.sleep(0.1)  # what was cancelled ends in a moment
        assert shows(shown, answer.json()), (example.command, answer.text)


RAISED: Final = re.compile(r"(?:ProblemError\(\s*\d+,|_refused\()\s*\"(\w+)\"")
"""Where a problem gets a code of the HTTP door's own."""


def test_the_page_tells_every_code_that_a_problem_can_have() -> None:
    sources = [
        file.read_text(encoding="utf-8")
        for file in (ROOT / "starter" / "http").rglob("*.py")
        if file.name != "webhooks.py"  # companies read none of it
    ]
    raised = {code for source in sources for code in RAISED.findall(source)}
    assert {"no_key", "order_changed"} <= raised
    table = PAGE.split("## Errors")[1].split("## Amounts")[0]
    told = set(re.findall(r"`([a-z_]+)`", table))
    assert raised | set(problems.KINDS) <= told, (raised | set(problems.KINDS)) - told
