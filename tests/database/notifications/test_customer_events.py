"""What happens to customers reaches those who ask for it: each change once, without a name."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from activities.customers.memberships import Memberships
from activities.customers.retention import Persons
from domain.customers.care import UNLESS_SAID, ConsentWord
from domain.customers.segments import Segment
from domain.errors import InvalidInput
from domain.notifications.event_types import CUSTOMER_EVENT_TYPES
from domain.notifications.subscriptions import SubscriptionChange
from starter.service.customer_care import CustomerCare
from starter.service.customers import Customers
from starter.service.event_subscriptions import ReadEvents
from starter.service.segments import Segments
from store.database import Pool
from tests.database.notifications.desk import Desk
from tests.support.builders import an_order
from tests.support.planted import CUSTOMER, WORDS, found_in, planted
from tests.support.receiver import Got, Reply, receiving, sending

WHY: Any = {"who": "ann", "why": "one person"}
ALL = list(CUSTOMER_EVENT_TYPES)


@pytest.fixture
async def desk(pool: Pool) -> AsyncIterator[Desk]:
    async with sending(seconds_max=0.5) as sender:
        yield Desk(pool, sender)


def told(read: ReadEvents) -> list[tuple[str, str | None]]:
    """Type and customer of each event."""
    return [(one.type.split(".")[2], one.subject) for one in read.events]


async def advanced(desk: Desk, after: int, types: Any = ALL) -> ReadEvents:
    await desk.sequence.advance()
    return await desk.door.read(after, types)


async def test_each_change_is_told_once_with_the_customer_and_without_a_name(desk: Desk) -> None:
    begin = (await desk.door.read(None, ALL)).position
    cares = CustomerCare(desk.pool)
    await desk.order(**planted())
    await desk.order(customer={"id": "B", "name": "Bo"})
    await cares.merge("C2", "C1", **WHY)
    word = ConsentWord(kind="marketing", given=True, how="by phone")
    await cares.say("C1", word, who="ann")
    await cares.unmerge("C2", **WHY)
    read = await advanced(desk, begin)
    assert told(read) == [
        *(("created", "C1"), ("created", "C2"), ("merged", "C2")),
        *(("consent_changed", "C1"), ("consent_changed", "C2"), ("unmerged", "C2")),
    ]
    assert (read.events[2].data["into"], read.events[5].data["into"]) == ("C1", "C1")
    assert read.events[0].source == "/orderloom"
    first = read.events[0].data["customer"]
    assert first["consent"] == {**UNLESS_SAID, "marketing": True}
    assert (first["erased"], first["merged_into"], first["merged"]) == (False, None, [])
    assert found_in(json.dumps([one.model_dump() for one in read.events]), WORDS) == []
    assert len({one.id for one in read.events}) == 6
    again = await advanced(desk, read.position)
    assert (told(again), again.position) == ([], read.position)

    await desk.pool.execute("update customer_order set decision = 'closed'")
    await Customers(desk.pool, documents_years=-1).erase(CUSTOMER["id"], who="dpo", why="asked")
    (gone,) = (await advanced(desk, read.position)).events
    assert (gone.type, gone.subject) == ("orderloom.customer.erased.v1", "C1")
    customer = gone.data["customer"]
    assert (customer["erased"], customer["consent"], customer["segments"]) == (True, {}, [])
    earlier = (await desk.door.read(begin, ALL)).events[0].data["customer"]
    assert (earlier["erased"], earlier["consent"]) == (True, {}), "also in what is sent late"


async def test_only_who_names_them_gets_them(desk: Desk) -> None:
    everything = (await desk.door.read(None)).position
    await desk.order()
    read = await desk.door.read(everything)
    assert [one.type for one in read.events] == ["orderloom.order.received.v1"]
    kept = "select count(*) from event_out where customer_no is not null"
    assert await desk.pool.fetchval(kept) == 0, "nobody has asked for them"
    begin = (await desk.door.read(None, ALL)).position
    await desk.order(customer={"id": "B", "name": "Bo"})
    assert told(await desk.door.read(begin, ALL)) == [("created", "C2")]
    assert [one.subject for one in (await desk.door.read(begin)).events] != ["C2"]

    await desk.pool.execute("update event_sequence set changes_read_at = now() - interval '4 days'")
    await desk.sequence.advance()
    await desk.order(customer={"id": "C", "name": "Cy"})
    assert await desk.pool.fetchval(kept) == 1
    with pytest.raises(InvalidInput, match="are not kept"):
        await desk.door.read(begin, ALL)
    assert len((await desk.door.read(begin)).events) == 2, "events of orders are all there"
    now = (await desk.door.read(None, ALL)).position
    assert told(await advanced(desk, now)) == []


async def test_a_subscription_gets_a_customers_events_in_their_sequence(desk: Desk) -> None:
    failed: list[str] = []

    def once_for_c1(_number: int, got: Got) -> Reply:
        if got.event["subject"] == "C1" and not failed:
            failed.append(got.headers["webhook-id"])
            return Reply(500)
        return Reply()

    async with receiving(once_for_c1) as receiver:
        orders = await desk.subscribe(receiver.url)
        made = await desk.subscribe(receiver.url, types=ALL)
        await desk.order(customer={"id": "A", "name": "Ada"})
        await desk.order(customer={"id": "B", "name": "Bo"})
        await CustomerCare(desk.pool).merge("C1", "C2", **WHY)
        await desk.sequence.advance()
        await desk.deliver(made)
        open_ones = await desk.door.retried(made.subscription.subscription_id)
        held = sorted((one.order_id, one.customer_id, one.state) for one in open_ones)
        assert held == [(None, "C1", "retrying"), (None, "C1", "waiting")]
        await desk.deliver_all(made)
        assert [
            (got.event["type"].split(".")[2], got.event["subject"]) for got in receiver.taken
        ] == [
            *(("created", "C2"), ("created", "C1"), ("merged", "C1")),
        ]
        attempts = await desk.door.deliveries(made.subscription.subscription_id)
        assert sorted(str(one.customer_id) for one in attempts) == ["C1", "C1", "C1", "C2"]
        receiver.taken.clear()
        await desk.deliver_all(orders)
        assert receiver.types == ["order.received", "order.received"]


async def test_channels_and_customers_are_not_asked_for_together(desk: Desk) -> None:
    url = "https://crm.example/hook"
    with pytest.raises(InvalidInput, match="of no channel or seller"):
        await desk.subscribe(url, types=ALL, channels=["web"])
    made = await desk.subscribe(url, channels=["web"])
    change = SubscriptionChange.model_validate({"types": ALL})
    with pytest.raises(InvalidInput, match="of no channel or seller"):
        await desk.door.update(made.subscription.subscription_id, change, by="ann")
    assert len(await desk.door.list()) == 1
    assert (await desk.door.get(made.subscription.subscription_id)).types is None


async def test_a_late_event_is_sent_though_its_change_is_forgotten(desk: Desk) -> None:
    begin = (await desk.door.read(None, ALL)).position
    await desk.order(customer={"id": "A", "name": "Ada"})
    await desk.order(customer={"id": "B", "name": "Bo"})
    await CustomerCare(desk.pool).merge("C2", "C1", **WHY)
    await desk.sequence.advance()
    await desk.pool.execute("update customer_change set at = at - interval '40 days'")
    await Persons(desk.pool, changes_kept=timedelta(days=30)).forget()
    merged = (await desk.door.read(begin, ALL)).events[2]
    assert (merged.data["into"], merged.data["customer"]["merged_into"]) == (None, "C1")


async def test_what_an_open_transaction_has_changed_comes_after_its_end(desk: Desk) -> None:
    begin = (await desk.door.read(None, ALL)).position
    async with desk.pool.acquire() as conn, conn.transaction():
        await conn.execute("insert into customer (key) values ('id:x')")
        await conn.execute("insert into customer_change (customer_no, what) values (1, 'created')")
        await desk.order(customer={"id": "A", "name": "Ada"})
        assert told(await advanced(desk, begin)) == []
    assert told(await advanced(desk, begin)) == [("created", "C1"), ("created", "C2")]


async def test_a_backup_on_another_server_goes_on_where_it_stood(desk: Desk) -> None:
    begin = (await desk.door.read(None, ALL)).position
    await desk.order(customer={"id": "A", "name": "Ada"})
    # It was made on a server that was far ahead, after one more change was committed there.
    await desk.pool.execute("update customer_change set xact = '900000'")
    await desk.bench.take_in(an_order(("TEA", 1), customer={"id": "B", "name": "B"}))
    await desk.pool.execute("update customer_change set xact = '900100' where change_no = 2")
    await desk.pool.execute(
        "update event_sequence set server = 'another', horizon = '900050', "
        "changes_horizon = '900050', changes_latest = 1"
    )
    await desk.bench.take_in(an_order(("TEA", 1), customer={"id": "C", "name": "C"}))
    read = await advanced(desk, begin)
    assert told(read) == [("created", "C1"), ("created", "C2"), ("created", "C3")]
    await desk.pool.execute("update event_sequence set changes_horizon = '900000'")
    assert told(await advanced(desk, read.position)) == []


async def test_who_comes_into_a_segment_and_who_leaves_it_is_told(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activities.customers.memberships.CUSTOMERS_AT_ONCE", 2)
    begin = (await desk.door.read(None, ALL)).position
    look, here, cares = Memberships(desk.pool), Segments(desk.pool), CustomerCare(desk.pool)
    for name in "ABBCDE":
        await desk.order(customer={"id": name, "name": name})
    begin = (await advanced(desk, begin)).position

    async def looked() -> list[tuple[str, str | None, str]]:
        nonlocal begin
        await look.look()
        read = await advanced(desk, begin)
        begin = read.position
        return [
            (one.type.split(".")[2].removeprefix("segment_"), one.subject, one.data["segment"])
            for one in read.events
            if "segment" in one.data
        ]

    assert await looked() == []
    twice = Segment.model_validate({"segment": "twice", "orders": {"at_least": 2}})
    web = Segment.model_validate({"segment": "web", "channels": ["web"]})
    await here.save([twice], who="ann")
    assert await looked() == [("entered", "C2", "twice")]
    assert await looked() == []
    await cares.merge("C5", "C4", **WHY)
    assert await looked() == [("entered", "C4", "twice")]
    await here.save([web], who="ann")
    assert await looked() == [("entered", f"C{n}", "web") for n in (1, 2, 3, 4)]
    await desk.pool.execute(
        "update customer_segment set document = '{\"mood\": 1}' where segment = 'web'"
    )
    assert await looked() == [], "what cannot be read is left alone"
    await here.remove("web")
    await here.remove("twice")
    await cares.merge("C3", "C1", **WHY)
    assert sorted(await looked()) == [
        *(("left", "C1", "web"), ("left", "C2", "twice"), ("left", "C2", "web")),
        *(("left", "C3", "web"), ("left", "C4", "twice"), ("left", "C4", "web")),
    ]
    assert await desk.pool.fetchval("select count(*) from customer_segment_member") == 0


async def test_who_is_erased_belongs_to_nothing(desk: Desk) -> None:
    await desk.order(customer={"id": "A", "name": "Ada"})
    web = Segment.model_validate({"segment": "web", "channels": ["web"]})
    await Segments(desk.pool).save([web], who="ann")
    await Memberships(desk.pool).look()
    count = "select count(*) from customer_segment_member"
    assert await desk.pool.fetchval(count) == 1
    handed = await Customers(desk.pool).export("A")
    assert [one["segment"] for one in handed["segments"]] == ["web"]
    await desk.pool.execute("update customer_order set decision = 'closed'")
    await Customers(desk.pool, documents_years=-1).erase("A", who="dpo", why="asked")
    assert await desk.pool.fetchval(count) == 0
    await Memberships(desk.pool).look()
    assert await desk.pool.fetchval(count) == 0
