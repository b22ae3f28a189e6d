"""What payment companies tell by themselves: taken at the door, and worked through once."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from activities.payments.provider_events import ProviderEvents
from activities.providers.sandbox import webhooks
from activities.providers.sandbox.webhooks import SignedEvent
from domain.errors import InvalidInput
from domain.payments import signatures
from domain.payments.disputes import DisputeState
from domain.payments.provider_events import News, Wake
from starter.service.webhooks import BODY_BYTES_MAX, Webhooks, signature_checks
from store.database import Pool, open_pool
from store.locks import lock_order
from store.orders import events
from store.payments import payments, provider_reads
from store.views import reads
from tests.support.bench import Bench
from tests.support.builders import an_order
from tests.support.provider_desk import SECRET, Telling

OPEN = DisputeState.NEEDS_RESPONSE


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    bench = Bench(pool)
    await bench.stocked("TEA", 100)
    return bench


@pytest.fixture
def company(pool: Pool) -> Telling:
    return Telling(pool)


async def kept(pool: Pool) -> list[dict[str, Any]]:
    async with pool.acquire() as conn:
        return [dict(row) for row in await conn.fetch("select * from provider_event")]


async def due_now(pool: Pool) -> None:
    """Whatever waits for its next try has waited long enough."""
    async with pool.acquire() as conn:
        await conn.execute("update provider_event set try_after = clock_timestamp()")


# At the door --------------------------------------------------------------------------------------


async def test_what_is_answered_is_kept(pool: Pool, company: Telling) -> None:
    event = company.dispute("auth_1", OPEN)
    answer = await company.deliver(event)
    assert (answer.status, answer.message, answer.event_id) == (200, "kept", "evt_1")
    (row,) = await kept(pool)
    assert (row["provider"], row["type"]) == ("sandbox", "dispute.updated")
    assert row["body"] == json.loads(event.body)
    assert row["happened_at"] == company.began
    assert row["processed_at"] is None


async def test_forged_stale_and_broken_requests_are_refused_and_leave_nothing(
    pool: Pool, company: Telling, caplog: pytest.LogCaptureFixture
) -> None:
    now = company.began
    good = company.dispute("auth_1", OPEN)
    forged = good.body.replace(b"auth_1", b"auth_2")
    cut_off = good.body[:-10]

    async def refused(body: bytes, signature: str, provider: str = "sandbox") -> tuple[int, str]:
        answer = await company.desk.receive(provider, body, signature, now=now)
        assert answer.event_id is None
        return answer.status, answer.message

    def signed(body: bytes, secret: str = SECRET, age_s: int = 0) -> str:
        return signatures.sign(body, secret, at=now - timedelta(seconds=age_s))

    requests: list[tuple[tuple[bytes, str] | tuple[bytes, str, str], int, str]] = [
        ((forged, good.signature), 400, "not made with a secret"),
        ((good.body, signed(good.body, "another company's secret")), 400, "not made with a secret"),
        ((good.body, ""), 400, "must be like"),
        ((good.body, signed(good.body, age_s=301)), 400, "301 s ago"),
        ((good.body, signed(good.body, age_s=-302)), 400, "from now"),
        ((cut_off, good.signature), 400, "not made with a secret"),
        ((cut_off, signed(cut_off)), 400, "cut off"),
        ((b"{}", signed(b"{}")), 400, "id, type, created"),
        ((b" " * (BODY_BYTES_MAX + 1), good.signature), 400, "larger than"),
        ((good.body, good.signature, "stripe"), 404, "nothing is taken of 'stripe' here"),
    ]
    for request, status, why in requests:
        told_status, told = await refused(*request)
        assert (told_status, why in told) == (status, True), told
        assert SECRET not in told
    assert await kept(pool) == []
    assert SECRET not in caplog.text
    assert good.signature.rpartition("=")[2] not in caplog.text


async def test_a_company_without_secrets_is_not_known(pool: Pool, company: Telling) -> None:
    event = company.dispute("auth_1", OPEN)
    nobody = Webhooks(pool, signature_checks({"sandbox": []}))
    answer = await nobody.receive("sandbox", event.body, event.signature, now=datetime.now(UTC))
    assert answer.status == 404


async def test_a_company_may_sign_in_a_way_of_its_own(pool: Pool, company: Telling) -> None:
    def check(body: bytes, signature: str, _: datetime) -> None:
        if signature != f"{len(body)} bytes":
            raise InvalidInput("counts other bytes", where="signature")

    event, now = company.dispute("auth_1", OPEN), datetime.now(UTC)
    desk = Webhooks(pool, {"sandbox": check})
    refused = await desk.receive("sandbox", event.body, event.signature, now=now)
    assert (refused.status, refused.message) == (400, "signature: counts other bytes")
    taken = await desk.receive("sandbox", event.body, f"{len(event.body)} bytes", now=now)
    assert taken.status == 200


async def test_while_a_secret_is_replaced_both_are_good(pool: Pool, company: Telling) -> None:
    both = Webhooks(
        pool, signature_checks({"sandbox": [SecretStr("the next secret of it"), SecretStr(SECRET)]})
    )
    event = company.dispute("auth_1", OPEN)
    answer = await both.receive("sandbox", event.body, event.signature, now=datetime.now(UTC))
    assert answer.status == 200


async def test_a_replay_is_answered_as_taken_and_kept_once(pool: Pool, company: Telling) -> None:
    event = company.dispute("auth_1", OPEN)
    answers = await asyncio.gather(*(company.deliver(event) for _ in range(10)))
    assert [answer.status for answer in answers] == [200] * 10
    assert sorted(answer.message for answer in answers) == ["kept"] + ["kept before"] * 9
    assert len(await kept(pool)) == 1


async def test_the_same_id_with_other_content_changes_nothing(
    pool: Pool, company: Telling, caplog: pytest.LogCaptureFixture
) -> None:
    opened = company.dispute("auth_1", OPEN)
    await company.tell(opened)
    (first,) = await kept(pool)
    # Another delivery of it.
    body = json.dumps({**json.loads(opened.body), "pending_webhooks": 0}).encode()
    signature = signatures.sign(body, SECRET, at=datetime.now(UTC))
    with caplog.at_level(logging.WARNING):
        await company.tell(SignedEvent(body, signature))
        assert "other content" not in caplog.text
        await company.tell(Telling(pool).dispute("auth_2", DisputeState.LOST))
    assert "evt_1 came again with other content" in caplog.text
    assert await kept(pool) == [first]


async def test_while_the_database_is_away_the_company_is_asked_to_come_again(
    database_url: str, company: Telling
) -> None:
    gone = await open_pool(database_url)
    await gone.close()
    event = company.dispute("auth_1", OPEN)
    desk = Webhooks(gone, signature_checks({"sandbox": [SecretStr(SECRET)]}))
    answer = await desk.receive("sandbox", event.body, event.signature, now=datetime.now(UTC))
    assert answer.status == 503


# Worked through -----------------------------------------------------------------------------------


async def test_ten_workers_at_once_process_an_event_once(
    pool: Pool, bench: Bench, company: Telling
) -> None:
    order = an_order(("TEA", 2))
    await bench.at(order, "confirmed")
    await company.tell(
        *(company.dispute("auth_1", OPEN, second, id=f"dp_{second}") for second in range(5))
    )
    workers = [Telling(pool) for _ in range(10)]
    await asyncio.gather(*(worker.worked_through() for worker in workers))
    async with pool.acquire() as conn:
        assert await conn.fetchval("select disputed from order_money") == 5 * 10_00
        told = "select count(*) from order_event where what like 'dispute%'"
        assert await conn.fetchval(told) == 5
    assert all(row["processed_at"] for row in await kept(pool))


async def test_whoever_dies_between_keeping_and_processing_loses_nothing(
    pool: Pool, bench: Bench, company: Telling, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bench.at(an_order(("TEA", 2)), "confirmed")
    await company.tell(company.dispute("auth_1", OPEN))

    class Died(BaseException):
        """As a process that is killed: nobody catches it."""

    async def die(*_: Any) -> None:
        raise Died

    with monkeypatch.context() as dying:  # all is written, and not committed
        dying.setattr("store.payments.provider_events.processed", die)
        with pytest.raises(Died):
            await company.worked_through()
    async with pool.acquire() as conn:
        assert await conn.fetchval("select disputed from order_money") == 0
        assert await conn.fetchval("select count(*) from dispute") == 0
    await Telling(pool).worked_through()
    async with pool.acquire() as conn:
        assert await conn.fetchval("select disputed from order_money") == 10_00
        assert await conn.fetchval("select count(*) from dispute") == 1


async def test_an_event_that_cannot_be_read_is_shown_tried_again_and_stops_no_other(
    pool: Pool, company: Telling
) -> None:
    def reader(body: Mapping[str, Any]) -> News | None:
        if body["id"] == "evt_1":
            raise InvalidInput("makes no sense", where="event")
        if body["id"] == "evt_2":
            raise ZeroDivisionError
        return webhooks.read_event(body)

    broken = ProviderEvents(pool, company._waken, {"sandbox": reader})
    await company.tell(*(company.dispute("auth_1", OPEN, second) for second in range(3)))
    pauses = []
    for _ in range(3):
        await due_now(pool)
        await broken.work_through(100)
        rows = {row["event_id"]: row for row in await kept(pool)}
        assert rows["evt_3"]["processed_at"] is not None
        (waits,) = [row for row in rows.values() if row["event_id"] == "evt_1"]
        pauses.append(round((waits["try_after"] - datetime.now(UTC)).total_seconds()))
    assert pauses == [1, 2, 4]
    async with pool.acquire() as conn:
        shown = await provider_reads.provider_events(conn, failed=True)
    assert {(row.event_id, row.tries, row.last_error) for row in shown} == {
        ("evt_1", 3, "event: makes no sense"),
        ("evt_2", 3, "defect: ZeroDivisionError()"),
    }
    await due_now(pool)
    await company.worked_through()  # somebody has mended it
    async with pool.acquire() as conn:
        assert await provider_reads.provider_events(conn, failed=True) == []
        assert len(await provider_reads.provider_events(conn)) == 3


async def test_the_pauses_do_not_grow_beyond_an_hour(pool: Pool, company: Telling) -> None:
    await company.tell(company.dispute("auth_1", OPEN, currency="XYZ"))
    async with pool.acquire() as conn:
        await conn.execute("update provider_event set tries = 1000")
    await company.worked_through()
    (row,) = await kept(pool)
    assert "unknown currency" in row["last_error"]
    assert row["try_after"] - datetime.now(UTC) <= timedelta(hours=1)


async def test_a_company_that_nobody_can_read_waits_with_the_reason(pool: Pool) -> None:
    company = Telling(pool)
    company.desk = Webhooks(pool, signature_checks({"paypal": [SecretStr(SECRET)]}))
    event = company.dispute("auth_1", OPEN)
    assert (await company.deliver(event, provider="paypal")).status == 200
    await company.worked_through()
    (row,) = await kept(pool)
    assert "nobody reads events of 'paypal'" in row["last_error"]


# News about payments ------------------------------------------------------------------------------


async def unsettled(bench: Bench) -> str:
    """An order with a capture of which the outcome is not known. Returns the order's id."""
    order = an_order(("TEA", 2))
    part = await bench.at(order, "confirmed")
    async with bench.pool.acquire() as conn, conn.transaction():
        await conn.execute(
            """
            insert into payment_operation (payment_key, order_no, kind, amount_minor, currency,
                                           state, provider, authorization_key, part_of)
            values ($1 || ':capture', order_no_of($1), 'capture', 10, 'USD', 'unknown', 'sandbox',
                    $2 || ':authorize', $1),
                   ($1 || ':capture/2', order_no_of($1), 'capture', 5, 'USD', 'unknown', 'sandbox',
                    $2 || ':authorize', $1)
            """,
            part,
            order.order_id,
        )
    return order.order_id


