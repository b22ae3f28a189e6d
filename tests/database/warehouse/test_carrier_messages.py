"""What carriers send by themselves: kept at the door, and worked through as reports are."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from activities.warehouse.carrier_messages import CarrierMessages
from starter.service.attention import way_on_of
from starter.service.carrier_webhooks import BODY_BYTES_MAX
from store.database import Pool
from tests.database.warehouse.desk import Desk
from tests.support.builders import an_order
from tests.support.carrier_desk import (
    CARRIER_SECRETS,
    by_easypost,
    by_standard,
    detail,
    scan,
    tracker_event,
)


@pytest.fixture
async def desk(pool: Pool) -> Desk:
    desk = Desk(pool)
    await desk.bench.stocked("TEA", 1000)
    return desk


async def test_an_easypost_tracker_takes_its_parcel_to_its_end(desk: Desk) -> None:
    part, number = await desk.shipped()
    now = datetime.now(UTC)
    way = [detail("in_transit", now - timedelta(minutes=9), "Arrived", "CHICAGO")]
    assert (await desk.easypost(tracker_event(number, way))).status == 200
    await desk.duty.work_through()
    assert await desk.status(part) == "in_transit"
    way.append(detail("delivered", now - timedelta(minutes=1), "Left with a neighbour"))
    await desk.easypost(tracker_event(number, way, event_id="evt_2"))
    await desk.duty.work_through()
    assert await desk.bench.state(part) == "delivered"
    second, first = await desk.messages()
    assert (first.outcome, second.outcome) == ("1 new", "1 new, 1 repeat")
    bodies = "select count(*) from carrier_message where body is not null"
    assert await desk.bench.count(bodies) == 0, "it names who signed for the parcel"
    details = await desk.pool.fetch("select detail from carrier_event order by happened_at")
    assert [row["detail"] for row in details] == ["Arrived, CHICAGO US", "Left with a neighbour"]


async def test_a_parcel_that_moves_was_handed_over(desk: Desk) -> None:
    part = await desk.bench.at(an_order(("TEA", 2)), "labelled")
    number = str((await desk.bench.parcel(part)).tracking_number)
    await desk.generic(scan(number, "in_transit"))
    await desk.duty.work_through()
    assert await desk.bench.state(part) == "shipped"


async def test_a_flood_of_duplicates_is_one_message(desk: Desk) -> None:
    part, number = await desk.shipped()
    body = tracker_event(number, [detail("in_transit", datetime.now(UTC))])
    answers = await asyncio.gather(*(desk.easypost(body) for _ in range(300)))
    assert {answer.status for answer in answers} == {200}
    assert [answer.message for answer in answers].count("kept") == 1
    await desk.duty.work_through()
    assert (await desk.easypost(body)).message == "kept before"
    assert len(await desk.messages()) == 1
    assert await desk.bench.count("select count(*) from carrier_event") == 1
    assert await desk.status(part) == "in_transit"


async def test_messages_in_any_order_and_twice_lead_to_the_same_end(desk: Desk) -> None:
    random = Random(5)
    now = datetime.now(UTC)
    words = ("pre_transit", "in_transit", "out_for_delivery", "delivered")
    way = [detail(word, now - timedelta(minutes=9 - n)) for n, word in enumerate(words)]
    for _ in range(6):
        part, number = await desk.shipped()
        messages = [
            tracker_event(number, way[:upto], event_id=f"evt_{number}_{upto}")
            for upto in (1, 2, 3, 4)
        ]
        sent = messages + random.choices(messages, k=3)
        random.shuffle(sent)
        for body in sent:
            assert (await desk.easypost(body)).status == 200
            if random.random() < 0.5:
                await desk.duty.work_through()
        await desk.duty.work_through()
        assert await desk.bench.state(part) == "delivered"
        told = "select count(*) from carrier_event where order_no = order_no_of($1)"
        assert await desk.bench.count(told, part) == 4
    assert await desk.tasks() == []


async def test_a_recycled_number_and_an_old_scan_ask_a_person_as_any_report_does(
    desk: Desk,
) -> None:
    part, number = await desk.shipped()
    old = datetime.now(UTC) - timedelta(days=500)
    await desk.easypost(tracker_event(number, [detail("delivered", old)]))
    await desk.duty.work_through()
    assert await desk.bench.state(part) == "shipped"
    (message,) = await desk.messages()
    assert message.outcome == "1 of another"
    (task,) = await desk.tasks()
    assert (task.kind, task.name) == ("order", f"late_scan {part}")


async def test_a_label_that_is_bought_a_moment_later_is_found(desk: Desk) -> None:
    part, number = await desk.shipped()
    hidden = "update shipment set tracking_number = tracking_number || $1 where fulfilment_id = $2"
    await desk.pool.execute(hidden, "-not-yet", part)
    await desk.generic(scan(number, "in_transit"))
    await desk.duty.work_through()
    (message,) = await desk.messages()
    assert (message.tracking_number, message.outcome) == (number, None)
    assert message.last_error == f"no parcel has the number {number}"
    assert await desk.tasks() == []
    await desk.pool.execute("update shipment set tracking_number = $1", number)
    await desk.later()
    assert await desk.status(part) == "in_transit"
    assert (await desk.messages())[0].outcome == "1 new"


async def test_a_number_of_no_parcel_is_one_task_after_an_hour_and_is_given_up_in_the_end(
    desk: Desk,
) -> None:
    part, number = await desk.shipped()
    for event_id in ("evt_1", "evt_2"):
        now = datetime.now(UTC)
        body = tracker_event("1Z-OF-ANOTHER", [detail("in_transit", now)], event_id=event_id)
        assert (await desk.easypost(body)).status == 200
    await desk.generic(scan(number, "in_transit"))
    await desk.duty.work_through()
    assert await desk.status(part) == "in_transit", "no other message waits"
    assert (await desk.messages(failed=True), await desk.tasks()) == ([], [])
    await desk.since(timedelta(hours=2))
    (task,) = await desk.tasks()
    assert task.kind == "carrier_message"
    assert task.reason == "carrier easypost: no parcel has the number 1Z-OF-ANOTHER"
    assert way_on_of(task).command == f"orderloom carrier settle {task.name} --note '…'"
    (failed,) = await desk.messages(failed=True)
    assert str(failed.message_no) == task.name
    await desk.bench.carriers.settle_message(failed.message_no, "of our other shop")
    assert await desk.tasks() == []
    assert {one.outcome for one in await desk.messages()} == {
        "1 new",
        "settled: of our other shop",
    }
    await desk.generic(scan("T-NEVER", "in_transit"))
    await desk.since(timedelta(days=31))
    await desk.later()
    assert (await desk.messages())[0].outcome == "no parcel has ever had T-NEVER"


async def test_what_cannot_be_read_is_kept_and_told_and_the_rest_of_it_is_done(desk: Desk) -> None:
    part, number = await desk.shipped()
    assert (await desk.generic(scan(number, "flying"), scan(number, "in_transit"))).status == 200
    assert (await desk.easypost(b"not JSON")).status == 200
    await desk.duty.work_through()
    assert await desk.status(part) == "in_transit"
    reasons = sorted(task.reason for task in await desk.tasks())
    assert reasons[0] == "carrier easypost: body: is not JSON, or was cut off on its way"
    assert reasons[1].startswith("carrier sandbox: scans[0].status: ")
    conflict = scan(number, "delivered", event_id="in_transit")
    await desk.generic(conflict)
    await desk.duty.work_through()
    assert "came before with status in_transit" in (await desk.tasks())[-1].reason


async def test_what_is_not_signed_by_the_carrier_leaves_nothing(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    body = tracker_event("1Z1", [])
    stale = by_standard(body, "m", datetime.now(UTC) - timedelta(minutes=6))
    asked = [
        ("easypost", {}, body, 401),
        ("easypost", by_easypost(body, "another secret"), body, 401),
        ("easypost", by_easypost(body), body + b" ", 401),
        ("sandbox", by_easypost(body), body, 401),
        ("sandbox", stale, body, 401),
        ("dhl", by_easypost(body), body, 404),
        ("easypost", by_easypost(body), b" " * (BODY_BYTES_MAX + 1), 413),
    ]
    for sender, headers, content, status in asked:
        answer = await desk.receive(sender, headers, content)
        assert (answer.status, answer.event_id) == (status, None)
        assert "ORDERLOOM" not in answer.message, "strangers read it"
    assert await desk.messages() == []
    for secrets in CARRIER_SECRETS.values():
        for secret in secrets:
            assert secret.get_secret_value() not in caplog.text


async def test_a_worker_that_dies_in_the_middle_leaves_the_rest_to_the_next_one(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = [await desk.shipped() for _ in range(3)]
    await desk.generic(*(scan(number, "delivered") for _, number in parts))

    class Died(BaseException):
        """As a process that is killed: nobody catches it."""

    done = 0

    async def dies_at_the_second(self: CarrierMessages, *of: Any) -> str:
        nonlocal done
        done += 1
        if done == 2:
            raise Died
        return await real(self, *of)

    real = CarrierMessages._scan
    with monkeypatch.context() as dying:
        dying.setattr(CarrierMessages, "_scan", dies_at_the_second)
        with pytest.raises(Died):
            await desk.duty.work_through()
    await desk.duty.work_through()
    assert [await desk.bench.state(part) for part, _ in parts].count("delivered") == 1
    await desk.later()
    assert [await desk.bench.state(part) for part, _ in parts] == ["delivered"] * 3
    assert (await desk.messages())[0].outcome == "2 new, 1 repeat"
    await desk.duty.forget()
    assert len(await desk.messages()) == 1
    await desk.pool.execute("update carrier_message set processed_at = now() - interval '91 days'")
    await desk.duty.forget()
    assert await desk.messages() == []


async def test_while_the_database_is_away_nothing_is_given_up(desk: Desk) -> None:
    _, number = await desk.shipped()
    await desk.pool.execute("alter table carrier_message rename to away")
    answer = await desk.generic(scan(number, "delivered"), message_id="m")
    await desk.pool.execute("alter table away rename to carrier_message")
    assert answer.status == 503
    assert (await desk.generic(scan(number, "delivered"), message_id="m")).message == "kept"
