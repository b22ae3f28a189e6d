"""No clock of the outside decides alone: what it says is taken as far as it is possible."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from activities.fulfilment.delivery import Delivered
from domain.errors import NotFound
from domain.fulfilment.tracking import CarrierStatus
from domain.ids import order_of
from store.accounting import documents
from store.database import Pool
from store.orders import events
from tests.support.bench import Bench, a_part
from tests.support.builders import an_order

LONG_AGO = datetime(1971, 1, 1, tzinfo=UTC)
FAR_AHEAD = datetime(2199, 1, 1, tzinfo=UTC)


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    bench = Bench(pool)
    await bench.stocked("TEA", 1000)
    return bench


async def supplied_and_issued(bench: Bench, part: str) -> tuple[str, str]:
    """The days of the parcel's invoice."""
    async with bench.pool.acquire() as conn:
        (row,) = await documents.of_order(conn, order_of(part))
        issued = await documents.get(conn, row.number)
    return str(issued.supplied_on), str(issued.issued_on)


async def handed_over_at(bench: Bench, part: str) -> datetime:
    at = (await bench.parcel(part)).handed_over_at
    assert at is not None
    return at


@pytest.mark.parametrize("at", [LONG_AGO, FAR_AHEAD])
async def test_a_parcel_leaves_after_its_label_and_not_after_now(
    bench: Bench, at: datetime
) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    part = await bench.at(an_order(("TEA", 1)), "labelled")
    await bench.warehouse.hand_over(part, who="packer", at=at)
    assert before <= await handed_over_at(bench, part) <= datetime.now(UTC)
    supplied, issued = await supplied_and_issued(bench, part)
    assert supplied == issued


async def test_a_parcel_that_a_carrier_reports_first_leaves_at_a_possible_time(
    bench: Bench,
) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    part = await bench.at(an_order(("TEA", 1)), "labelled")
    await bench.scan(part, "in_transit", at=FAR_AHEAD)
    assert before <= await handed_over_at(bench, part) <= datetime.now(UTC)
    supplied, issued = await supplied_and_issued(bench, part)
    assert supplied == issued


@pytest.mark.parametrize("early", [timedelta(minutes=59), timedelta(0)])
async def test_a_parcel_is_delivered_after_it_left_and_not_after_now(
    bench: Bench, early: timedelta
) -> None:
    part = await bench.at(an_order(("TEA", 1)), "shipped")
    left = await handed_over_at(bench, part)
    await bench.scan(part, "delivered", at=left - early)
    told = await bench.told(bench.delivery.await_delivery(a_part(part)))
    assert Delivered.model_validate(told).at == left


@pytest.mark.parametrize("ago", [timedelta(hours=2), timedelta(days=500), timedelta(days=5000)])
@pytest.mark.parametrize("state", ["labelled", "shipped"])
async def test_a_scan_from_before_a_parcel_had_its_number_changes_nothing_and_asks_a_person(
    bench: Bench, state: str, ago: timedelta
) -> None:
    part = await bench.at(an_order(("TEA", 1)), "labelled")
    if state == "shipped":
        await bench.warehouse.hand_over(part, who="packer")
    earlier = datetime.now(UTC) - ago
    for _ in range(2):  # carriers tell everything twice
        assert await bench.scan(part, "delivered", "early", earlier) == "of another"
    assert await bench.state(part) == state
    ((step, reason),) = await asked(bench, part)
    assert step == f"late_scan {part}"
    assert f"says delivered at {earlier:%Y-%m-%d %H:%M} UTC, before {part} had its label" in reason
    assert "ask it which parcel it means" in reason
    story = await bench.pool.fetch(
        "select why from order_event where order_no = order_no_of($1) and what = $2",
        *(order_of(part), "unexpected carrier scan"),
    )
    assert len(story) == 1
    await bench.carriers.settle_late_scan(order_of(part), step, "its clock was slow", who="kim")
    assert await bench.scan(part, "delivered", "early", earlier) == "of another"
    assert await asked(bench, part) == []  # it was answered
    assert await bench.scan(part, "delivered", "right") == "new"
    assert await bench.state(part) == "delivered"


@pytest.mark.parametrize("year", [1970, 1980, 2000])
@pytest.mark.parametrize("state", ["labelled", "shipped"])
async def test_a_clock_that_was_never_set_says_nothing(bench: Bench, state: str, year: int) -> None:
    """Such clocks begin in one of these years: the scan is taken as what happens now."""
    before = datetime.now(UTC) - timedelta(seconds=1)
    part = await bench.at(an_order(("TEA", 1)), "labelled")
    if state == "shipped":
        await bench.warehouse.hand_over(part, who="packer")
    unset = datetime(year, 1, 6, tzinfo=UTC)
    assert await bench.scan(part, "delivered", at=unset) == "new"
    left = await handed_over_at(bench, part)
    assert before <= left <= datetime.now(UTC)
    told = await bench.told(bench.delivery.await_delivery(a_part(part)))
    assert Delivered.model_validate(told).at == left
    assert await asked(bench, part) == []