async def park(pool: Pool, order_id: str, step: str) -> None:
    async with pool.acquire() as conn:
        await events.raise_attention(conn, order_id, step, "no answer", ["retry"])


@pytest.mark.parametrize("named_by", ["key", "authorization"])
async def test_a_step_that_waits_for_a_person_looks_again_when_the_company_tells(
    pool: Pool, bench: Bench, company: Telling, named_by: str
) -> None:
    order_id = await unsettled(bench)
    await park(pool, order_id, f"charge_payment {order_id}:1")
    await park(pool, order_id, f"charge_payment {order_id}:2")  # of another parcel
    await park(pool, order_id, f"refund_payment {order_id}:R1")
    key, reference = f"{order_id}:1:capture", "auth_1"
    by_key = company.payment("captured", key=key)
    by_authorization = company.payment("captured", reference=reference)
    await company.tell(by_key if named_by == "key" else by_authorization)
    await company.worked_through()
    assert company.woken == [
        Wake(
            order_id=order_id,
            step=f"charge_payment {order_id}:1",
            why="sandbox says: captured",
        )
    ]
    async with pool.acquire() as conn:
        payment = await payments.find(conn, f"{order_id}:1:capture")
    assert payment is not None
    assert payment.state == "unknown"  # the order's own step records what became of it
    assert all(row["processed_at"] for row in await kept(pool))


