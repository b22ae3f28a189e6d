"""Messages over HTTP: listed, read, sent again, and what came back."""

from __future__ import annotations

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
