"""The service desk over HTTP: finding, lists, an order's page, and what is done from it."""

from __future__ import annotations

import asyncio
import html
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from domain.errors import Unreachable
from domain.orders.hold_messages import HoldRequest
from domain.orders.messages import CancelRequest
from domain.orders.order import Order
from starter.web.desk.tasks import name_of, place_in
from store.database import Pool
from store.views.attention import AttentionTask, Place
from tests.support.api import Api
from tests.support.bench import Bench
from tests.support.builders import an_order
from tests.support.desk import Desk, text_of
from tests.support.shop import Shop

INJECTED = '"><img src=x onerror=alert(1)>{{7*7}}'


@pytest.fixture
async def stocked(shop: Shop) -> Shop:
    for sku in ("TEA", "POT"):
        await shop.stocked(sku, 100)
    return shop


@pytest.fixture
async def desk(stocked: Shop) -> Desk:
    return await Desk(stocked.pool, Api(stocked).app).signed_in("anna", "agent")


def ordered(number: str, **fields: Any) -> Order:
    customer = {"id": "C-1", "name": "Kim Minji", "email": "kim@example.com"}
    lines = ("TEA", 3, "10.00"), ("POT", 1, "30.00")
    return an_order(*lines, channel_order_id=number, **{"customer": customer, **fields})


async def placed(shop: Shop, number: str, **fields: Any) -> str:
    """A confirmed order's id."""
    order = ordered(number, **fields)
    await shop.placed(order)
    return order.order_id


async def form(desk: Desk, order_id: str, path: str) -> dict[str, str]:
    """What a form sends that nobody fills in: of the order's page, or of an act's own."""
    place = "" if path in ("release", "resolve") else f"/{path}"
    return hidden((await desk.get(f"/app/orders/{order_id}{place}")).text, path)


def hidden(page: str, path: str) -> dict[str, str]:
    (found,) = re.findall(rf'action="[^"]*/{path}">(.*?)</form>', page, re.DOTALL)
    fields = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', found)
    return {name: html.unescape(value) for name, value in fields}


async def done(desk: Desk, order_id: str, path: str, **fields: str) -> httpx.Response:
    """Open the page, fill a form in, and send it."""
    sent = {**await form(desk, order_id, path), **named(fields)}
    return await desk.send_form(f"app/orders/{order_id}/{path}", **sent)


def named(fields: dict[str, str]) -> dict[str, str]:
    return {name.replace("__", ":"): value for name, value in fields.items()}


async def test_any_order_is_found_by_what_somebody_has_in_hand(stocked: Shop, desk: Desk) -> None:
    order_id = await placed(stocked, "desk-find")
    await placed(stocked, "desk-find-2")
    for text in (order_id, "desk-find", f" {order_id}:1 "):
        answer = await desk.get("/app/find", params={"q": text})
        assert answer.url.path == f"/app/orders/{order_id}", text
    for text in ("kim@example.com", "Kim Minji", "minji"):
        found = text_of(await desk.get("/app/find", params={"q": text}))
        assert "2 orders" in found, text
    nothing = text_of(await desk.get("/app/find", params={"q": INJECTED}))
    assert "Nothing is found" in nothing
    assert "An order's number" in text_of(await desk.get("/app/find")).replace("&#39;", "'")


async def test_a_list_is_kept_in_its_address(stocked: Shop, desk: Desk) -> None:
    first = await placed(stocked, "desk-list-1")
    second = await placed(stocked, "desk-list-2")
    every = (await desk.get("/app/orders")).text
    assert every.index(second) < every.index(first)
    assert first in (await desk.get("/app/orders?state=confirmed&channel=web")).text
    for query in ("state=closed", "needs=1"):
        assert "No order matches" in text_of(await desk.get(f"/app/orders?{query}"))
    odd = await desk.get("/app/orders?state=odd&channel=odd&after=odd")
    assert (odd.status_code, first in odd.text) == (200, True)


async def test_an_order_is_shown_whole(stocked: Shop, desk: Desk) -> None:
    order_id = await placed(stocked, "desk-page")
    await stocked.drive(f"{order_id}:1", "shipped")
    await stocked.heard(order_id, "shipped", 4)
    page = text_of(await desk.get(f"/app/orders/{order_id}"))
    for part in ("3 under way", "1 under way", "Kim Minji", "on its way", "reserved"):
        assert part in page, part
    assert "Cancel units, Change the order The carrier has these units." in page
    await stocked.scan(f"{order_id}:1", "delivered")
    await stocked.heard(order_id, "delivered", 4)
    page = text_of(await desk.get(f"/app/orders/{order_id}"))
    assert "3 delivered" in page
    assert "3 under way" not in page


