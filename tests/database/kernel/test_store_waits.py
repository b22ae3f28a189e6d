"""Steps that wait for the outside: none misses its report, no label waits for a dead attempt."""

from __future__ import annotations

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


async def test_a_step_that_begins_after_its_report_finds_it_however_often_it_begins(
    bench: Bench,
) -> None:
    part = await bench.at(an_order(("TEA", 2)), "labelled")
    assert await bench.waiting(bench.fulfilment.ship(shipping(part))) is None
    await bench.warehouse.hand_over(part, who="packer")
    for _ in range(2):
        picked = await bench.fulfilment.pick(a_part(part))
        assert picked.picked == {"1": 2}
        await bench.fulfilment.pack(a_part(part))
        assert (await bench.fulfilment.ship(shipping(part))).units == {"1": 2}
    async with bench.pool.acquire() as conn:
        assert await waits.claim_pending(conn, 10) == []  # all of them have been taken


async def test_a_step_that_begins_before_its_report_waits(bench: Bench) -> None:
    part = await bench.at(an_order(("TEA", 2)), "confirmed")
    assert await bench.waiting(bench.fulfilment.pick(a_part(part))) is None
    assert await bench.waiting(bench.delivery.await_delivery(a_part(part))) is None
    await bench.warehouse.pick(part, who="picker")
    async with bench.pool.acquire() as conn:
        (report,) = await waits.claim_pending(conn, 10)
        assert (report["activity_id"], report["outcome"]["picked"]) == (f"pick:{part}", {"1": 2})
        assert await waits.claim_pending(conn, 10) == []  # claimed: nobody else tries it now
        await waits.delivered(conn, [report["activity_id"]])


async def test_a_report_that_nobody_will_wait_for_is_let_go_when_its_order_has_ended(
    bench: Bench,
) -> None:
    parts = [await bench.at(an_order(("TEA", 2)), "picked") for _ in range(2)]
    ended, open_order = (part.split(":", maxsplit=1)[0] for part in parts)
    ask = CloseOrder(order_id=ended, decision="cancelled", reason="recalled")
    await bench.records.close_order(ask)
    async with bench.pool.acquire() as conn:
        claimed = await waits.claim_pending(conn, 10)
        assert [report["order_id"] for report in claimed] == [open_order]
        pending = await conn.fetch("select order_id from wait_report where delivered_at is null")
        assert [row["order_id"] for row in pending] == [open_order]


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
