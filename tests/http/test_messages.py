"""Messages over HTTP: listed, read, sent again, and what came back."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.messages.planning import MessagePlan
from activities.notifications.sequencing import EventSequence
from domain.messages.kinds import told
from starter.service.service import Service
from store.database import Pool
from tests.support.api import Api, problem
from tests.support.bench import Bench
from tests.support.builders import an_order

CUSTOMER = {"id": "A", "name": "Mina Yoon", "email": "mina@x.example", "locale": "ko-KR"}
DAY = timedelta(days=1)


@pytest.fixture
async def api(pool: Pool) -> Api:
    """Doors that ask no workflow."""
    no_temporal: Any = None
    return Api(Service(pool, no_temporal))


async def some_messages(pool: Pool, *channels: str) -> list[str]:
    """The ids of orders whose customers are to be told that they were received."""
    plan = MessagePlan(pool, told({}), tell_within=DAY, old_after=DAY)
    await plan.plan()
    now = datetime.now(UTC).isoformat()
    orders = [
        an_order(("TEA", 1, "10.00"), channel=one, customer=CUSTOMER, placed_at=now)
        for one in channels
    ]
    for order in orders:
        await Bench(pool).take_in(order)
    await EventSequence(pool).advance()
    await plan.plan()
    return [order.order_id for order in orders]


async def test_messages_are_listed_page_by_page_and_name_nobody(api: Api, pool: Pool) -> None:
    ids = await some_messages(pool, "web", "b2b", "web")
    caller = await api.caller("orders:read")
    listed = await caller.listed("/v1/messages")
    assert [one["order_id"] for one in listed] == ids[::-1]
    assert "mina" not in str(listed).lower()
    assert [x["kind"] for x in await caller.listed("/v1/messages", order_id=ids[0])] == ["received"]
    assert await caller.listed("/v1/messages", state="sent") == []
    web = await api.caller("orders:read", channels=["web"])
    assert [x["order_id"] for x in await web.listed("/v1/messages")] == [ids[2], ids[0]]
    problem(await web.get(f"/v1/messages?order_id={ids[1]}"), 404, "not_found")


async def test_a_message_is_read_by_who_may_see_customers_and_sent_again(
    api: Api, pool: Pool
) -> None:
    (order_id,) = await some_messages(pool, "web")
    caller = await api.caller("orders:read", "orders:write", "customers:read")
    (row,) = await caller.listed("/v1/messages")
    name = row["message"]
    read = (await caller.get(f"/v1/messages/{name}")).json()
    assert read["to"] == "mina@x.example"
    assert "Mina Yoon 님, 안녕하세요." in read["text"]
    assert read["language"] == "ko"
    about = await caller.send_once(f"/v1/messages/{name}/send-again", None)
    assert about.status_code == 409, "it is about to be sent"
    await pool.execute("update message set state = 'refused', why = 'x', mail_id = '<1@shop>'")
    again = await caller.send_once(f"/v1/messages/{name}/send-again", None)
    assert (again.json()["state"], again.json()["round"]) == ("planned", 2)
    for unknown in (f"{order_id}:M0", f"{order_id}:Mx", "none", order_id):
        problem(await caller.get(f"/v1/messages/{unknown}"), 404, "not_found")


async def test_a_mail_that_came_back_is_taken_in(api: Api, pool: Pool) -> None:
    await some_messages(pool, "web")
    await pool.execute("update message set mail_id = '<1@shop>', state = 'sent', sent_at = now()")
    mail = (
        'Content-Type: multipart/report; boundary="b"\n\n--b\n'
        "Content-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n"
        "Final-Recipient: rfc822; mina@x.example\nAction: failed\nStatus: 5.1.1\n\n--b\n"
        "Content-Type: text/rfc822-headers\n\nMessage-ID: <1@shop>\n--b--\n"
    )
    caller = await api.caller("orders:read", "orders:write")
    taken = await caller.send_once("/v1/messages/bounces", {"mail": mail})
    assert taken.json()["final"] is True
    (row,) = await caller.listed("/v1/messages", state="bounced")
    assert row["message"] == taken.json()["message"]
    other = await caller.send_once("/v1/messages/bounces", {"mail": "Subject: hello\n\nhello"})
    assert other.status_code == 422


async def test_a_kind_of_message_is_previewed_for_an_order(api: Api, pool: Pool) -> None:
    (order_id,) = await some_messages(pool, "web")
    caller = await api.caller("orders:read", "customers:read")
    shown = (await caller.get(f"/v1/orders/{order_id}/message-previews/cancelled")).json()
    assert (shown["kind"], shown["language"], shown["to"]) == ("cancelled", "ko", "mina@x.example")
    assert "Mina Yoon 님, 안녕하세요." in shown["text"]
    b2b = await api.caller("orders:read", "customers:read", channels=["b2b"])
    for asked, who in ((order_id, b2b), ("web-none", caller)):
        path = f"/v1/orders/{asked}/message-previews/cancelled"
        problem(await who.get(path), 404, "not_found")


TEMPLATE = "/v1/message-templates/main/shipped/de"


async def test_a_template_is_read_previewed_set_listed_and_reset(api: Api) -> None:
    caller = await api.caller("sellers:read", "sellers:write")
    ours = (await caller.get(TEMPLATE)).json()
    assert (ours["is_own"], ours["set_by"]) == (False, None)
    assert ours["sample"]["subject"] == "Ihre Bestellung 1001 ist unterwegs"
    assert "Freitag, 4. Dezember 2026" in ours["sample"]["text"]
    own = {"source": ours["source"].replace("unterwegs", "los")}
    made = await caller.send_once(f"{TEMPLATE}/preview", own)
    assert made.json()["subject"] == "Ihre Bestellung 1001 ist los"
    assert (await caller.get(TEMPLATE)).json() == ours, "nothing is set by that"
    kept = (await caller.put(TEMPLATE, json=own)).json()
    assert (kept["is_own"], kept["source"]) == (True, own["source"])
    assert "(key " in kept["set_by"]
    assert (await caller.put(TEMPLATE, json=own)).json()["source"] == own["source"]
    (listed,) = (await caller.get("/v1/message-templates")).json()["templates"]
    assert (listed["seller"], listed["kind"], listed["language"]) == ("main", "shipped", "de")
    for _ in range(2):
        assert (await caller.request("DELETE", TEMPLATE)).status_code == 204
    assert (await caller.get(TEMPLATE)).json() == ours


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("number", "nmae"), "nmae"),
        (("{% endblock %}", "{% endblock %}{% endif %}"), "endif"),
        (("{% block body %}", "{% block body %}{% set a = name ~ name %}"), "set is not"),
        (("{% block body %}", "{% block body %}" + "x" * 100_000), "100000|100,000"),
        (("{% block body %}", "{% block body %}\x00"), "no text"),
        (("{% block body %}", "{% block nobody %}"), "lacks the block body"),
    ],
)
async def test_a_template_that_cannot_be_filled_in_is_refused_when_it_is_set(
    api: Api, change: tuple[str, str], said: str
) -> None:
    caller = await api.caller("sellers:read", "sellers:write")
    ours = (await caller.get(TEMPLATE)).json()
    wrong = {"source": ours["source"].replace(*change)}
    for answer in (
        await caller.put(TEMPLATE, json=wrong),
        await caller.send_once(f"{TEMPLATE}/preview", wrong),
    ):
        assert answer.status_code == 422
        assert re.search(said, answer.text)
    assert (await caller.get(TEMPLATE)).json() == ours


async def test_a_body_that_is_no_text_or_too_large_sets_nothing(api: Api) -> None:
    caller = await api.caller("sellers:read", "sellers:write")
    json = {"Content-Type": "application/json"}
    for body, status in (
        (b'{"source": "\xff"}', 400),
        (b'{"source": "\\ud800"}', 400),
        (b'{"source": "' + b"x" * 10_000_000 + b'"}', 413),
        (b'{"sauce": "x"}', 422),
    ):
        answer = await caller.put(TEMPLATE, content=body, headers=json)
        assert answer.status_code == status, answer.text[:300]
    for unknown in ("none/shipped/de", "main/shopped/de", "main/shipped/fr"):
        path = f"/v1/message-templates/{unknown}"
        for answer in (await caller.get(path), await caller.put(path, json={"source": "x"})):
            assert answer.status_code in (404, 422), answer.text
    assert (await caller.get("/v1/message-templates")).json() == {"templates": []}


async def test_templates_of_another_seller_are_not_there(api: Api) -> None:
    everybody = await api.caller("sellers:read", "sellers:write")
    await everybody.put("/v1/sellers/main", json={"name": "Main"})
    await everybody.put("/v1/sellers/uk", json={"name": "UK"})
    ours = (await everybody.get(TEMPLATE)).json()
    await everybody.put(TEMPLATE, json={"source": ours["source"]})
    uk = await api.caller("sellers:read", sellers=["uk"])
    assert (await uk.get("/v1/message-templates")).json() == {"templates": []}
    problem(await uk.get(TEMPLATE), 404, "not_found")
    problem(await uk.get("/v1/message-templates?seller=main"), 404, "not_found")
    assert (await uk.get("/v1/message-templates/uk/shipped/de")).status_code == 200
