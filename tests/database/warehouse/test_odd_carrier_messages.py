"""Carriers' messages that are odd: none stops another one, and each is told or dealt with."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from activities.warehouse.carrier_messages import AT_ONCE, CarrierMessages
from store.database import Pool
from tests.database.warehouse.desk import Desk
from tests.support.carrier_desk import detail, scan, tracker_event


@pytest.fixture
async def desk(pool: Pool) -> Desk:
    desk = Desk(pool)
    await desk.bench.stocked("TEA", 1000)
    return desk


@pytest.mark.parametrize("name", ["\x00", "\ud800", "a\nb", "x" * 5000])
async def test_a_field_whose_name_no_database_takes_stops_no_other_message(
    desk: Desk, name: str
) -> None:
    part, number = await desk.shipped()
    await desk.generic(scan(number, "delivered", **{name: 1}))
    await desk.generic(scan(number, "in_transit"))
    await desk.duty.work_through()
    assert await desk.status(part) == "in_transit"
    (task,) = await desk.tasks()
    assert task.reason.startswith("carrier sandbox: scans[0].")
    assert len(task.reason) < 600


async def test_a_scan_that_the_tables_refuse_is_told_and_stops_no_other_one(desk: Desk) -> None:
    part, number = await desk.shipped()
    rule = "add constraint no_aliens check (detail <> 'aliens')"
    await desk.pool.execute(f"alter table carrier_event {rule}")
    odd = scan(number, "in_transit", detail="aliens")
    await desk.generic(odd, scan(number, "out_for_delivery"))
    await desk.duty.work_through()
    assert await desk.status(part) == "out_for_delivery"
    (task,) = await desk.tasks()
    assert "no_aliens" in task.reason


async def test_numbers_of_no_parcel_that_stand_together_are_a_task_of_their_own(
    desk: Desk,
) -> None:
    await desk.generic(scan("A", "in_transit"))
    await desk.generic(scan("B", "in_transit"), scan("A", "in_transit"))
    await desk.generic(scan("A", "delivered"), scan("B", "delivered"))
    await desk.duty.work_through()
    await desk.since(timedelta(hours=2))
    both, one = await desk.messages(failed=True)
    assert [one.tracking_number, both.tracking_number] == ["A", "A, B"]
    assert len(await desk.tasks()) == 2
    await desk.bench.carriers.settle_message(one.message_no, "of our other shop")
    assert [message.outcome for message in await desk.messages()] == [
        *(None, None),
        "settled: of our other shop",
    ]
    await desk.bench.carriers.settle_message(both.message_no, "of our other shop")
    assert await desk.tasks() == []


async def test_many_messages_of_another_shop_make_no_list_slow(desk: Desk) -> None:
    await desk.pool.execute("""
        insert into carrier_message
            (sender, message_id, body, received_at, tracking_number, last_error)
        select 'easypost', n::text, '{}', now() - interval '2 hours', 'T' || (n / 5), 'of no parcel'
        from generate_series(1, 20000) n""")
    async with asyncio.timeout(5):
        assert len(await desk.tasks()) == 100
        assert len(await desk.messages(failed=True)) == 100


async def test_a_new_message_waits_for_none_that_is_tried_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.pool.execute("""
        insert into carrier_message (sender, message_id, body, try_after, tries)
        select 'sandbox', n::text, '{}', now() - interval '1 hour', 1
        from generate_series(1, 100) n""")
    part, number = await desk.shipped()
    await desk.generic(scan(number, "delivered"))
    with monkeypatch.context() as once:
        once.setattr("activities.warehouse.carrier_messages.ROUNDS_MAX", 1)
        await desk.duty.work_through()
    assert await desk.bench.state(part) == "delivered"
    again = "select count(*) from carrier_message where tries > 1"
    assert await desk.bench.count(again) == AT_ONCE - 1, "the rest of the round is theirs"
    await desk.duty.work_through()
    assert await desk.bench.count(again) == 100


async def test_the_longer_a_number_is_of_no_parcel_the_more_rarely_it_is_looked_for(
    desk: Desk,
) -> None:
    await desk.generic(scan("T-OF-ANOTHER", "in_transit"))
    pauses = []
    for age in (timedelta(0), timedelta(days=10)):
        await desk.since(age)
        await desk.later()
        (message,) = await desk.messages()
        assert message.try_after is not None
        pauses.append(message.try_after - datetime.now(UTC))
    assert pauses[0] < timedelta(minutes=1) < timedelta(hours=9) < pauses[1]
    await desk.pool.execute("update carrier_message set body = '{'")
    await desk.later()
    (message,) = await desk.messages()
    assert message.try_after is not None
    assert message.try_after - datetime.now(UTC) < timedelta(hours=1), "what is mended is read soon"


async def test_local_times_that_easypost_writes_as_utc_are_of_the_parcel_that_has_the_number(
    desk: Desk,
) -> None:
    """It does so where a scan has no place: one of now in Los Angeles seems 8 hours old."""
    part, number = await desk.shipped()
    now = datetime.now(UTC)
    way = [detail("pre_transit", now - timedelta(hours=8)), detail("in_transit", now)]
    await desk.easypost(tracker_event(number, way))
    older = [detail("delivered", now - timedelta(hours=14))]
    await desk.easypost(tracker_event(number, older, event_id="evt_2"))
    await desk.duty.work_through()
    assert await desk.status(part) == "in_transit"
    second, first = await desk.messages()
    assert (first.outcome, second.outcome) == ("2 new", "1 of another")


async def test_two_workers_share_the_messages_and_do_each_once(desk: Desk) -> None:
    parts = [await desk.shipped() for _ in range(30)]
    for number in [number for _, number in parts for _ in range(2)]:
        await desk.generic(scan(number, "in_transit"), scan(number, "delivered"))
    others = [CarrierMessages(desk.pool) for _ in range(2)]
    await asyncio.gather(desk.duty.work_through(), *(one.work_through() for one in others))
    assert {await desk.bench.state(part) for part, _ in parts} == {"delivered"}
    assert {one.outcome for one in await desk.messages()} <= {
        "2 new",
        "2 repeat",
        "1 new, 1 repeat",
    }
    assert await desk.bench.count("select count(*) from carrier_event") == 60
    assert await desk.tasks() == []