async def test_a_step_that_is_running_needs_no_nudge(bench: Bench, company: Telling) -> None:
    order_id = await unsettled(bench)
    await company.tell(company.payment("captured", key=f"{order_id}:1:capture"))
    await company.worked_through()
    assert company.woken == []


async def test_an_authorization_is_looked_up_by_whichever_step_waits_for_one(
    pool: Pool, bench: Bench, company: Telling
) -> None:
    order_id = await unsettled(bench)
    async with pool.acquire() as conn:
        await conn.execute(
            """
            update payment_operation set state = 'unknown', reference = null, settled_at = null
            where kind = 'authorize'
            """
        )
    for step in (f"authorize_payment {order_id}", f"authorize_payment {order_id}:1"):
        await park(pool, order_id, step)
    await company.tell(company.payment("authorized", key=f"{order_id}:authorize"))
    await company.worked_through()
    assert {wake.step for wake in company.woken} == {
        f"authorize_payment {order_id}",
        f"authorize_payment {order_id}:1",
    }


@pytest.mark.parametrize(("fate", "woken"), [("refunded", 0), ("authorized", 0), ("failed", 1)])
async def test_only_news_of_its_own_kind_moves_a_step(
    pool: Pool, bench: Bench, company: Telling, fate: Any, woken: int
) -> None:
    order_id = await unsettled(bench)
    await park(pool, order_id, f"charge_payment {order_id}:1")
    await company.tell(company.payment(fate, key=f"{order_id}:1:capture"))
    await company.worked_through()
    assert len(company.woken) == woken


