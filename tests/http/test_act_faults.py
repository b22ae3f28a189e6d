"""What is wrong with the form of an act is said beside its box, by the box's own name."""

from __future__ import annotations

import html
import re
from typing import Any, Literal

import httpx
import pytest

from domain.orders.order import Order
from store.database import Pool
from tests.http.test_desk import hidden
from tests.support.api import Api
from tests.support.bench import Bench
from tests.support.builders import an_order, shipping
from tests.support.desk import Desk, text_of
from tests.support.shop import Shop

Stage = Literal["confirmed", "delivered"]
WANTS = {"want1-sku": "POT", "want1-quantity": "1", "want1-unit_price": "30000"}


@pytest.fixture
async def confirmed(pool: Pool) -> Order:
    bench = Bench(pool)
    await bench.stocked("TEA", 9)
    order = won("confirmed")
    await bench.at(order, "confirmed")
    return order


@pytest.fixture
async def delivered(pool: Pool) -> Order:
    bench = Bench(pool)
    await bench.stocked("TEA", 9)
    order = won("delivered")
    await bench.charged(await bench.at(order, "delivered"))
    return order


def won(number: str) -> Order:
    """An order in a currency without minor units."""
    fields: dict[str, Any] = {"currency": "KRW", "shipping": shipping("3000")}
    return an_order(("TEA", 3, "10000"), channel_order_id=number, **fields)


async def foretold(
    pool: Pool, order: Order, act: str, language: str, **sent: str
) -> httpx.Response:
    desk = await Desk(pool).signed_in("anna", language=language)
    path = f"app/orders/{order.order_id}/{act}"
    page = (await desk.get(f"/{path}")).text
    (version,) = re.findall(r'name="version" value="([^"]*)"', page)
    return await desk.send_form(path, version=version, request_id="r1", go="preview", **sent)


def beside(answer: httpx.Response, box: str) -> str:
    """What is said beside a box, which says where that is."""
    (tag,) = re.findall(rf'<input[^>]*name="{re.escape(box)}"[^>]*>', answer.text)
    assert 'aria-invalid="true"' in tag
    (ids,) = re.findall(r'aria-describedby="([^"]*)"', tag)
    (fault,) = (one for one in ids.split() if one.endswith("-fault"))
    (told,) = re.findall(rf'id="{re.escape(fault)}">(.*?)</p>', answer.text)
    return html.unescape(re.sub(r"<span.*?</span>", "", told)).strip()


@pytest.mark.parametrize(
    ("act", "sent", "box", "label", "told"),
    [
        ("return", {"units:1": "1"}, "reason", "In Worten", "Diese Angabe fehlt."),
        ("goodwill", {"amount": "1,5,0", "reason": "s"}, "amount", "Betrag", "12,50"),
        ("goodwill", {"amount": "-3", "reason": "s"}, "amount", "Betrag", "nicht unter 0"),
        (
            *("exchange", {"units:1": "1", "reason": "s", **WANTS, "want1-quantity": "-1"}),
            *("want1-quantity", "Anzahl", "mindestens 1"),
        ),
        (
            *("exchange", {"units:1": "1", "reason": "s", **WANTS, "want3-quantity": "2"}),
            *("want3-sku", "SKU", "Diese Angabe fehlt."),
        ),
        (
            *("exchange", {"units:1": "1", "reason": "s", **WANTS, "want1-tax_rate": "x"}),
            *("want1-tax_rate", "Steuer in %", "Prozent"),
        ),
        (
            *("exchange", {"units:1": "1", "reason": "s", **WANTS, "provider": "p", "token": "1"}),
            *("token", "Token", "3 bis 128"),
        ),
    ],
)
async def test_a_fault_stands_beside_its_box_and_above_with_its_label(
    pool: Pool, delivered: Order, act: str, sent: dict[str, str], box: str, label: str, told: str
) -> None:
    answer = await foretold(pool, delivered, act, "de", **sent)
    assert answer.status_code == 422
    assert told in beside(answer, box)
    above = re.findall(r'class="told trouble"[^>]*>(.*?)</p>', answer.text, re.DOTALL)
    assert any(label in one and html.escape(told, quote=False) in one for one in above), above


@pytest.mark.parametrize("language", ["ko", "de"])
async def test_an_amount_finer_than_its_currency_is_refused_in_the_readers_language(
    pool: Pool, delivered: Order, language: str
) -> None:
    said = {"ko": "이 통화에는 그렇게 작은 단위가 없습니다.", "de": "So kleine Einheiten hat die"}
    answer = await foretold(pool, delivered, "goodwill", language, amount="1500.5", reason="s")
    assert answer.status_code == 422
    assert said[language] in text_of(answer)
    assert "decimals" not in text_of(answer)


@pytest.mark.parametrize("typed", ["\uff13", "\u0663", "1000000000", "x", "-1", "1.5"])
async def test_what_is_no_number_never_empties_a_line(
    pool: Pool, confirmed: Order, typed: str
) -> None:
    sent = {"line:1:quantity": typed, "reason": "called"}
    answer = await foretold(pool, confirmed, "edit", "en", **sent)
    assert answer.status_code == 422
    assert "A number is wrong" in text_of(answer)


