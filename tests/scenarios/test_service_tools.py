"""docs/service-tools.md is tested: each example is sent in all four ways, and answered as it shows.

A new kind of request gets its section in the page, and is found here by itself. Where an order has
to be in a standing that no section had before, that standing is played in `STANDINGS`.
"""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
import pytest_asyncio
from temporalio.client import Client

from domain.aftersales.return_rules import Limit, ReturnRule
from domain.orders.claim_messages import ClaimRequest
from domain.orders.hold_messages import HoldRequest
from domain.orders.messages import LineRequest, RefundRequest, digest_of
from domain.orders.request_kinds import BY_REQUEST, KINDS, RESOLVE
from domain.orders.return_messages import ReturnRequest
from domain.stock.items import Item
from store.database import open_pool
from tests.support.api import Api, Caller
from tests.support.builders import a_policy, an_order
from tests.support.command_line import Cli, commands_for
from tests.support.servers import Databases
from tests.support.shop import Shop

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = (ROOT / "docs" / "service-tools.md").read_text(encoding="utf-8")

PATIENT: Final = a_policy(return_window=600, give_up_after=60)


class Section(NamedTuple):
    """One kind of request, as the page shows it. `answer`: a part of what it is answered with."""

    update: str
    signal: str
    path: str
    standing: str
    command: str
    message: dict[str, Any]
    answer: dict[str, Any] | None