async def test_a_late_scan_of_a_recycled_number_belongs_to_the_parcel_that_had_it_then(
    bench: Bench,
) -> None:
    bench.carrier._numbers = 1
    old = await bench.at(an_order(("TEA", 1)), "shipped")
    await bench.scan(old, "delivered", "old:1")
    a_week = "- interval '7 days' where fulfilment_id = $1"
    await bench.pool.execute(f"update shipment set asked_at = asked_at {a_week}", old)
    new = await bench.at(an_order(("TEA", 1)), "labelled")
    yesterday = datetime.now(UTC) - timedelta(days=1)
    assert await bench.scan(new, "in_transit", "old:2", yesterday) == "new"
    assert await bench.scan(new, "delivered", "old:3", yesterday) == "new"
    assert await bench.state(new) == "labelled"
    # Before anybody here had the number.
    earlier = yesterday - timedelta(days=30)
    assert await bench.scan(new, "delivered", "old:4", earlier) == "of another"
    assert await bench.scan(new, "in_transit", "new:1") == "new"
    assert await bench.state(new) == "shipped"


@pytest.mark.parametrize("status", ["return_to_sender", "failure"])
async def test_what_a_carrier_says_after_it_said_delivered_is_told(
    bench: Bench, status: CarrierStatus
) -> None:
    part = await bench.at(an_order(("TEA", 1)), "delivered")
    await bench.scan(part, status, "late")
    assert await bench.state(part) == "delivered"
    story = await bench.pool.fetch(
        "select what, why from order_event where order_no = order_no_of($1)", order_of(part)
    )
    told = [row["why"] for row in story if row["what"] == "unexpected carrier scan"]
    assert told == [f"{status}, but the parcel is delivered here"]


async def test_that_a_delivered_parcel_was_on_its_way_is_no_news(bench: Bench) -> None:
    part = await bench.at(an_order(("TEA", 1)), "delivered")
    statuses: tuple[CarrierStatus, ...] = ("in_transit", "delivered")
    for status in statuses:
        await bench.scan(part, status, f"late {status}")
    story = await bench.pool.fetch(
        "select what from order_event where order_no = order_no_of($1)", order_of(part)
    )
    assert "unexpected carrier scan" not in [row["what"] for row in story]


LATE = [
    ("delivered", "return_to_sender"),
    ("delivered", "failure"),
    ("failure", "delivered"),
    ("return_to_sender", "delivered"),
]


@pytest.mark.parametrize(("before", "after"), LATE)
async def test_a_parcel_that_ends_in_another_way_after_its_end_is_put_before_a_person(
    bench: Bench, before: CarrierStatus, after: CarrierStatus
) -> None:
    part = await bench.at(an_order(("TEA", 1)), "shipped")
    await bench.scan(part, before)
    state = await bench.state(part)
    for _ in range(2):  # carriers tell everything twice
        await bench.scan(part, after, "late")
    assert await bench.state(part) == state
    ((step, reason),) = await asked(bench, part)
    assert step == f"late_scan {part}"
    assert f"says {after} after it said {before}" in reason
    order_id = order_of(part)
    await bench.carriers.settle_late_scan(order_id, step, "it lies at the post office", who="kim")
    assert await asked(bench, part) == []
    with pytest.raises(NotFound, match="needs no attention"):
        await bench.carriers.settle_late_scan(order_id, step, "again", who="kim")
    await bench.scan(part, after, "later still")
    assert len(await asked(bench, part)) == 1


@pytest.mark.parametrize("end", ["delivered", "failure", "return_to_sender"])
async def test_what_a_carrier_repeats_or_tells_late_of_the_way_asks_nobody(
    bench: Bench, end: CarrierStatus
) -> None:
    part = await bench.at(an_order(("TEA", 1)), "shipped")
    statuses: tuple[CarrierStatus, ...] = (end, "in_transit", "out_for_delivery", end)
    for number, status in enumerate(statuses):
        await bench.scan(part, status, f"{number}")
    assert await asked(bench, part) == []


async def asked(bench: Bench, part: str) -> list[tuple[str, str]]:
    """What a person is asked about the parcel's order: steps and reasons."""
    async with bench.pool.acquire() as conn:
        found = await events.open_attention(conn, [order_of(part)])
    return [(row["step"], row["reason"]) for row in found]
