"""Steps that wait for the outside: none misses its report, no label waits for a dead attempt."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.orders.order_records import CloseOrder
from activities.provider_errors import Declined, TimedOut, Unavailable
from activities.providers.sandbox.carrier import POSTAL_CODE_REFUSED
from activities.stock.contracts import ReserveAgain
from domain.ids import order_of
from domain.stock.items import Item
from store import waits
from store.database import Pool
from store.fulfilment import fulfilments, shipments
from store.sandbox.companies import clear_faults, set_fault
from store.stock import items
from tests.support.bench import Bench, a_part, sending
from tests.support.builders import an_order
from tests.support.builders import shipping as a_shipping


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    bench = Bench(pool)
    await bench.stocked("TEA", 1000)
    return bench


async def on_its_way(bench: Bench) -> str:
    """A parcel that the carrier has, of which its order has heard so far."""
    part = await bench.at(an_order(("TEA", 2)), "shipped")
    await ended(bench, "arrived")
    return part


async def scanned(bench: Bench) -> str:
    """A parcel that was delivered before its step said that it waits."""
    part = await on_its_way(bench)
    await bench.scan(part, "delivered")
    return part


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
    part = await scanned(bench)
    assert await claimed(bench) == []
    told = await bench.told(bench.delivery.await_delivery(a_part(part)))
    assert (told["outcome"], told["units"]) == ("delivered", {"1": 2})
    assert await ended(bench, "arrived") == [f"await_delivery:{part}"]
    await pass_by(bench, 3600)
    assert await claimed(bench) == []


async def test_a_step_that_waits_is_told_at_once_and_by_one_relay(bench: Bench) -> None:
    part = await on_its_way(bench)
    assert await bench.waiting(bench.delivery.await_delivery(a_part(part))) is None
    assert await claimed(bench) == []
    await bench.scan(part, "delivered")
    assert await claimed(bench) == [f"await_delivery:{part}"]
    assert await claimed(bench) == []


@pytest.mark.parametrize("first", ["the step", "the report"])
async def test_whichever_comes_second_calls_the_relay(bench: Bench, first: str) -> None:
    part = await on_its_way(bench)
    called: list[str] = []
    acts: list[Callable[[], Awaitable[object]]] = [
        lambda: bench.waiting(bench.delivery.await_delivery(a_part(part))),
        lambda: bench.scan(part, "delivered"),
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
    assert called == [f"await_delivery:{part}"]


async def test_a_step_and_its_report_that_come_at_once_meet(bench: Bench) -> None:
    parts = [await on_its_way(bench) for _ in range(20)]
    await asyncio.gather(
        *(bench.waiting(bench.delivery.await_delivery(a_part(part))) for part in parts),
        *(bench.scan(part, "delivered") for part in parts),
    )
    async with bench.pool.acquire() as conn:
        found = await waits.claim_pending(conn, 100)
    assert sorted(report["activity_id"] for report in found) == sorted(
        f"await_delivery:{p}" for p in parts
    )


async def test_a_relay_that_dies_with_its_claim_leaves_it_to_another(bench: Bench) -> None:
    part = await on_its_way(bench)
    await bench.waiting(bench.delivery.await_delivery(a_part(part)))
    await bench.scan(part, "delivered")
    assert await claimed(bench) == [f"await_delivery:{part}"]
    await pass_by(bench, waits.LEASE.total_seconds())
    assert await claimed(bench) == [f"await_delivery:{part}"]


async def test_a_step_whose_word_was_lost_is_tried_after_a_while_and_ever_less_often(
    bench: Bench,
) -> None:
    part = await scanned(bench)  # no step has said that it waits
    for seconds in (30, 60, 120, 240, 480, 600, 600):
        await pass_by(bench, seconds - 5)
        assert await claimed(bench) == []
        await pass_by(bench, 5)
        assert await ended(bench, "nobody waits") == [f"await_delivery:{part}"]


async def test_a_step_that_begins_again_is_told_again(bench: Bench) -> None:
    part = await on_its_way(bench)
    for ending in ("arrived", "nobody waits"):  # in an earlier run of the workflow, or by nobody
        await bench.waiting(bench.delivery.await_delivery(a_part(part)))
        await bench.scan(part, "delivered")
        assert await ended(bench, ending) == [f"await_delivery:{part}"]
        assert await claimed(bench) == []
    await bench.waiting(bench.delivery.await_delivery(a_part(part)))
    assert await claimed(bench) == [f"await_delivery:{part}"]


async def test_a_step_that_begins_again_while_a_relay_finds_nobody_is_not_forgotten(
    bench: Bench,
) -> None:
    part = await on_its_way(bench)
    await bench.waiting(bench.delivery.await_delivery(a_part(part)))
    await bench.scan(part, "delivered")
    async with bench.pool.acquire() as conn:
        reports = await waits.claim_pending(conn, 10)
        await bench.waiting(bench.delivery.await_delivery(a_part(part)))
        await waits.handed_over(conn, [(report, "nobody waits") for report in reports])
    assert await claimed(bench) == [f"await_delivery:{part}"]


async def test_a_report_anew_takes_the_place_of_the_last_one_and_is_told_when_the_step_begins_again(
    bench: Bench,
) -> None:
    part = await on_its_way(bench)
    order_id, step = part.split(":", maxsplit=1)[0], f"await_delivery:{part}"
    await bench.waiting(bench.delivery.await_delivery(a_part(part)))
    await bench.scan(part, "delivered")
    async with bench.pool.acquire() as conn:
        (first,) = await waits.claim_pending(conn, 10)
        await waits.report_anew(conn, order_id, step, {"says": "another thing"})
        await waits.handed_over(conn, [(first, "arrived")])  # not of the one that came meanwhile
        (second,) = await waits.claim_pending(conn, 10)
        assert second["outcome"] == {"says": "another thing"}
        await waits.handed_over(conn, [(second, "arrived")])
        await waits.report_anew(conn, order_id, step, {"says": "a third"})
    assert await claimed(bench) == []  # the order has been told, and decides
    assert await bench.told(bench.delivery.await_delivery(a_part(part))) == {"says": "a third"}
    assert await claimed(bench) == [step]


async def test_the_reports_of_an_order_go_with_its_end(bench: Bench) -> None:
    parts = [await bench.at(an_order(("TEA", 2)), "delivered") for _ in range(2)]
    closing, going_on = (part.split(":", maxsplit=1)[0] for part in parts)
    ask = CloseOrder(order_id=closing, decision="cancelled", reason="recalled")
    await bench.records.close_order(ask)
    async with bench.pool.acquire() as conn:
        left = await conn.fetch(
            "select distinct order_id from wait_report join customer_order using (order_no)"
        )
        assert [row["order_id"] for row in left] == [going_on]
        # One that comes after the end, for whatever reason, goes when the relay meets it.
        await waits.report(conn, closing, "late", {})
        await conn.execute("update wait_report set try_after = now()")
        found = {report["order_id"] for report in await waits.claim_pending(conn, 10)}
        assert found == {going_on}
        assert await conn.fetchval("select count(distinct order_no) from wait_report") == 1


async def test_what_is_done_again_when_it_is_lost_does_not_wait_for_the_disk(bench: Bench) -> None:
    part = await on_its_way(bench)
    show = "select current_setting('synchronous_commit')"
    async with bench.pool.acquire() as conn:
        report = f"await_delivery:{part}"
        await conn.execute("set synchronous_commit = on")  # the tests' server does without
        async with conn.transaction():
            await waits.begin(conn, report, order_id=part.split(":", maxsplit=1)[0])
            assert await conn.fetchval(show) == "off"
        await bench.scan(part, "delivered")
        async with conn.transaction():
            reports = await waits.claim_pending(conn, 10)
            assert await conn.fetchval(show) == "off"
        async with conn.transaction():
            await waits.handed_over(conn, [(one, "arrived") for one in reports])
            assert await conn.fetchval(show) == "off"
        async with conn.transaction():
            await waits.report(conn, part.split(":", maxsplit=1)[0], "a fact", {})
            assert await conn.fetchval(show) == "on"


async def test_a_full_pick_and_the_packing_are_told_to_nobody(bench: Bench) -> None:
    await bench.at(an_order(("TEA", 2)), "packed")
    assert await bench.count("select count(*) from wait_report") == 0


async def test_a_report_that_took_the_place_of_another_is_not_delivered_with_that(
    bench: Bench,
) -> None:
    part = await bench.at(an_order(("TEA", 2)), "confirmed")
    assert await bench.send(part) is None
    await bench.warehouse.pick(part, {"1": 1}, who="picker")
    async with bench.pool.acquire() as conn:
        (short,) = await waits.claim_pending(conn, 10)
        await bench.fulfilment.recall(a_part(part))
        await waits.handed_over(conn, [(short, "arrived")])
        (recalled,) = await waits.claim_pending(conn, 10)
        assert recalled["outcome"] == {"outcome": "recalled"}


async def test_what_the_order_has_heard_is_not_told_again(bench: Bench) -> None:
    part = await bench.at(an_order(("TEA", 2)), "confirmed")
    await bench.warehouse.pick(part, {"1": 1}, who="picker")
    wait = bench.fulfilment.pick_pack_ship
    told = await bench.told(wait(sending(part)))
    assert (told["outcome"], told["missing"]) == ("short", {"1": 1})
    await bench.inventory.reserve_again(
        ReserveAgain(
            order_id=order_of(part),
            fulfilment_id=part,
            units={"1": 1},
            source="open",
            replace=False,
            reason="not found",
        )
    )
    # Handed over or not: the wait that begins again knows of it.
    assert await bench.waiting(wait(sending(part))) is None
    assert await claimed(bench) == []
    assert await bench.count("select count(*) from wait_report where outcome is not null") == 0


async def test_what_is_reported_while_a_wait_begins_is_told_to_it(bench: Bench) -> None:
    part = await bench.at(an_order(("TEA", 2)), "confirmed")
    order_id, step = part.split(":", maxsplit=1)[0], f"pick_pack_ship:{part}"
    await bench.warehouse.pick(part, {"1": 1}, who="picker")
    async with bench.pool.acquire() as conn:
        seen = (await fulfilments.standing(conn, part)).reported_at
        await bench.fulfilment.recall(a_part(part))
        await waits.begin_again(conn, step, order_id, seen=seen, told=None)
        (report,) = await waits.claim_pending(conn, 10)
        assert report["outcome"] == {"outcome": "recalled"}


async def test_a_full_pick_and_the_packing_are_told_to_nobody_again(bench: Bench) -> None:
    part = await bench.at(an_order(("TEA", 2)), "confirmed")
    assert await bench.send(part) is None
    await bench.warehouse.pick(part, who="picker")
    await bench.warehouse.pack(part, who="packer")
    assert await claimed(bench) == []


async def to_label(bench: Bench, at_most: int = 10) -> list[str]:
    """The fulfilments whose step is to run (again), and which are claimed for that now."""
    async with bench.pool.acquire() as conn:
        rows = await fulfilments.to_label(conn, timedelta(minutes=1), at_most)
    return [row["fulfilment_id"] for row in rows]


async def an_hour_passes(bench: Bench) -> None:
    async with bench.pool.acquire() as conn:
        for table, column in (
            ("fulfilment", "changed_at"),
            ("fulfilment", "woken_at"),
            ("shipment", "asked_at"),
        ):
            await conn.execute(f"update {table} set {column} = {column} - interval '1 hour'")


@pytest.mark.parametrize("days", [-1, 0, 9])
async def test_a_code_that_was_kept_back_is_claimed_on_its_first_day_of_sale(
    bench: Bench, days: int
) -> None:
    app, today = Item(sku="APP", handling="digital"), datetime.now(UTC).date()
    async with bench.pool.acquire() as conn:
        await items.save(conn, [app])
    await bench.stocked("APP", 1)
    part = await bench.at(an_order(("APP", 1)), "confirmed")
    await bench.pool.execute(
        "update fulfilment set changed_at = changed_at - interval '2 days', woken_at = null"
    )
    assert await to_label(bench) == []  # a person was told long ago
    async with bench.pool.acquire() as conn:
        day = today + timedelta(days=days)
        await items.save(conn, [app.model_copy(update={"available_from": day})])
    assert await to_label(bench) == ([part] if days == 0 else [])


async def test_a_packed_parcel_is_claimed_at_once_and_again_when_its_last_attempt_is_old(
    bench: Bench,
) -> None:
    part = await bench.at(an_order(("TEA", 2)), "picked")
    await bench.send(part)
    assert await to_label(bench) == []
    await bench.warehouse.pack(part, who="packer")
    assert await to_label(bench) == [part]
    assert await to_label(bench) == []  # claimed
    await an_hour_passes(bench)
    assert await to_label(bench) == [part]  # its first attempt never reached a worker
    async with bench.pool.acquire() as conn:
        await set_fault(conn, "carrier", "buy_label", "timeout_after", 1.0)
    for _ in range(2):  # the second one looks up what the first one has bought, and is not told
        async with bench.pool.acquire() as conn:
            await set_fault(conn, "carrier", "lookup", "unavailable", 1.0)
        with pytest.raises((TimedOut, Unavailable)):
            await bench.send(part)
        assert await to_label(bench) == []
        await an_hour_passes(bench)
        assert await to_label(bench) == [part]
    async with bench.pool.acquire() as conn:
        await clear_faults(conn)
    await bench.send(part)
    await an_hour_passes(bench)
    assert await to_label(bench) == []
    assert await bench.count("select count(*) from sandbox.label") == 1


async def test_a_parcel_whose_step_has_not_begun_is_left_to_it(bench: Bench) -> None:
    part = await bench.at(an_order(("TEA", 2)), "packed")
    assert await to_label(bench) == []
    await an_hour_passes(bench)
    assert await to_label(bench) == [part], "its word may have been lost"


async def test_a_step_that_finds_its_parcel_packed_is_not_run_again_while_it_buys_the_label(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The relay would end the attempt that buys, and nobody hears it until the next one begins."""
    part = await bench.at(an_order(("TEA", 2)), "packed")
    claimed: list[list[str]] = []
    want_label = shipments.want_label

    async def and_the_relay_looks(*args: Any, **wishes: Any) -> shipments.Wanted:
        claimed.append(await to_label(bench))
        return await want_label(*args, **wishes)

    monkeypatch.setattr(shipments, "want_label", and_the_relay_looks)
    assert await bench.send(part) is None
    assert await bench.state(part) == "labelled"
    assert claimed == [[]]


