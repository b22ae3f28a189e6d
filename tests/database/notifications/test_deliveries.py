"""Events reach their receivers, whatever these do: each once, an order's in sequence."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_structured_event
from standardwebhooks import Webhook, WebhookVerificationError

from activities.notifications.delivering import Deliver, Delivered, Deliveries
from domain.errors import InvalidInput, NotFound
from domain.notifications.subscriptions import NewSubscription, SubscriptionChange
from starter.service.attention import AttentionList
from store.database import Pool
from store.notifications import deliveries
from tests.database.notifications.desk import Desk
from tests.support.planted import CUSTOMER, WORDS, planted
from tests.support.receiver import Got, Receiver, Reply, receiving, sending


@pytest.fixture
async def desk(pool: Pool) -> AsyncIterator[Desk]:
    async with sending(seconds_max=0.5) as sender:
        yield Desk(pool, sender)


def once_and_in_order(receiver: Receiver) -> None:
    ids = [got.headers["webhook-id"] for got in receiver.taken]
    assert len(set(ids)) == len(ids)
    assert all(each == sorted(each) for each in receiver.by_order().values())


async def test_a_message_is_a_signed_cloud_event_with_the_whole_order(desk: Desk) -> None:
    async with receiving() as receiver:
        made = await desk.subscribe(receiver.url)
        order_id = await desk.order()
        await desk.tell(order_id, "shipped")
        await desk.deliver_all(made)
        assert receiver.types == ["order.received", "fulfilment.shipped"]
        got = receiver.taken[1]
        assert got.headers["content-type"] == "application/cloudevents+json"
        assert got.headers["host"].startswith("localhost:")
        Webhook(made.secret.get_secret_value()).verify(got.body, dict(got.headers))
        with pytest.raises(WebhookVerificationError):
            Webhook(made.secret.get_secret_value()).verify(got.body + b" ", dict(got.headers))
        parsed = from_structured_event(HTTPMessage(dict(got.headers), got.body))
        assert parsed.get_id() == got.headers["webhook-id"]
        assert parsed.get_type() == "orderloom.fulfilment.shipped.v1"
        assert parsed.get_source() == "/orderloom/sellers/main"
        assert parsed.get_subject() == order_id
        assert parsed.get_extension("sequence") == f"{2:020d}"
        data = got.event["data"]
        assert data["fulfilment_id"] == f"{order_id}:1"
        assert data["order"]["order_id"] == order_id
        assert data["order"]["lines"][0]["sku"] == "TEA"


async def test_whatever_the_receiver_does_each_event_is_taken_once_and_in_order(
    desk: Desk,
) -> None:
    misdeeds = [
        Reply(500, body=b"oh no"),
        Reply(how="hang"),
        Reply(302, {"location": "http://localhost:1/"}),
        Reply(how="close"),
        Reply(429, {"retry-after": "7"}),
        Reply(200, body=b"x" * 100, how="drip"),
        Reply(502),
    ]

    def every_third_fails(number: int, _got: Got) -> Reply:
        return misdeeds[number // 3 % len(misdeeds)] if number % 3 == 0 else Reply()

    async with receiving(every_third_fails) as receiver:
        made = await desk.subscribe(receiver.url)
        order_ids = [await desk.order() for _ in range(5)]
        for _ in range(4):
            for order_id in order_ids:
                await desk.tell(order_id, "packed", "shipped")
        await desk.deliver_all(made)
        assert len(receiver.taken) == 45
        once_and_in_order(receiver)
        attempts = await desk.door.deliveries(made.subscription.subscription_id, at_most=1000)
        assert len(attempts) == len(receiver.all)
        told = {(one.status, (one.error or "").split(" localhost")[0]) for one in attempts}
        assert {status for status, _ in told} == {204, 500, None, 302, 429, 502}
        assert (302, "answered 302 a redirect is not followed") in told
        assert (None, "no answer within 0.5 s") in told
        (oops,) = {one.answer for one in attempts if one.status == 500}
        assert oops == "oh no"


async def test_an_event_that_fails_holds_back_its_order_and_no_other(desk: Desk) -> None:
    bad = ""

    def one_fails(_number: int, got: Got) -> Reply:
        return Reply(500) if got.event["subject"] == bad else Reply()

    async with receiving(one_fails) as receiver:
        made = await desk.subscribe(receiver.url)
        bad, good = await desk.order(), await desk.order()
        await desk.tell(bad, "packed")
        await desk.tell(good, "packed", "shipped")
        done = await desk.deliver(made)
        assert not done.more
        assert done.next_at is not None
        assert done.next_at - datetime.now(UTC) < timedelta(seconds=6)
        await desk.tell(bad, "shipped")
        await desk.tell(good, "delivered")
        await desk.deliver(made)
        assert receiver.by_order().keys() == {good}
        assert len(receiver.all) == 5, "what is held back is not tried"
        waiting = await desk.door.retried(made.subscription.subscription_id)
        assert [one.state for one in waiting] == ["retrying", "waiting", "waiting"]
        still_bad, bad = bad, ""
        await desk.deliver_all(made)
        assert len(receiver.by_order()[still_bad]) == 3
        once_and_in_order(receiver)


async def test_after_the_last_attempt_it_is_a_dead_letter_and_its_order_goes_on(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    broken = True

    def no_packing(_number: int, got: Got) -> Reply:
        return Reply(400) if broken and "packed" in got.event["type"] else Reply()

    async with receiving(no_packing) as receiver:
        made = await desk.subscribe(receiver.url)
        named = made.subscription.subscription_id
        order_id = await desk.order()
        await desk.tell(order_id, "packed", "shipped")
        await desk.deliver_all(made)
        assert receiver.types == ["order.received", "fulfilment.shipped"]
        assert len(receiver.all) == 12, "ten attempts for the one"
        (letter,) = await desk.door.dead()
        assert (letter.subscription_id, letter.tries, letter.state) == (named, 10, "dead")
        assert letter.last_error == "answered 400"
        ids = {got.headers["webhook-id"] for got in receiver.all if "packed" in got.event["type"]}
        assert len(ids) == 1, "its id is the same in each attempt"
        assert caplog.messages == [f"{ids.pop()} is a dead letter of subscription {named}"]
        assert await desk.door.resend(named, [letter.position + 1]) == 0
        broken = False
        assert await desk.door.resend(named) == 1
        await desk.deliver_all(made)
        assert receiver.types[-1] == "fulfilment.packed"
        assert await desk.door.dead(named) == []


async def test_an_event_that_cannot_be_made_is_a_dead_letter_and_all_others_go_on(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    async with receiving() as receiver:
        made = await desk.subscribe(receiver.url)
        named = made.subscription.subscription_id
        odd, good = await desk.order(), await desk.order()
        await desk.tell(odd, "packed")
        await desk.tell(odd, "charged", data={"amount_minor": 700, "currency": "QQA"})
        await desk.tell(odd, "shipped")
        await desk.tell(good, "packed", "shipped")
        await desk.deliver_all(made)
        assert len(receiver.taken) == len(receiver.all) == 6
        once_and_in_order(receiver)
        (letter,) = await desk.door.dead(named)
        assert (letter.order_id, letter.type) == (odd, "orderloom.payment.charged.v1")
        assert letter.last_error == (
            "defect: unknown currency 'QQA'; use an ISO 4217 code such as USD"
        )
        logged = [record for record in caplog.records if record.levelname == "ERROR"]
        assert "cannot be made: UnknownCurrency" in logged[0].message
        assert "is a dead letter of subscription" in logged[1].message
        shown = await desk.door.get(named)
        assert (shown.failing_since, shown.dead, shown.state) == (None, 1, "active")
        assert await desk.door.resend(named) == 1
        await desk.deliver_all(made)
        assert len(await desk.door.dead(named)) == 1, "nothing was mended"
        await desk.know("QQA")
        assert await desk.door.resend(named) == 1
        await desk.deliver_all(made)
        assert receiver.types[-1] == "payment.charged"
        assert receiver.taken[-1].event["data"]["amount"] == "7.00"
        assert await desk.door.dead(named) == []


async def test_an_order_that_cannot_be_shown_stops_neither_deliveries_nor_readers(
    desk: Desk,
) -> None:
    async with receiving() as receiver:
        made = await desk.subscribe(receiver.url)
        odd, good = await desk.order(), await desk.order()
        await desk.currency(odd, "QQB")
        await desk.tell(odd, "packed")
        await desk.tell(good, "packed")
        await desk.deliver_all(made)
        assert receiver.by_order().keys() == {good}
        assert len(receiver.taken) == 2
        letters = await desk.door.dead(made.subscription.subscription_id)
        assert [letter.order_id for letter in letters] == [odd, odd]
        read = await desk.door.read(0)
        assert [event.subject for event in read.events] == [good, good]
        assert read.left_out == (1, 3)
        assert read.position == 4
        await desk.currency(odd, "USD")
        assert (await desk.door.read(0)).left_out == ()
        assert await desk.door.resend(made.subscription.subscription_id) == 2
        await desk.deliver_all(made)
        once_and_in_order(receiver)
        assert len(receiver.taken) == 4


async def test_a_database_that_is_away_makes_no_dead_letters(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with receiving() as receiver:
        made = await desk.subscribe(receiver.url)
        await desk.order()

        async def away(*_: object) -> None:
            raise ConnectionResetError("the server has gone")

        with monkeypatch.context() as broken:
            broken.setattr("store.notifications.messages.snapshots", away)
            with pytest.raises(ConnectionResetError):
                await desk.deliver(made)
        assert await desk.door.dead() == []
        await desk.deliver_all(made)
        assert len(receiver.taken) == 1


async def test_a_receiver_that_is_away_is_asked_with_one_event_at_a_time(desk: Desk) -> None:
    away = True
    async with receiving(lambda _n, _g: Reply(503) if away else Reply()) as receiver:
        made = await desk.subscribe(receiver.url)
        for _ in range(20):
            await desk.order()
        done = await desk.deliver(made)
        assert 3 <= len(receiver.all) <= 6
        assert done.next_at is not None
        asked = len(receiver.all)
        await desk.pool.execute("update event_subscription set rest_until = null")
        await desk.deliver(made)
        assert len(receiver.all) == asked + 1
        shown = await desk.door.get(made.subscription.subscription_id)
        assert shown.failing_since is not None
        assert shown.rests_until is not None
        away = False
        await desk.deliver_all(made)
        assert len(receiver.taken) == 20
        shown = await desk.door.get(made.subscription.subscription_id)
        assert (shown.failing_since, shown.retried) == (None, 0)


async def test_what_it_asks_for_is_heard_within_bounds(desk: Desk) -> None:
    reply = Reply(429, {"retry-after": "120"})
    async with receiving(lambda _n, _g: reply) as receiver:
        made = await desk.subscribe(receiver.url)
        await desk.order()

        async def rests() -> float:
            await desk.later()
            await desk.deliver(made)
            shown = await desk.door.get(made.subscription.subscription_id)
            assert shown.rests_until is not None
            return (shown.rests_until - datetime.now(UTC)).total_seconds()

        assert 110 < await rests() <= 120
        reply = Reply(504, {"retry-after": "86400"})
        assert 3500 < await rests() <= 3600
        reply = Reply(502, {"retry-after": "sometime"})
        assert 0 < await rests() <= 5


async def test_one_that_is_gone_is_disabled_and_loses_nothing(desk: Desk) -> None:
    gone = True
    async with receiving(lambda _n, _g: Reply(410) if gone else Reply()) as receiver:
        made = await desk.subscribe(receiver.url)
        named = made.subscription.subscription_id
        order_id = await desk.order()
        assert await desk.deliver(made) == (await desk.deliver(made))
        shown = await desk.door.get(named)
        assert (shown.state, shown.why) == (
            "disabled",
            "the receiver answered 410: it wants nothing more",
        )
        (task,) = await AttentionList(desk.pool).tasks()
        assert (task.kind, task.name) == ("subscription", named)
        await desk.tell(order_id, "packed")
        await desk.deliver(made)
        assert len(receiver.all) == 1
        gone = False
        change = SubscriptionChange(state="active")
        assert (await desk.door.update(named, change, by="kim")).why is None
        assert await AttentionList(desk.pool).tasks() == []
        await desk.deliver_all(made)
        assert receiver.types == ["order.received", "fulfilment.packed"]


async def test_one_that_takes_nothing_for_days_is_disabled(desk: Desk) -> None:
    async with receiving(lambda _n, _g: Reply(500)) as receiver:
        made = await desk.subscribe(receiver.url)
        await desk.order()
        await desk.deliver(made)
        await desk.later()
        since = "update event_subscription set failing_since = now() - interval '6 days'"
        await desk.pool.execute(since)
        await desk.deliver(made)
        shown = await desk.door.get(made.subscription.subscription_id)
        assert shown.state == "disabled"
        assert shown.why is not None
        assert shown.why.startswith("nothing was taken since 20")


async def test_everything_is_sent_again_from_a_position_or_a_time(desk: Desk) -> None:
    async with receiving() as receiver:
        made = await desk.subscribe(receiver.url)
        named = made.subscription.subscription_id
        order_id = await desk.order()
        await desk.tell(order_id, "packed", "shipped")
        await desk.deliver_all(made)
        first = [got.headers["webhook-id"] for got in receiver.taken]
        assert (await desk.door.replay(named, position=2)).events == 2
        await desk.deliver_all(made)
        assert [got.headers["webhook-id"] for got in receiver.taken] == first + first[1:]
        done = await desk.door.replay(named, since=datetime(2020, 1, 1, tzinfo=UTC))
        assert done.from_position == 1
        await desk.deliver_all(made)
        assert len(receiver.taken) == 8
        with pytest.raises(InvalidInput, match="no event is kept from then on"):
            await desk.door.replay(named, position=9)
        with pytest.raises(InvalidInput, match="a time or a position"):
            await desk.door.replay(named)


async def test_a_subscription_gets_what_it_asked_for_and_a_paused_one_gets_it_later(
    desk: Desk,
) -> None:
    async with receiving() as receiver, receiving() as other:
        types = ["orderloom.fulfilment.shipped.v1"]
        made = await desk.subscribe(receiver.url, types=types, channels=["web"])
        nothing = await desk.subscribe(other.url, channels=["pos"], sellers=["main"])
        order_id = await desk.order()
        await desk.tell(order_id, "packed", "put back", "shipped")
        await desk.door.update(
            made.subscription.subscription_id, SubscriptionChange(state="paused"), by="kim"
        )
        await desk.deliver_all(made)
        assert receiver.all == []
        shown = await desk.door.get(made.subscription.subscription_id)
        assert (shown.state, shown.why) == ("paused", "paused by kim")
        await desk.door.update(
            made.subscription.subscription_id, SubscriptionChange(state="active"), by="kim"
        )
        await desk.deliver_all(made)
        await desk.deliver_all(nothing)
        assert receiver.types == ["fulfilment.shipped"]
        assert other.all == []


async def test_messages_are_signed_with_all_secrets_until_the_old_ones_are_given_up(
    desk: Desk,
) -> None:
    async with receiving() as receiver:
        made = await desk.subscribe(receiver.url)
        named = made.subscription.subscription_id
        new = await desk.door.rotate(named)
        assert new.subscription.secrets == 2
        order_id = await desk.order()
        await desk.deliver_all(made)
        got = receiver.taken[0]
        for secret in (made.secret, new.secret):
            Webhook(secret.get_secret_value()).verify(got.body, dict(got.headers))
        assert (await desk.door.keep_newest_secret(named)).secrets == 1
        await desk.tell(order_id, "packed")
        await desk.deliver_all(made)
        got = receiver.taken[1]
        Webhook(new.secret.get_secret_value()).verify(got.body, dict(got.headers))
        with pytest.raises(WebhookVerificationError):
            Webhook(made.secret.get_secret_value()).verify(got.body, dict(got.headers))
        for _ in range(5):
            shown = await desk.door.rotate(named)
        assert shown.subscription.secrets == 3
        assert new.secret.get_secret_value() not in repr(await desk.door.list())


async def test_a_test_is_sent_once_also_where_nothing_else_is(desk: Desk) -> None:
    async with receiving(lambda _n, _g: Reply(500)) as receiver:
        made = await desk.subscribe(receiver.url)
        named = made.subscription.subscription_id
        await desk.door.update(named, SubscriptionChange(state="paused"), by="kim")
        message_id = await desk.door.test(named)
        assert await desk.deliver_all(made) == await desk.deliver(made)
        (attempt,) = await desk.door.deliveries(named, message_id=message_id)
        assert (attempt.status, attempt.type) == (500, "orderloom.test.v1")
        assert len(receiver.all) == 1
        assert receiver.all[0].event["data"] == {"message": "This is a test of your subscription."}
        with pytest.raises(NotFound):
            await desk.door.test("sub-none")


async def test_who_was_taken_for_dead_stops_and_what_is_recorded_is_not_sent_again(
    desk: Desk,
) -> None:
    """A worker stalls in the middle; another one takes over."""
    async with receiving() as receiver:
        made = await desk.subscribe(receiver.url)
        order_id = await desk.order()
        await desk.tell(order_id, "packed", "shipped", "delivered")
        taken_over = False

        def take_over(number: int, _got: Got) -> Reply:
            nonlocal taken_over
            taken_over = taken_over or number == 2
            return Reply()

        receiver.behaviour = take_over
        stalled = asyncio.create_task(desk.deliver(made))
        while not taken_over:
            await asyncio.sleep(0.001)
        await desk.deliver(made)
        await stalled
        await desk.deliver_all(made)
        assert set(receiver.types) == {
            *("order.received", "fulfilment.packed", "fulfilment.shipped", "fulfilment.delivered")
        }
        # Of the two, one may have sent the event whose answer the other had not yet recorded.
        assert 4 <= len(receiver.taken) <= 6


async def test_a_crash_after_some_were_recorded_sends_only_the_rest(desk: Desk) -> None:
    async with receiving() as receiver:
        made = await desk.subscribe(receiver.url)
        order_id = await desk.order()
        await desk.tell(order_id, "packed", "shipped")
        real = deliveries.attempted
        count = 0

        async def dies(*arguments: object) -> bool:
            nonlocal count
            count += 1
            if count == 2:
                raise OSError("killed")
            return await real(*arguments)  # type: ignore[arg-type]  # handed on as they came

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(deliveries, "attempted", dies)
            with pytest.raises(ExceptionGroup):
                await desk.deliver(made)
        await desk.deliver_all(made)
        assert receiver.types == [
            *("order.received", "fulfilment.packed"),
            *("fulfilment.packed", "fulfilment.shipped"),
        ]
        packed = [got.headers["webhook-id"] for got in receiver.taken[1:3]]
        assert packed[0] == packed[1], "the receiver knows that it has it"


class Mortal:
    """A pool whose worker dies as it wants its n-th connection."""

    def __init__(self, pool: Pool, lives: int) -> None:
        self.pool = pool
        self.lives = lives

    def acquire(self) -> Any:
        self.lives -= 1
        if self.lives == 0:
            raise OSError("killed")
        return self.pool.acquire()


async def test_whenever_a_worker_dies_nothing_is_lost_and_no_order_is_out_of_sequence(
    desk: Desk,
) -> None:
    """Between any two of its statements, while one event of each order fails at first."""
    deaths = 0
    async with sending(seconds_max=0.5) as sender:
        for lives in range(1, 40):
            seen: set[str] = set()

            def packing_fails_once(_number: int, got: Got, seen: set[str] = seen) -> Reply:
                name = got.headers["webhook-id"]
                fails = name not in seen and "packed" in got.event["type"]
                seen.add(name)
                return Reply(500) if fails else Reply()

            async with receiving(packing_fails_once) as receiver:
                made = await desk.subscribe(receiver.url)
                begun = (await desk.door.get(made.subscription.subscription_id)).position
                first, second = await desk.order(), await desk.order()
                await desk.tell(first, "packed", "shipped")
                await desk.tell(second, "shipped", "packed", "delivered")
                mortal = cast("Pool", Mortal(desk.pool, lives))
                dying = Deliveries(mortal, sender)
                ask = Deliver(subscription_id=made.subscription.subscription_id)
                done = Delivered(more=True)
                try:
                    while done.more or done.next_at is not None:
                        done = await dying.deliver_events(ask)
                        await desk.later()
                except (OSError, ExceptionGroup):
                    deaths += 1
                await desk.deliver_all(made)
                firsts = {
                    order_id: list(dict.fromkeys(each))
                    for order_id, each in receiver.by_order().items()
                }
                assert firsts == {
                    first: [f"{begun + n:020d}" for n in (1, 3, 4)],
                    second: [f"{begun + n:020d}" for n in (2, 5, 6, 7)],
                }
                await desk.door.remove(made.subscription.subscription_id)
    assert 15 < deaths < 39, "every place was tried, and then there was none left"


async def test_one_that_is_removed_in_the_middle_is_sent_nothing_more(desk: Desk) -> None:
    async with receiving() as receiver:
        made = await desk.subscribe(receiver.url)
        order_id = await desk.order()
        await desk.tell(order_id, "packed", "shipped")
        named = made.subscription.subscription_id
        removing: list[asyncio.Task[None]] = []

        def remove(number: int, _got: Got) -> Reply:
            if number == 1:
                removing.append(asyncio.create_task(desk.door.remove(named)))
            return Reply(how="drip", body=b"12345")

        receiver.behaviour = remove
        assert (await desk.deliver(made)).next_at is None
        assert len(receiver.all) == 1
        await asyncio.gather(*removing)


async def test_events_are_read_by_position_and_filters(desk: Desk) -> None:
    begun = await desk.door.read(None)
    assert begun.events == ()
    order_id = await desk.order()
    await desk.tell(order_id, "packed", "shipped")
    read = await desk.door.read(begun.position, limit=2)
    assert [event.sequence for event in read.events] == [f"{n:020d}" for n in (1, 2)]
    rest = await desk.door.read(read.position)
    assert [event.type for event in rest.events] == ["orderloom.fulfilment.shipped.v1"]
    assert json.loads(rest.events[0].body())["data"]["order"]["order_id"] == order_id
    assert (await desk.door.read(rest.position)).events == ()
    only = await desk.door.read(0, types=["orderloom.fulfilment.packed.v1"], channels=["web"])
    assert len(only.events) == 1
    assert only.position == 3
    assert (await desk.door.read(0, sellers=["nobody"])).events == ()
    with pytest.raises(InvalidInput, match="are not kept; they go on after 3"):
        await desk.door.read(4)
    await desk.pool.execute("delete from event_out where position < 3")
    with pytest.raises(InvalidInput, match="events after 1 are not kept"):
        await desk.door.read(1)
    assert len((await desk.door.read(2)).events) == 1


async def test_what_is_asked_for_is_checked(desk: Desk) -> None:
    with pytest.raises(InvalidInput, match="channels: there is no channel nowhere"):
        await desk.subscribe("https://shop.example/", channels=["nowhere"])
    with pytest.raises(InvalidInput, match="sellers: there is no seller nobody"):
        await desk.subscribe("https://shop.example/", sellers=["nobody"])
    desk.door = type(desk.door)(desk.pool)
    with pytest.raises(InvalidInput, match="must begin with https"):
        await desk.door.make(NewSubscription(url="http://shop.example/"), by="kim")
    with pytest.raises(NotFound, match="there is no subscription sub-none"):
        await desk.door.remove("sub-none")


async def test_no_name_and_no_address_is_sent(desk: Desk) -> None:
    async with receiving() as receiver:
        made = await desk.subscribe(receiver.url)
        await desk.order(**planted())
        await desk.deliver_all(made)
        (got,) = receiver.taken
        assert got.event["data"]["order"]["customer_id"] == CUSTOMER["id"]
        sent = got.body.decode().replace(CUSTOMER["id"], "")
        assert [word for word in WORDS if word.casefold() in sent.casefold()] == []


async def test_a_receivers_answer_goes_with_the_person_of_its_order(desk: Desk) -> None:
    async with receiving(lambda _n, _g: Reply(400, body=b"no Zwirbelhuber here")) as receiver:
        made = await desk.subscribe(receiver.url)
        await desk.order()
        await desk.deliver(made)
        (attempt,) = await desk.door.deliveries(made.subscription.subscription_id)
        assert attempt.answer == "no Zwirbelhuber here"
        await desk.pool.execute("update order_person set erased_at = now()")
        (attempt,) = await desk.door.deliveries(made.subscription.subscription_id)
        assert attempt.answer is None


async def test_what_waits_for_an_event_goes_on_when_that_cannot_be_made_any_more(
    desk: Desk,
) -> None:
    away = True
    async with receiving(lambda _n, _g: Reply(500) if away else Reply()) as receiver:
        made = await desk.subscribe(receiver.url)
        odd = await desk.order()
        await desk.deliver(made)  # tried again later
        await desk.tell(odd, "packed", "shipped")
        await desk.later()
        await desk.deliver(made)
        away = False
        await desk.currency(odd, "QQB")
        await desk.later()
        await desk.deliver(made)
        await desk.currency(odd, "USD")
        await desk.deliver_all(made)
        letters = await desk.door.dead(made.subscription.subscription_id)
        taken = [*receiver.types, *(letter.type.split(".", 1)[1][:-3] for letter in letters)]
        assert sorted(taken) == ["fulfilment.packed", "fulfilment.shipped", "order.received"]
        assert letters
        assert await desk.door.resend(made.subscription.subscription_id) == len(letters)
        await desk.deliver_all(made)
        assert len(receiver.taken) == 3
