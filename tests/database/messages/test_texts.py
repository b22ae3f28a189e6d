"""Texts to phones, by the example's extension: once, whoever dies, and only to who wishes them."""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest
from orderloom_texts import EXTENSION, HttpTextsSettings
from orderloom_texts.sender import HttpTexts
from orderloom_texts.stand_in import REFUSED, Company, Misbehaviour, stand_in
from pydantic import SecretStr

from activities.companies import Companies
from activities.extension import Tools
from activities.messages.texts import Texts
from domain.customers.care import ConsentWord
from domain.errors import InvalidInput
from domain.messages.texts import TEXTED
from domain.orders.order import Order
from starter.service.service import Records
from store.database import Pool
from tests.support.mail_server import mail_server
from tests.support.told_customers import Desk

ROOT = Path(__file__).parents[3]
PHONE = {"phone": "+49 (0)170 123-45 67"}
SHIPPED = "received", "shipped"


class Phones(Desk):
    """Customers who wish texts, and a company that sends them."""

    company: Company
    texts: Texts

    async def shipped(self, *, given: bool = True, **customer: Any) -> Order:
        """A customer is to be told of a parcel."""
        order = await self.begin(**{**PHONE, **customer})
        await self.wish(given=given)
        await self.tell(order, "shipped")
        await self.plan()
        return order

    async def wish(self, *, given: bool) -> None:
        word = ConsentWord(kind="texts", given=given, how="ticked in the shop")
        await Records(self.pool).customer_care.say("C1", word, who="desk")

    async def send(self) -> int:
        await self.plan()
        return await self.post(texts=self.texts).send_due()

    async def ways(self) -> list[tuple[str, str | None]]:
        """State, and by what: of the parcel's message."""
        rows = await self.messages.list()
        return [(row.state, row.by) for row in rows if row.kind == "shipped"]


@pytest.fixture
async def phones(pool: Pool) -> AsyncIterator[Phones]:
    async with mail_server() as server, stand_in() as company:
        desk = Phones(pool, server)
        sender = HttpTexts(company.url, "secret", "TeaShop", timeout_seconds=2)
        desk.company, desk.texts = company, Texts("texts_http", sender, TEXTED)
        yield desk
        await sender.close()


async def test_who_wishes_texts_gets_one_in_the_place_of_a_mail(phones: Phones) -> None:
    order = await phones.shipped()
    await phones.send()
    assert await phones.ways() == [("sent", "texts_http")]
    assert len(phones.server.mails) == 1, "that it was received is told by mail"
    (text,) = phones.company.sent
    number = order.channel_order_id
    assert (text["from"], text["to"]) == ("TeaShop", "+491701234567")
    assert text["text"].startswith(
        f"main: Your order {number} is on its way. Your parcel has left."
    )
    assert " https://track.example/o/" in text["text"]
    (row, _) = await phones.messages.list()
    assert (row.answer, row.mail_id, row.tries) == ("sent as T1", None, 1)
    assert "4567" not in str([dict(x) for x in await phones.pool.fetch("select * from message")])


@pytest.mark.parametrize(
    "customer",
    [{"given": False}, {"phone": None}, {"phone": "0170 1234567"}, {"phone": "ask my mother"}],
)
async def test_all_others_get_the_mail(phones: Phones, customer: dict[str, Any]) -> None:
    await phones.shipped(**customer)
    await phones.send()
    assert await phones.ways() == [("sent", "mail")]
    assert (phones.company.sent, len(phones.server.mails)) == ([], 2)


async def test_without_an_extension_all_are_mails(phones: Phones) -> None:
    await phones.shipped()
    await phones.post().send_due()
    assert await phones.ways() == [("sent", "mail")]