async def test_units_are_cancelled_once_by_whoever_is_signed_in(stocked: Shop, desk: Desk) -> None:
    order_id = await placed(stocked, "desk-cancel")
    none = await done(desk, order_id, "cancel", reason="called")
    assert (none.status_code, "Choose how many units" in text_of(none)) == (422, True)
    assert 'value="called"' in none.text  # what was typed is not lost
    sent = {**await form(desk, order_id, "cancel"), "units:1": "2", "reason": "the customer called"}
    path = f"app/orders/{order_id}/cancel"
    both = await asyncio.gather(*(desk.send_form(path, **sent) for _ in range(2)))
    assert all("The units are cancelled" in text_of(one) for one in both)
    again = await desk.send_form(path, **sent)
    assert "The units are cancelled" in text_of(again)
    detail = await stocked.orders.get(order_id)
    assert [line.cancelled for line in detail.lines] == [2, 0]
    (line,) = [event for event in detail.story if event.why == "the customer called"][:1]
    assert line.who == "Anna (anna)"


async def test_what_changed_meanwhile_is_told_and_nothing_is_done(
    stocked: Shop, desk: Desk
) -> None:
    order_id = await placed(stocked, "desk-two")
    sent = {**await form(desk, order_id, "cancel"), "units:1": "1", "reason": "too many"}
    other = CancelRequest.model_validate(
        {"reason": "out of the catalogue", "lines": [{"line_id": "2"}], "by": "ben"}
    )
    await stocked.aftersales.cancel(order_id, other)
    answer = await desk.send_form(f"app/orders/{order_id}/cancel", **sent)
    assert answer.status_code == 409
    told = text_of(answer)
    assert "Nothing was done: the order has changed" in told
    assert "out of the catalogue (ben)" in told
    assert 'value="too many"' in answer.text
    assert [line.cancelled for line in (await stocked.orders.get(order_id)).lines] == [0, 1]


async def test_an_order_is_held_and_let_go(stocked: Shop, desk: Desk) -> None:
    order_id = await placed(stocked, "desk-hold")
    held = await done(desk, order_id, "hold", why="address", note="no such street")
    assert "The order is held" in text_of(held)
    assert "Held: address – no such street" in text_of(held)
    free = await done(desk, order_id, "release", note="it was found")
    assert "The order goes on" in text_of(free)
    assert list(await stocked.holds.standing(order_id)) == []


async def test_a_step_that_needs_a_person_is_decided(stocked: Shop, desk: Desk) -> None:
    stocked.faults.refuse("pick_pack_ship")
    order_id = await placed(stocked, "desk-step")

    async def waits() -> str | None:
        found = (await stocked.orders.get(order_id)).attention
        return found[0].step if found else None

    step = await stocked.until(waits, "a step needs a person")
    assert order_id in text_of(await desk.get("/app/orders?needs=1"))
    listed = text_of(await desk.get("/app/tasks"))
    assert "A step of an order" in listed
    assert order_id in listed
    for odd in ("x", "[1]", '[true, "2026-01-01", "a", "b", "c"]', "null"):
        assert (await desk.get("/app/tasks", params={"after": odd})).status_code == 200
    assert step == f"pick_pack_ship {order_id}:1"
    told = text_of(await desk.get(f"/app/orders/{order_id}"))
    assert f"Pick, pack and hand over {order_id}:1" in told
    stocked.faults.heal("pick_pack_ship")
    again = await done(desk, order_id, "resolve", action="retry", note="it is mended")
    assert "It is decided" in text_of(again)

    async def is_over() -> bool:
        return not (await stocked.orders.get(order_id)).attention

    await stocked.until(is_over, "the step goes on")
    told = text_of(await desk.get(f"/app/orders/{order_id}"))
    assert told.count("Try again") == told.count("Try again: it is mended") == 1