async def test_a_parcel_whose_step_could_not_be_reached_is_claimed_again_soon(
    bench: Bench,
) -> None:
    part = await bench.at(an_order(("TEA", 2)), "packed")
    await an_hour_passes(bench)
    assert await to_label(bench) == [part]
    async with bench.pool.acquire() as conn:
        await fulfilments.not_woken(conn, [part])
    assert await to_label(bench) == [part]


async def test_a_refusal_whose_attempt_died_is_answered_from_what_is_on_record(
    bench: Bench,
) -> None:
    to = a_shipping("5.00", postal_code=POSTAL_CODE_REFUSED)
    part = await bench.at(an_order(("TEA", 2), shipping=to), "packed")
    with pytest.raises(Declined) as first:
        await bench.send(part)
    await an_hour_passes(bench)
    assert await to_label(bench) == [part]
    async with bench.pool.acquire() as conn:
        await set_fault(conn, "carrier", "lookup", "unavailable", 1.0)
    with pytest.raises(Declined) as again:
        await bench.send(part)
    assert str(again.value) == str(first.value)
    await bench.fulfilment.recall(a_part(part))
    await an_hour_passes(bench)
    assert await to_label(bench) == []


async def test_what_is_recalled_while_its_label_is_bought_ends_with_the_carriers_answer(
    bench: Bench,
) -> None:
    """Told at once, the order would void a label of which the carrier has not said yet."""
    part = await bench.at(an_order(("TEA", 2)), "packed")
    await to_label(bench)
    async with bench.pool.acquire() as conn:
        await set_fault(conn, "carrier", "buy_label", "timeout_after", 1.0)
        await set_fault(conn, "carrier", "lookup", "unavailable", 1.0)
    with pytest.raises(TimedOut):
        await bench.send(part)
    stopped = await bench.fulfilment.recall(a_part(part))
    assert (stopped.caught, stopped.labelled) == ("packed", True)
    assert await claimed(bench) == []
    await an_hour_passes(bench)
    assert await to_label(bench) == [part], "that attempt may have died"
    sent = await bench.send(part)
    assert sent is not None
    assert sent.outcome == "recalled"


async def test_however_many_labels_are_parked_one_that_was_packed_since_is_found(
    bench: Bench,
) -> None:
    for _ in range(3):
        await bench.at(an_order(("TEA", 2)), "packed")
    await an_hour_passes(bench)
    part = await bench.at(an_order(("TEA", 2)), "packed")
    await an_hour_passes(bench)
    assert await to_label(bench, at_most=1) == [part]
