"""Steps that wait for the outside: none misses its report, no label waits for a dead attempt."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from activities.orders.order_records import CloseOrder
from activities.provider_errors import Declined, TimedOut, Unavailable
from activities.providers.sandbox.carrier import POSTAL_CODE_REFUSED
from store import waits
from store.database import Pool
from store.sandbox.companies import clear_faults, set_fault
from tests.support.bench import Bench, a_part, shipping
from tests.support.builders import an_order
from tests.support.builders import shipping as a_shipping


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    bench = Bench(pool)
    await bench.stocked("TEA", 1000)
    return bench


async def claimed(bench: Bench) -> list[str]:
    """The steps whose reports a relay may hand over now. Nobody else may for a while."""
    async with bench.pool.acquire() as conn:
        return [report["activity_id"] for report in await waits.claim_pending(conn, 10)]


async def ended(bench: Bench, ending: waits.Ending) -> list[str]:
    """Claim what may be handed over, and say what became of it."""
    async with bench.pool.acquire() as conn:
        reports = await waits.claim_pending(conn, 10)
        await waits.handed_over(conn, [(report, ending) for report in reports])
    return [report["activity_id"] for report in reports]


async def pass_by(bench: Bench, seconds: float) -> None:
    """Let so much time pass for the relay."""
    async with bench.pool.acquire() as conn:
        await conn.execute(
            "update wait_report set try_after = try_after - make_interval(secs => $1)", seconds
        )


async def test_a_report_is_left_alone_until_its_step_says_that_it_waits(bench: Bench) -> None:
    part = await bench.at(an_order(("TEA", 2)), "confirmed")
    await bench.warehouse.pick(part, who="picker")
    assert await claimed(bench) == []
    assert await bench.told(bench.fulfilment.pick(a_part(part))) == {
        "picked": {"1": 2},
        "missing": {},
    }
    assert await ended(bench, "arrived") == [f"pick:{part}"]
    await pass_by(bench, 3600)
    assert await claimed(bench) == []


async def test_a_step_that_waits_is_told_at_once_and_by_one_relay(bench: Bench) -> None:
    part = await bench.at(an_order(("TEA", 2)), "confirmed")
    assert await bench.waiting(bench.fulfilment.pick(a_part(part))) is None
    assert await bench.waiting(bench.delivery.await_delivery(a_part(part))) is None
    assert await claimed(bench) == []
    await bench.warehouse.pick(part, who="picker")
    assert await claimed(bench) == [f"pick:{part}"]
    assert await claimed(bench) == []


@pytest.mark.parametrize("first", ["the step", "the report"])
async def test_whichever_comes_second_calls_the_relay(bench: Bench, first: str) -> None:
    part = await bench.at(an_order(("TEA", 2)), "confirmed")
    called: list[str] = []
    acts: list[Callable[[], Awaitable[object]]] = [
        lambda: bench.waiting(bench.fulfilment.pick(a_part(part))),
        lambda: bench.warehouse.pick(part, who="picker"),
    ]
    async with bench.pool.acquire() as listening:
        await listening.add_listener(waits.CHANNEL, lambda *told: called.append(str(told[3])))
        for act in acts if first == "the step" else acts[::-1]:
            assert called == []
            await act()
        async with asyncio.timeout(5):
            while not called:
                await asyncio.sleep(0.01)
        await listening.reset()
    assert called == [f"pick:{part}"]


async def test_a_step_and_its_report_that_come_at_once_meet(bench: Bench) -> None:
    parts = [await bench.at(an_order(("TEA", 2)), "confirmed") for _ in range(20)]
    await asyncio.gather(
        *(bench.waiting(bench.fulfilment.pick(a_part(part))) for part in parts),
        *(bench.warehouse.pick(part, who="picker") for part in parts),
    )
    async with bench.pool.acquire() as conn:
        found = await waits.claim_pending(conn, 100)
    assert sorted(report["activity_id"] for report in found) == sorted(f"pick:{p}" for p in parts)


async def test_a_relay_that_dies_with_its_claim_leaves_it_to_another(bench: Bench) -> None:
    part = await bench.at(an_order(("TEA", 2)), "confirmed")
    await bench.waiting(bench.fulfilment.pick(a_part(part)))
    await bench.warehouse.pick(part, who="picker")
    assert await claimed(bench) == [f"pick:{part}"]
    await pass_by(bench, waits.LEASE.total_seconds())
    assert await claimed(bench) == [f"pick:{part}"]


async def test_a_step_whose_word_was_lost_is_tried_after_a_while_and_ever_less_often(
    bench: Bench,
) -> None:
    part = await bench.at(an_order(("TEA", 2)), "picked")  # no step has said that it waits
    for seconds in (30, 60, 120, 240, 480, 600, 600):
        await pass_by(bench, seconds - 5)
        assert await claimed(bench) == []
        await pass_by(bench, 5)
        assert await ended(bench, "nobody waits") == [f"pick:{part}"]


async def test_a_step_that_begins_again_is_told_again(bench: Bench) -> None:
    part = await bench.at(an_order(("TEA", 2)), "confirmed")
    for ending in ("arrived", "nobody waits"):  # in an earlier run of the workflow, or by nobody
        await bench.waiting(bench.fulfilment.pick(a_part(part)))
        await bench.warehouse.pick(part, who="picker")
        assert await ended(bench, ending) == [f"pick:{part}"]
        assert await claimed(bench) == []
    await bench.waiting(bench.fulfilment.pick(a_part(part)))
    assert await claimed(bench) == [f"pick:{part}"]


async def test_a_step_that_begins_again_while_a_relay_finds_nobody_is_not_forgotten(
    bench: Bench,
) -> None:
    part = await bench.at(an_order(("TEA", 2)), "confirmed")
    await bench.waiting(bench.fulfilment.pick(a_part(part)))
    await bench.warehouse.pick(part, who="picker")
    async with bench.pool.acquire() as conn:
        reports = await waits.claim_pending(conn, 10)
        await bench.waiting(bench.fulfilment.pick(a_part(part)))
        await waits.handed_over(conn, [(report, "nobody waits") for report in reports])
    assert await claimed(bench) == [f"pick:{part}"]


async def test_a_report_anew_takes_the_place_of_the_last_one_and_is_told_when_the_step_begins_again(
    bench: Bench,
) -> None:
    part = await bench.at(an_order(("TEA", 2)), "confirmed")
    order_id, step = part.split(":", maxsplit=1)[0], f"pick:{part}"
    await bench.waiting(bench.fulfilment.pick(a_part(part)))
    await bench.warehouse.pick(part, who="picker")
    async with bench.pool.acquire() as conn:
        (first,) = await waits.claim_pending(conn, 10)
        await waits.report_anew(conn, order_id, step, {"says": "another thing"})
        await waits.handed_over(conn, [(first, "arrived")])  # not of the one that came meanwhile
        (second,) = await waits.claim_pending(conn, 10)
        assert second["outcome"] == {"says": "another thing"}
        await waits.handed_over(conn, [(second, "arrived")])
        await waits.report_anew(conn, order_id, step, {"says": "a third"})
    assert await claimed(bench) == []  # the order has been told, and decides
    assert await bench.told(bench.fulfilment.pick(a_part(part))) == {"says": "a third"}
    assert await claimed(bench) == [step]


async def test_the_reports_of_an_order_go_with_its_end(bench: Bench) -> None:
    parts = [await bench.at(an_order(("TEA", 2)), "picked") for _ in range(2)]
    closing, going_on = (part.split(":", maxsplit=1)[0] for part in parts)
    ask = CloseOrder(order_id=closing, decision="cancelled", reason="recalled")
    await bench.records.close_order(ask)
    async with bench.pool.acquire() as conn:
        left = await conn.fetch("select order_id from wait_report")
        assert [row["order_id"] for row in left] == [going_on]
        # One that comes after the end, for whatever reason, goes when the relay meets it.
        await waits.report(conn, closing, "late", {})
        await conn.execute("update wait_report set try_after = now()")
        assert [report["order_id"] for report in await waits.claim_pending(conn, 10)] == [going_on]
        assert await conn.fetchval("select count(*) from wait_report") == 1


async def test_what_is_done_again_when_it_is_lost_does_not_wait_for_the_disk(bench: Bench) -> None:
    part = await bench.at(an_order(("TEA", 2)), "confirmed")
    show = "select current_setting('synchronous_commit')"
    async with bench.pool.acquire() as conn:
        report = f"pick:{part}"
        await conn.execute("set synchronous_commit = on")  # the tests' server does without
        async with conn.transaction():
            await waits.begin(conn, report, order_id=part.split(":", maxsplit=1)[0])
            assert await conn.fetchval(show) == "off"
        await bench.warehouse.pick(part, who="picker")
        async with conn.transaction():
            reports = await waits.claim_pending(conn, 10)
            assert await conn.fetchval(show) == "off"
        async with conn.transaction():
            await waits.handed_over(conn, [(one, "arrived") for one in reports])
            assert await conn.fetchval(show) == "off"
        async with conn.transaction():
            await waits.report(conn, part.split(":", maxsplit=1)[0], "a fact", {})
            assert await conn.fetchval(show) == "on"


async def stranded(bench: Bench, at_most: int = 10) -> list[str]:
    """The fulfilments whose label nobody has been buying for a minute."""
    async with bench.pool.acquire() as conn:
        rows = await waits.stranded_labels(conn, timedelta(minutes=1), at_most)
    return [row["fulfilment_id"] for row in rows]


async def an_hour_passes(bench: Bench) -> None:
    async with bench.pool.acquire() as conn:
        await conn.execute("update fulfilment set changed_at = changed_at - interval '1 hour'")
        await conn.execute("update shipment set asked_at = asked_at - interval '1 hour'")


async def test_a_label_is_stranded_when_its_last_attempt_is_old_and_not_while_one_may_run(
    bench: Bench,
) -> None:
    part = await bench.at(an_order(("TEA", 2)), "packed")
    assert await stranded(bench) == []
    await an_hour_passes(bench)
    assert await stranded(bench) == [part]  # its first attempt never reached a worker
    async with bench.pool.acquire() as conn:
        await set_fault(conn, "carrier", "buy_label", "timeout_after", 1.0)
    for _ in range(2):  # the second one looks up what the first one has bought, and is not told
        async with bench.pool.acquire() as conn:
            await set_fault(conn, "carrier", "lookup", "unavailable", 1.0)
        with pytest.raises((TimedOut, Unavailable)):
            await bench.fulfilment.ship(shipping(part))
        assert await stranded(bench) == []
        await an_hour_passes(bench)
        assert await stranded(bench) == [part]
    async with bench.pool.acquire() as conn:
        await clear_faults(conn)
    await bench.waiting(bench.fulfilment.ship(shipping(part)))
    await an_hour_passes(bench)
    assert await stranded(bench) == []
    assert await bench.count("select count(*) from sandbox.label") == 1


async def test_a_refusal_whose_attempt_died_is_answered_from_what_is_on_record(
    bench: Bench,
) -> None:
    to_nowhere = a_shipping("5.00", postal_code=POSTAL_CODE_REFUSED)
    part = await bench.at(an_order(("TEA", 2), shipping=to_nowhere), "packed")
    ask = shipping(part)
    with pytest.raises(Declined) as first:
        await bench.fulfilment.ship(ask)
    await an_hour_passes(bench)
    assert await stranded(bench) == [part]
    async with bench.pool.acquire() as conn:
        await set_fault(conn, "carrier", "lookup", "unavailable", 1.0)
    with pytest.raises(Declined) as again:
        await bench.fulfilment.ship(ask)
    assert str(again.value) == str(first.value)
    await bench.fulfilment.recall(a_part(part))
    assert await stranded(bench) == []


async def test_however_many_labels_are_parked_one_that_was_stranded_since_is_found(
    bench: Bench,
) -> None:
    for _ in range(3):
        await bench.at(an_order(("TEA", 2)), "packed")
    await an_hour_passes(bench)
    part = await bench.at(an_order(("TEA", 2)), "packed")
    await an_hour_passes(bench)
    assert await stranded(bench, at_most=1) == [part]