async def test_a_fault_of_a_line_stands_beside_it(pool: Pool, confirmed: Order) -> None:
    answer = await foretold(
        pool, confirmed, "edit", "en", **{"line:1:unit_price": "10,5", "reason": "called"}
    )
    assert answer.status_code == 422
    assert "12.50" in beside(answer, "line:1:unit_price")


async def test_what_an_order_refuses_to_cancel_is_told_by_unit_in_the_readers_language(
    shop: Shop,
) -> None:
    """It left between the look at the order and the request."""
    await shop.stocked("TEA", 9)
    order = an_order(("TEA", 2), channel_order_id="left-meanwhile")
    await shop.placed(order)
    order_id = order.order_id
    desk = await Desk(shop.pool, Api(shop).app).signed_in("anna", language="de")
    page = hidden((await desk.get(f"/app/orders/{order_id}/cancel")).text, "cancel")
    await shop.drive(f"{order_id}:1", "shipped")
    await shop.told(order_id, "charged")
    await shop.idle(order_id)
    now = hidden((await desk.get(f"/app/orders/{order_id}/refund")).text, "refund")
    sent = {**page, "version": now["version"], "units:1": "2", "reason": "zu viel", "go": "do"}
    answer = await desk.send_form(f"app/orders/{order_id}/cancel", **sent)
    assert answer.status_code == 409
    told = text_of(answer)
    assert "2 × TEA (Position 1): Der Paketdienst hat diese Stücke." in told
    assert "already handed over" not in told
    assert "zu viel" in told


async def test_a_request_that_was_refused_without_an_answer_says_why_in_the_story(
    shop: Shop,
) -> None:
    """A program asked by a signal, which nobody answers: its rule is told, and not its English."""
    await shop.stocked("TEA", 9)
    order = an_order(("TEA", 2), channel_order_id="refused")
    await shop.placed(order)
    order_id = order.order_id
    refund = {"reason": "torn", "lines": [{"line_id": "1", "quantity": 1}]}
    await shop.workflow(order_id).signal("refund", refund)
    await shop.told(order_id, "refund refused")
    await shop.drive(f"{order_id}:1", "shipped")
    await shop.workflow(order_id).signal("cancel", {"reason": "again"})
    await shop.told(order_id, "cancel refused")
    german = await Desk(shop.pool, Api(shop).app).signed_in("anna", language="de")
    told = text_of(await german.get(f"/app/orders/{order_id}/story"))
    assert "Der Paketdienst hat diese Stücke." in told
    assert "So viele Stücke hat der Kunde nicht" in told
    assert "already handed over" not in told
    english = await Desk(shop.pool, Api(shop).app).signed_in("ben")
    told = text_of(await english.get(f"/app/orders/{order_id}/story"))
    assert "line 1: 2 already handed over to the carrier" in told


@pytest.mark.parametrize(
    ("act", "sent", "told"),
    [
        ("return", {"units:1": "9"}, "Position 1: 3 können zurückkommen, nicht 9"),
        ("refund", {"units:1": "9"}, "Position 1: 3 können erstattet werden, nicht 9"),
        ("goodwill", {"amount": "90000"}, "33.000 ₩ können erstattet werden, nicht 90.000 ₩"),
    ],
)
async def test_the_numbers_of_a_refusal_are_told_in_the_readers_language(
    pool: Pool, delivered: Order, act: str, sent: dict[str, str], told: str
) -> None:
    answer = await foretold(pool, delivered, act, "de", **sent, reason="s")
    assert answer.status_code == 409
    assert told in text_of(answer)
    assert 'lang="en"' not in answer.text.partition("<main")[2]


async def test_no_reason_to_hold_an_order_is_chosen_for_anybody(
    pool: Pool, confirmed: Order
) -> None:
    answer = await foretold(pool, confirmed, "hold", "en", why="", note="looks odd")
    assert answer.status_code == 422
    assert "Reason: Choose one of those that are offered." in text_of(answer)
    select = answer.text.partition('<select id="why"')[2].partition("</select>")[0]
    assert ('aria-invalid="true"' in select, " required" in select) == (True, True)
    assert re.findall(r'<option value="(\w*)"', select)[0] == ""


@pytest.mark.parametrize(("act", "ended"), [("cancel", "confirmed"), ("return", "delivered")])
async def test_all_units_are_filled_in_at_once(pool: Pool, act: str, ended: Stage) -> None:
    bench = Bench(pool)
    await bench.stocked("TEA", 9)
    await bench.stocked("POT", 9)
    order = an_order(("TEA", 3, "10.00"), ("POT", 2, "10.00"), channel_order_id="all")
    fulfilments = await bench.at(order, ended)
    if ended == "delivered":
        await bench.charged(fulfilments)
    desk = await Desk(pool).signed_in("anna")
    path = f"app/orders/{order.order_id}/{act}"
    page = (await desk.get(f"/{path}")).text
    buttons = re.findall(r'<button[^>]*name="go" value="(\w+)"', page)
    assert buttons == ["preview", "all"], "Enter presses the first one"
    filled = await desk.send_form(path, **hidden(page, act), go="all", reason="called")
    assert re.findall(r'name="units:\w+"[^>]* value="(\d+)"', filled.text) == ["3", "2"]
    assert 'value="called"' in filled.text