def sections() -> Mapping[str, Section]:
    found: dict[str, Section] = {}
    for text in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]:
        named = re.search(r"^\| update, signal \| `(\w+)`, `(\w+)` \|", text, re.MULTILINE)
        if named is None:
            continue
        path = re.search(r"^\| HTTP \| `POST (\S+)`", text, re.MULTILINE)
        standing = re.search(r"^\| the order is \| (.+?) \|", text, re.MULTILINE)
        command = re.search(r"^```console\n\$ orderloom (.+?)\n```", text, re.MULTILINE | re.DOTALL)
        assert path is not None, f"the section of {named[1]} lacks its path"
        assert standing is not None, f"the section of {named[1]} lacks how the order is"
        assert command is not None, f"the section of {named[1]} lacks its command"
        shown = re.findall(r"^```json\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        message, *answers = [json.loads(each) for each in shown]
        answer = answers[0] if answers else None
        words = command[1].replace("\\\n", " ")
        found[named[1]] = Section(named[1], named[2], path[1], standing[1], words, message, answer)
    return found


SECTIONS: Final = sections()


class Counter:
    """A shop, and the four ways in which its orders are asked for something."""

    def __init__(self, shop: Shop, caller: Caller, cli: Cli) -> None:
        self.shop = shop
        self.caller = caller
        self.cli = cli

    async def send(self, way: str, order_id: str, section: Section) -> Any:
        """What is answered; of a signal, what the order has written down as its answer."""
        renamed = json.loads(json.dumps(section.message).replace("web-1001", order_id))
        match way:
            case "command":
                words = shlex.split(section.command.replace("web-1001", order_id))
                return (await self.cli.done(*words)).json
            case "http":
                key = renamed.pop("request_id", None)
                path = section.path.replace("web-1001", order_id)
                answer = await self.caller.send_once(path, renamed, key=key, if_match="*")
                assert answer.status_code in (200, 204), answer.text
                return answer.json() if answer.content else None
            case "update":
                said = await self._temporal("update", "execute", order_id, section.update, renamed)
                return json.loads(said).get("result")
        await self._temporal("signal", "", order_id, section.signal, renamed)
        if section.answer is None:
            await self.shop.told(order_id, f"attention resolved: {renamed['step']}")
            return None

        async def kept() -> Any:
            return await self.shop.orders.answer_of(order_id, renamed["request_id"])

        answered = await self.shop.until(kept, f"{order_id} has answered {section.signal}")
        kind = next(kind for kind in KINDS if kind.update == section.update)
        assert answered.digest == digest_of(kind.request.model_validate(renamed))
        return answered.outcome

    async def _temporal(
        self, what: str, how: str, order_id: str, name: str, message: dict[str, Any]
    ) -> str:
        """The official program, as a person would type it."""
        program = shutil.which("temporal") or str(Path(sys.executable).with_name("temporal"))
        said = await asyncio.to_thread(
            subprocess.run,
            [
                *(program, "workflow", what, *([how] if how else [])),
                *("--workflow-id", f"order:{order_id}", "--name", name),
                *("--input", json.dumps(message), "--output", "json"),
                *("--address", self.shop.temporal.service_client.config.target_host),
            ],
            check=False,
            capture_output=True,
            text=True,
            encoding="utf-8",
        )
        assert said.returncode == 0, said.stderr
        return said.stdout


async def confirmed(shop: Shop, number: str, token: str = "tok_ok") -> str:
    order = an_order(("TEA", 2), channel_order_id=number, token=token)
    await shop.placed(order, PATIENT)
    return order.order_id


async def delivered(shop: Shop, number: str, token: str = "tok_ok") -> str:
    order_id = await confirmed(shop, number, token)
    await shop.drive(f"{order_id}:1", "delivered")
    await shop.heard(order_id, "delivered", 2)
    return order_id


async def on_its_way(shop: Shop, number: str) -> str:
    order_id = await confirmed(shop, number)
    await shop.drive(f"{order_id}:1", "shipped")
    return order_id


async def coming_back(shop: Shop, number: str) -> str:
    order_id = await on_its_way(shop, number)
    await shop.scan(f"{order_id}:1", "return_to_sender")
    await shop.task("receive-return", f"{order_id}:R1")
    return order_id


async def claimed(shop: Shop, number: str) -> str:
    order_id = await delivered(shop, number)
    line = LineRequest(line_id="1", quantity=1)
    wanted = ClaimRequest(kind="damaged", reason="the pot is broken", lines=(line,))
    assert (await shop.aftersales.claim(order_id, wanted)).outcome == "open"
    return order_id


async def asked_about(shop: Shop, number: str) -> str:
    await shop.stocked("GEM", 2)
    await shop.catalogue.set_items([Item(sku="GEM", category="gems")])
    limit = Limit(amount=Decimal("0.01"), currency="USD")
    await shop.returns.set_rules([ReturnRule(category="gems", review_above=limit)])
    order = an_order(("GEM", 2), channel_order_id=number)
    await shop.drive(await shop.placed(order, PATIENT), "delivered")
    await shop.heard(order.order_id, "delivered", 2)
    wanted = ReturnRequest(reason="too small")
    assert (await shop.aftersales.request_return(order.order_id, wanted)).outcome == "requested"
    return order.order_id


async def held_for_its_payment(shop: Shop, number: str) -> str:
    order = an_order(("TEA", 2), channel_order_id=number, token="tok_action_required")
    assert (await shop.orders.place(order, policy=PATIENT)).outcome == "held"
    return order.order_id


async def to_be_charged(shop: Shop, number: str) -> str:
    order = an_order(("TEA", 2), channel_order_id=number)
    await shop.placed(order, PATIENT.model_copy(update={"charge": "manual"}))
    return order.order_id


async def held_for_review(shop: Shop, number: str) -> str:
    order_id = await confirmed(shop, number)
    asked = HoldRequest(reason="fraud_review", note="two names", request_id="first")
    assert (await shop.holds.hold(order_id, asked)).hold_ids == ("H1",)
    return order_id


async def in_need_of_a_person(shop: Shop, number: str) -> str:
    order_id = await delivered(shop, number, token="tok_refund_refused")
    wanted = RefundRequest(amount=Decimal("2.50"), reason="it came late")
    assert (await shop.aftersales.refund(order_id, wanted)).outcome == "owed"
    return order_id


STANDINGS: Final[Mapping[str, Callable[[Shop, str], Awaitable[str]]]] = {
    "confirmed": confirmed,
    "on its way": on_its_way,
    "coming back": coming_back,
    "delivered": delivered,
    "delivered, and a unit of it is claimed": claimed,
    "delivered, and a person decides about its return": asked_about,
    "held for its payment": held_for_its_payment,
    "to be charged by hand": to_be_charged,
    "held for review": held_for_review,
    "in need of a person, because a refund is refused": in_need_of_a_person,
}
"""How an order comes to be as a section says; each gives its id, of the number that it takes."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def counter(
    databases: Databases,
    temporal_client: Client,
    temporal_address: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Counter]:
    """One shop for all sections."""
    async with databases.fresh() as url:
        pool = await open_pool(url)
        try:
            shop = Shop(pool, temporal_client, PATIENT)
            await shop.stocked("TEA", 1000)
            home = tmp_path_factory.mktemp("service-tools")
            cli = commands_for(shop, database_url=url, temporal_address=temporal_address, home=home)
            async with shop.working():
                yield Counter(shop, await Api(shop).caller(), cli)
        finally:
            pool.terminate()


def shows(shown: Any, answered: Any) -> bool:
    """Whether all that is shown is in the answer."""
    if isinstance(shown, dict) and isinstance(answered, dict):
        return all(
            name in answered and shows(value, answered[name]) for name, value in shown.items()
        )
    if isinstance(shown, list) and isinstance(answered, list):
        return len(shown) == len(answered) and all(
            shows(one, other) for one, other in zip(shown, answered, strict=True)
        )
    return bool(shown == answered)


@pytest.mark.parametrize("name", SECTIONS)
async def test_each_example_of_the_page_is_answered_as_it_shows_in_all_four_ways(
    counter: Counter, name: str
) -> None:
    section = SECTIONS[name]

    async def ask(way: str) -> None:
        order_id = await STANDINGS[section.standing](counter.shop, f"{name}-{way}")
        answer = await counter.send(way, order_id, section)
        wanted = json.loads(json.dumps(section.answer).replace("web-1001", order_id))
        assert wanted is None or shows(wanted, answer), (way, answer)

    await asyncio.gather(*(ask(way) for way in ("command", "http", "update", "signal")))


def test_every_request_has_its_section() -> None:
    wanted = {(kind.update, kind.signal) for kind in KINDS} | {(RESOLVE, RESOLVE)}
    assert {(each.update, each.signal) for each in SECTIONS.values()} == wanted


def test_each_example_is_a_whole_message() -> None:
    for kind in BY_REQUEST.values():
        kind.request.model_validate(SECTIONS[kind.update].message)


GIVEN: Final = re.compile(r"\breason=\"([a-z]+(?:_[a-z]+)+)\"")
"""A rule's stable code, where a refusal or a line of an answer gets it."""


def test_the_page_tells_every_code_of_a_refusal() -> None:
    sources = [
        file.read_text(encoding="utf-8")
        for layer in ("domain", "store", "activities", "workflows", "starter/service")
        for file in (ROOT / layer).rglob("*.py")
    ]
    given = {code for source in sources for code in GIVEN.findall(source)}
    assert {"window_over", "handed_over"} <= given
    table = PAGE.split("## A refusal")[1].split("\n## ")[0]
    assert given <= set(re.findall(r"`([a-z_]+)`", table)), "a code stands in no row of the page"