async def test_a_step_that_was_not_reached_is_woken_again(
    pool: Pool, bench: Bench, company: Telling
) -> None:
    order_id = await unsettled(bench)
    await park(pool, order_id, f"charge_payment {order_id}:1")
    await company.tell(company.payment("captured", key=f"{order_id}:1:capture"))
    company.reachable = False
    await company.worked_through()
    (row,) = await kept(pool)
    assert row["processed_at"] is None
    assert row["last_error"] == f"wakes 'charge_payment {order_id}:1' of {order_id}"
    company.reachable = True
    await due_now(pool)
    await company.worked_through()
    assert len(company.woken) == 2
    (row,) = await kept(pool)
    assert row["processed_at"] is not None


async def test_an_authorization_that_the_company_ended_has_ended(
    pool: Pool, bench: Bench, company: Telling
) -> None:
    order = an_order(("TEA", 2))
    await bench.at(order, "confirmed")
    await company.tell(
        company.payment("ended", 5, reference="auth_1", why="expired"),
        company.payment("ended", 9, reference="auth_1", why="expired"),
    )
    await company.worked_through()
    async with pool.acquire() as conn:
        ended = await conn.fetchval("select expires_at from payment")
        story = await reads.story(conn, order.order_id)
    assert ended == company.began + timedelta(seconds=5)
    told = [(e.who, e.why) for e in story if e.what == "authorization ended"]
    assert told == [("sandbox", "expired")]