async def test_nobody_sees_or_does_what_is_not_theirs(stocked: Shop, desk: Desk) -> None:
    order_id = await placed(stocked, "desk-whose")
    pos = await Desk(stocked.pool, desk.app).signed_in("ben", "agent", channels=["pos"])
    for path in (f"app/orders/{order_id}", f"app/orders/{order_id}/story"):
        answer = await pos.get(f"/{path}")
        assert (answer.status_code, "There is no such order" in text_of(answer)) == (404, True)
    assert "No order matches" in text_of(await pos.get("/app/orders"))
    assert "Nothing is found" in text_of(await pos.get("/app/find", params={"q": order_id}))
    hold = HoldRequest(reason="other", note="x")
    fields = {"request_id": "r1", "version": "x", "why": hold.reason, "note": hold.note}
    refused = await pos.send_form(f"app/orders/{order_id}/hold", **fields)
    assert refused.status_code == 404
    clerk = await Desk(stocked.pool, desk.app).signed_in("cy", "accountant")
    refused = await clerk.send_form(f"app/orders/{order_id}/cancel", **fields)
    assert refused.status_code == 403
    page = (await clerk.get(f"/app/orders/{order_id}")).text
    assert f'{order_id}/hold"' not in page
    assert list(await stocked.holds.standing(order_id)) == []


async def test_a_form_that_was_not_answered_is_the_same_request_again(
    stocked: Shop, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = await placed(stocked, "desk-away")
    cancel = stocked.aftersales.cancel

    async def lost(*asked: Any) -> None:
        await cancel(*asked)
        raise Unreachable("its answer did not come back")

    path, fields = "cancel", {"units:1": "1", "reason": "the customer called"}
    with monkeypatch.context() as network:
        network.setattr(stocked.aftersales, "cancel", lost)
        answer = await desk.send_form(
            f"app/orders/{order_id}/{path}", **await form(desk, order_id, path), **fields
        )
    assert answer.status_code == 503
    again = {**hidden(answer.text, path), **fields}
    assert "are cancelled" in text_of(
        await desk.send_form(f"app/orders/{order_id}/{path}", **again)
    )
    assert [line.cancelled for line in (await stocked.orders.get(order_id)).lines] == [1, 0]


async def test_an_order_of_500_lines_is_small_on_its_way(pool: Pool) -> None:
    order = an_order(*((f"TEA-{n}", 1, "1.00") for n in range(500)), channel_order_id="desk-long")
    await Bench(pool).on_record(order)
    desk = await Desk(pool).signed_in("anna", "agent")
    answer = await desk.get(f"/app/orders/{order.order_id}")
    assert "TEA-499" in answer.text
    assert answer.num_bytes_downloaded < 60_000


async def test_what_people_have_typed_is_shown_as_text(stocked: Shop, desk: Desk) -> None:
    customer = {"id": "C-2", "name": INJECTED, "email": "x@example.com"}
    order_id = await placed(stocked, "desk-text", customer=customer)
    await done(desk, order_id, "hold", why="other", note=INJECTED)
    for path in (f"/app/orders/{order_id}", "/app/find?q=x@example.com"):
        page = (await desk.get(path)).text
        assert "<img src=x" not in page
        assert "&lt;img src=x onerror=alert(1)&gt;{{7*7}}" in page, path


async def test_a_customer_who_is_found_stands_with_the_latest_orders_and_their_days(
    stocked: Shop, desk: Desk, pool: Pool
) -> None:
    order_id = await placed(stocked, "desk-when")
    other = await placed(stocked, "desk-when-2")
    await pool.execute(
        "update fulfilment set promised_leave = '2027-03-03', promised_on = '2027-03-05' "
        "where order_no = order_no_of($1)",
        order_id,
    )
    page = await desk.get("/app/find?q=Minji")
    told = text_of(page)
    for part in (order_id, other, "confirmed", "Expected on Fri, Mar 5, 2027"):
        assert part in told, part
    assert f"app/orders/{order_id}" in page.text
    head = (await desk.get(f"/app/orders/{order_id}")).text
    state = head[head.index('id="order-state"') : head.index("</section>")]
    assert "Fri, Mar 5, 2027" in state
    assert "Promised for" not in (await desk.get(f"/app/orders/{other}")).text


def test_a_place_in_the_list_of_tasks_stands_in_its_address() -> None:
    task = AttentionTask(
        kind="refund",
        subject='web-1 "&',
        name="web-1:R1",
        reason="x",
        allowed=(),
        since=datetime(2027, 3, 1, 12, tzinfo=UTC),
        due=None,
        amount_minor=1,
        currency="EUR",
    )
    assert place_in(unquote(name_of(task))) == Place.of(task)
