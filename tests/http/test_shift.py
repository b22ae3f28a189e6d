"""A shift on the floor: fifty orders are picked, packed and handed over with nothing but scans."""

from __future__ import annotations

from typing import Any

from store.database import Pool
from tests.support.bench import Bench
from tests.support.builders import an_order
from tests.support.desk import Desk
from tests.support.scanner import Scanner, begun

ORDERS = 50
SKUS = ("TEA", "POT", "CUP")
PLACES = {"POT": "A-1", "TEA": "A-2", "CUP": "B-1"}


async def test_a_shift_of_fifty_orders_is_done_with_nothing_but_scans(pool: Pool) -> None:
    bench = Bench(pool)
    for walk, (sku, place) in enumerate(PLACES.items()):
        await bench.stocked(sku, 500)
        await pool.execute(
            "insert into bin (location, bin, walk) values ('main', $1, $2)", place, walk
        )
        await pool.execute(
            "insert into bin_item (location, sku, bin) values ('main', $1, $2)", sku, place
        )
    parts = []
    for number in range(ORDERS):
        lines = [(sku, 1 + (number + k) % 2) for k, sku in enumerate(SKUS) if (number + k) % 3]
        order = an_order(*lines, channel_order_id=f"shift-{number}")
        parts.append(await bench.at(order, "confirmed"))
    desk = await Desk(pool).signed_in("anna", "warehouse")
    while await count(pool, "picking"):
        style = "cluster" if await count(pool, "picking") > ORDERS / 2 else "batch"
        await pick(await begun(desk, kind="pick", style=style, parcels="12"))
    packer = await begun(desk, kind="pack")
    for part in parts:
        await pack(packer, part)
    for part in parts:
        await bench.send(part)
    dock = await begun(desk, kind="hand-over")
    told = await dock.scan(*parts, "OL:DONE")
    while told["under_way"]:
        told = await dock.look()
    assert await count(pool, "shipped") == ORDERS
    for sku in SKUS:
        on_hand, allocated = await bench.level(sku)
        assert allocated == 0
        assert on_hand == 500 - await sent(pool, sku)


async def count(pool: Pool, state: str) -> int:
    found = await pool.fetchval("select count(*) from fulfilment where state = $1", state)
    return int(found)


async def sent(pool: Pool, sku: str) -> int:
    found = await pool.fetchval("select sum(picked) from fulfilment_line where sku = $1", sku)
    return int(found)


async def pick(run: Scanner) -> None:
    """Do what the screen says, until the run is over."""
    told: dict[str, Any] = await run.look()
    while not told["over"]:
        state = (await run.desk.here.floor.show(await run.person(), run.run_no)).state.model_dump()
        (stop, *_) = [one for one in state["stops"] if left(one)]
        if not state["is_there"]:
            told = await run.scan(stop["place"])
        elif state["hand"]:
            spots = {one["part_id"]: one["spot"] for one in state["parcels"]}
            told = await run.scan(f"OL:POS:{spots[state['hand']['part_id']]}")
        else:
            told = await run.scan(stop["sku"])
        assert told["good"], told


def left(stop: dict[str, Any]) -> int:
    wanted, got = stop["wanted"], stop["got"]
    return sum(int(n) - int(got.get(part, 0)) for part, n in wanted.items())


async def pack(run: Scanner, part: str) -> None:
    """Scan the parcel, and each unit into its box."""
    told = await run.scan(part)
    state = (await run.desk.here.floor.show(await run.person(), run.run_no)).state.model_dump()
    for sku, n in state["wanted"].items():
        told = await run.scan(*([sku] * n))
    assert told["said"] == "all_in_the_box", told
    await run.scan("OL:DONE")