async def test_what_we_released_ourselves_is_no_news(
    pool: Pool, bench: Bench, company: Telling
) -> None:
    order_id = await unsettled(bench)
    async with pool.acquire() as conn:
        await conn.execute("update payment_operation set kind = 'void' where kind = 'capture'")
        before = await conn.fetchval("select expires_at from payment where kind = 'authorize'")
    await company.tell(company.payment("ended", reference="auth_1"))
    await company.worked_through()
    async with pool.acquire() as conn:
        after = await conn.fetchval("select expires_at from payment where kind = 'authorize'")
        story = [event.what for event in await reads.story(conn, order_id)]
    assert after == before
    assert "authorization ended" not in story


async def test_a_refund_that_came_back_before_that_was_booked_is_in_a_persons_hands(
    pool: Pool, bench: Bench, company: Telling
) -> None:
    order_id = await unsettled(bench)
    key = f"{order_id}:1:capture"
    async with pool.acquire() as conn:
        await conn.execute(
            """
            update payment_operation set kind = 'refund', state = 'succeeded', reference = 're_1',
                               settled_at = now() where payment_key like '%:capture'
            """
        )
        await events.tell(conn, order_id, f"{key}:bounced", "refund came back", who="x", why="")
    await company.tell(company.payment("refund_failed", reference="re_1"))
    await company.worked_through()
    async with pool.acquire() as conn:
        assert await events.open_attention(conn, order_id) == []
        (refund,) = [p for p in await payments.of_order(conn, order_id) if p.kind == "refund"]
    assert refund.state == "succeeded"


READERS = {"sandbox": webhooks.read_event}


async def nobody_woken(_: Wake) -> bool:
    return True


async def test_an_event_that_comes_again_after_it_was_forgotten_changes_nothing(
    pool: Pool, bench: Bench, company: Telling
) -> None:
    """The rows of the dispute and of the payments say that all of it is known."""
    order = an_order(("TEA", 2))
    part = await bench.at(order, "shipped")
    await bench.charged(part)
    told = [
        company.dispute("auth_1", OPEN),
        company.payment("ended", reference="auth_1"),
        company.payment("captured", reference="cap_2"),
    ]
    forgetting = ProviderEvents(pool, nobody_woken, READERS, timedelta(0))
    await company.tell(*told)
    await company.worked_through()
    await forgetting.forget()
    assert await kept(pool) == []
    before = await bench.everything()
    await company.tell(*told)
    assert len(await kept(pool)) == len(told)
    await company.worked_through()
    await forgetting.forget()
    assert await bench.everything() == before


async def test_an_event_is_kept_until_it_was_processed_and_for_a_while(
    pool: Pool, bench: Bench, company: Telling
) -> None:
    await company.tell(company.payment("captured"))
    forgetting = ProviderEvents(pool, nobody_woken, READERS, timedelta(0))
    await forgetting.forget()
    assert len(await kept(pool)) == 1
    await company.worked_through()
    await ProviderEvents(pool, nobody_woken, READERS).forget()
    assert len(await kept(pool)) == 1
    await forgetting.forget()
    assert await kept(pool) == []


async def test_news_of_a_payment_that_is_not_ours_is_nothing(pool: Pool, company: Telling) -> None:
    await company.tell(
        company.payment("ended", reference="auth_9"),
        company.payment("refund_failed", key="web-9:R1:refund"),
        company.payment("captured"),
    )
    await company.worked_through()
    assert company.woken == []
    assert all(row["processed_at"] for row in await kept(pool))


async def test_an_event_waits_while_its_order_is_locked_and_others_go_on(
    pool: Pool, bench: Bench, company: Telling
) -> None:
    order = an_order(("TEA", 2))
    await bench.at(order, "confirmed")
    await company.tell(company.dispute("auth_1", OPEN), company.dispute("auth_9", OPEN, id="dp_9"))
    async with pool.acquire() as conn, conn.transaction():
        await lock_order(conn, order.order_id)
        working = [asyncio.create_task(Telling(pool).worked_through()) for _ in range(2)]
        async with asyncio.timeout(20):
            while await conn.fetchval("select count(*) from dispute") == 0:
                await asyncio.sleep(0.02)
        assert await conn.fetchval("select dispute_id from dispute") == "dp_9"
    await asyncio.gather(*working)
    async with pool.acquire() as conn:
        assert await conn.fetchval("select count(*) from dispute") == 2
