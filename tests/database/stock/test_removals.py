"""Units are taken out of a fulfilment where it stands, and each is either sent or cancelled."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from activities.stock.contracts import TakenOut, TakeOut
from domain.errors import Conflict, IllegalTransition, InvalidInput
from domain.ids import order_of
from store.database import Pool
from store.fulfilment import shipments
from store.views import audit
from tests.support.bench import Bench, a_part, at_once
from tests.support.builders import an_order
from tests.support.shop import Stage


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    bench = Bench(pool)
    await bench.stocked("TEA", 10)
    await bench.stocked("CUP", 10)
    return bench


def less(part: str, units: dict[str, int], number: int = 0, **wishes: Any) -> TakeOut:
    return TakeOut(
        order_id=order_of(part),
        fulfilment_id=part,
        units=units,
        effect=f"cancel:r{number}:{part}:0",
        what="cancelled",
        why="fewer",
        **wishes,
    )


async def take(bench: Bench, part: str, units: dict[str, int], **wishes: Any) -> TakenOut:
    return await bench.removals.take_out(less(part, units, **wishes))


async def faults(bench: Bench) -> Any:
    async with bench.pool.acquire() as conn:
        return (await audit.look(conn)).violations


async def tasks(bench: Bench) -> list[tuple[str, str, dict[str, int]]]:
    found = await bench.warehouse.tasks()
    return [(x.task, x.part_id, {y.line_id: y.quantity for y in x.lines}) for x in found]


async def test_the_pick_list_shows_at_once_that_less_is_to_be_picked(bench: Bench) -> None:
    part = await bench.at(an_order(("TEA", 3), ("CUP", 2)), "confirmed")
    await take(bench, part, {"1": 1, "2": 2})
    assert await tasks(bench) == [("pick", part, {"1": 2})]
    assert await bench.level("CUP") == (10, 0)
    for counted in ({"1": 3, "2": 2}, {"1": 2, "2": 1}):  # by whom had the old list
        with pytest.raises(Conflict, match="was made smaller while") as refused:
            await bench.warehouse.pick(part, counted, who="picker")
        assert refused.value.reason == "fewer_wanted"
        assert "line 2: 2 of 2 taken out, pick 0" in str(refused.value)
    with pytest.raises(InvalidInput, match="must be from 0 to 3"):
        await bench.warehouse.pick(part, {"1": 4}, who="picker")
    picked = await bench.warehouse.pick(part, {"1": 2}, who="picker")
    assert (picked["picked"]["1"], picked["missing"]) == (2, {})
    assert await tasks(bench) == [("pack", part, {"1": 2})]
    assert await faults(bench) == ()


async def test_a_pick_reported_again_after_units_were_taken_out_is_the_same_pick(
    bench: Bench,
) -> None:
    part = await bench.at(an_order(("TEA", 3)), "confirmed")
    first = await bench.warehouse.pick(part, {"1": 3}, who="picker")
    await take(bench, part, {"1": 1})
    assert await bench.warehouse.pick(part, {"1": 3}, who="picker") == first
    assert await bench.warehouse.pick(part, who="picker") == first
    assert await bench.count("select picked from order_line") == 2


async def test_what_was_picked_is_put_back_before_the_rest_is_packed(bench: Bench) -> None:
    part = await bench.at(an_order(("TEA", 3)), "picked")
    await take(bench, part, {"1": 1})
    await take(bench, part, {"1": 1}, number=1)
    one, two = f"{part}:P1", f"{part}:P2"
    assert await tasks(bench) == [("put-back", one, {"1": 1}), ("put-back", two, {"1": 1})]
    await bench.warehouse.put_back(one, who="anna")
    with pytest.raises(IllegalTransition, match=f"put back 1 × TEA .{two}.") as refused:
        await bench.warehouse.pack(part, who="packer")
    assert refused.value.reason == "put_back_first"
    await asyncio.gather(*(bench.warehouse.put_back(two, who="anna") for _ in range(4)))
    assert await tasks(bench) == [("pack", part, {"1": 1})]
    await bench.warehouse.pack(part, who="packer")
    told = "select count(*) from order_event where what = 'put back'"
    assert await bench.count(told) == 2
    assert await faults(bench) == ()


@pytest.mark.parametrize("keeps_label", [False, True])
async def test_a_closed_box_is_opened_and_gets_another_label_or_keeps_its_own(
    bench: Bench, keeps_label: bool
) -> None:
    part = await bench.at(an_order(("TEA", 3)), "labelled")
    before = await bench.parcel(part)
    await take(bench, part, {"1": 1}, keeps_label=keeps_label)
    (task,) = await bench.warehouse.tasks()
    assert (task.task, task.opens_box) == ("put-back", True)
    with pytest.raises(IllegalTransition, match="is picked"):
        await bench.warehouse.hand_over(part, who="packer")
    await bench.warehouse.put_back(f"{part}:P1", who="packer")
    await bench.warehouse.pack(part, who="packer")
    assert await bench.send(part) is None
    after = await bench.parcel(part)
    assert (after.label, await bench.state(part)) == ("bought", "labelled")
    assert (after.tracking_number == before.tracking_number) == keeps_label
    assert after.to_charge_minor < before.to_charge_minor
    if not keeps_label:
        assert after.label_key == f"{part}:label:2"
        # It may be given back when the parcel has its next one already.
        for _ in range(2):
            await bench.fulfilment.void_label(a_part(part))
        sold = "select count(*) from sandbox.label where voided = $1"
        assert [await bench.count(sold, x) for x in (True, False)] == [1, 1]
    await bench.warehouse.hand_over(part, who="packer")
    assert await faults(bench) == ()


async def test_an_old_attempt_to_buy_its_label_changes_nothing_any_more(bench: Bench) -> None:
    part = await bench.at(an_order(("TEA", 3)), "labelled")
    old = await bench.parcel(part)
    await take(bench, part, {"1": 1})
    await bench.warehouse.put_back(f"{part}:P1", who="packer")
    await bench.warehouse.pack(part, who="packer")
    async with bench.pool.acquire() as conn:
        found = await shipments.label_bought(
            conn,
            part,
            label_key=old.label_key,
            carrier="sandbox",
            tracking_number=str(old.tracking_number),
        )
    assert (found["is_late"], await bench.state(part)) == (True, "packed")
    assert await bench.send(part) is None
    assert (await bench.parcel(part)).tracking_number != old.tracking_number


@pytest.mark.parametrize("stage", ["confirmed", "picked", "labelled"])
async def test_s22_units_are_taken_out_or_leave_and_never_both(bench: Bench, stage: Stage) -> None:
    """Two requests and a report of the warehouse at the same moment, again and again."""
    reports: dict[str, Any] = {
        "confirmed": lambda part: bench.warehouse.pick(part, {"1": 2}, who="picker"),
        "picked": lambda part: bench.warehouse.pack(part, who="packer"),
        "labelled": lambda part: bench.warehouse.hand_over(part, who="packer"),
    }
    await bench.stocked("TEA", 100, "second")
    for _ in range(6):
        part = await bench.at(an_order(("TEA", 3)), stage)
        answers, refusals = await at_once(
            [
                take(bench, part, {"1": 1}, number=1),
                reports[stage](part),
                take(bench, part, {"1": 1}, number=2),
            ]
        )
        taken = sum(x.units["1"] for x in answers if isinstance(x, TakenOut) and x.units)
        row = await bench.pool.fetchrow(
            "select cancelled, shipped, allocated, open from order_line"
            " where order_no = order_no_of($1)",
            part,
        )
        assert row is not None
        assert row["cancelled"] == taken, (answers, refusals)
        assert row["cancelled"] + row["shipped"] + row["allocated"] + row["open"] == 3
        if await bench.state(part) == "shipped":
            assert row["shipped"] == 3 - taken
    assert await faults(bench) == ()