@pytest.mark.parametrize("how", ["429", "500", "401", "lost", "half"])
async def test_a_text_of_which_nothing_is_known_is_sent_again_under_its_key(
    phones: Phones, how: Misbehaviour
) -> None:
    await phones.shipped()
    phones.company.next = [how]
    await phones.send()
    assert await phones.ways() == [("planned", "texts_http")]
    (row, _) = await phones.messages.list()
    assert (row.why or "").startswith("texts: ")
    assert "4567" not in (row.why or "")
    assert await phones.send() == 0
    await phones.due()
    await phones.send()
    assert await phones.ways() == [("sent", "texts_http")]
    assert len(phones.company.sent) == 1
    assert len(set(phones.company.calls)) == 1
    assert len(phones.server.mails) == 1


async def test_a_relay_that_dies_is_followed_by_one_that_sends_no_second_text(
    phones: Phones, monkeypatch: pytest.MonkeyPatch
) -> None:
    await phones.shipped()
    reached = asyncio.Event()
    ended = phones.texts.sender.send

    async def stop(**asked: str) -> str:
        await ended(**asked)
        reached.set()
        await asyncio.Event().wait()
        return ""

    with monkeypatch.context() as patched:
        patched.setattr(phones.texts.sender, "send", stop)
        dying = asyncio.create_task(phones.send())
        await asyncio.wait_for(reached.wait(), 10)
        dying.cancel()
        with suppress(asyncio.CancelledError):
            await dying
    assert await phones.ways() == [("sending", "texts_http")]
    await phones.due()
    # What it says may have changed meanwhile: the words of then were sent.
    await phones.pool.execute('update seller set looks = \'{"display_name": "Tea"}\'')
    await phones.send()
    assert await phones.ways() == [("sent", "texts_http")]
    assert (len(phones.company.sent), len(phones.company.calls)) == (1, 2)


async def test_a_number_that_takes_no_texts_gets_the_mail(phones: Phones) -> None:
    await phones.shipped(phone=REFUSED)
    await phones.send()
    assert await phones.ways() == [("sent", "mail")]
    assert (phones.company.sent, len(phones.server.mails)) == ([], 2)


async def test_without_a_mail_address_that_is_seen(phones: Phones) -> None:
    await phones.shipped(phone=REFUSED, email=None)
    await phones.send()
    assert await phones.ways() == [("refused", "texts_http")]
    (row, _) = await phones.messages.list()
    assert row.why == "(number) takes no texts"
    (task,) = await Records(phones.pool).needs_attention.tasks()
    assert (task.kind, task.name) == ("message", row.message)


async def test_what_may_have_arrived_goes_no_other_way(phones: Phones) -> None:
    await phones.shipped()
    phones.company.next = ["lost"]
    await phones.send()
    await phones.due()
    await phones.post().send_due()  # a worker without the extension
    assert await phones.ways() == [("planned", "texts_http")]
    await phones.due()
    await phones.wish(given=False)
    await phones.send()
    assert await phones.ways() == [("dropped", "texts_http")]
    assert (len(phones.company.sent), len(phones.server.mails)) == (1, 1)


async def test_sent_again_it_is_another_text(phones: Phones) -> None:
    await phones.shipped()
    await phones.send()
    (row, _) = await phones.messages.list()
    await phones.messages.send_again(row.message)
    await phones.send()
    assert len(phones.company.sent) == 2


def test_the_example_is_found_by_its_name_and_chosen_by_a_setting() -> None:
    project = tomllib.loads((ROOT / "examples/texts_http/pyproject.toml").read_text("utf-8"))
    points = project["project"]["entry-points"]["orderloom.extensions"]
    assert points == {EXTENSION.name: "orderloom_texts:EXTENSION"}
    companies = Companies()
    settings = HttpTextsSettings(url="https://x.example", token=SecretStr("x"), sender="Tea")
    companies.add(EXTENSION, settings, {}, Tools(pool=cast("Any", None)))
    assert companies.texts_chosen(None, TEXTED) is None
    chosen = companies.texts_chosen("texts_http", ["ready"])
    assert chosen is not None
    assert (chosen.by, chosen.kinds) == ("texts_http", ["ready"])
    with pytest.raises(InvalidInput, match="there is texts_http"):
        companies.texts_chosen("acme", TEXTED)
