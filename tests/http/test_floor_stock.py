"""Counts, moves, corrections and transfers over HTTP, with nothing but scans."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

import pytest

from activities.warehouse.count_classes import CountClasses
from domain.money import Price
from store.database import Pool
from tests.support.bench import Bench
from tests.support.builders import an_order
from tests.support.desk import Desk, text_of
from tests.support.scanner import begun

INJECTED: Final = '"><img src=x onerror=alert(1)>{{7*7}}'
INCOMING: Final = "app/floor/incoming"


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    bench = Bench(pool)
    for sku in ("TEA", "POT"):
        await bench.stocked(sku, 10)
    await bench.stocked("TEA", 10, "outlet")
    for number, name in enumerate(("A-1", "B-2", "C-3")):
        await pool.execute(
            "insert into bin (location, bin, walk) values ('main', $1, $2)", name, number
        )
    for sku, name in (("TEA", "A-1"), ("TEA", "B-2"), ("POT", "A-1")):
        await pool.execute(
            "insert into bin_item (location, sku, bin, rank) values ('main', $1, $2, $3)",
            *(sku, name, 0 if name == "A-1" else 1),
        )
    return bench


@pytest.fixture
async def desk(bench: Bench) -> Desk:
    return await Desk(bench.pool).signed_in("anna", "warehouse", locations=("main",))


async def latest(bench: Bench, sku: str) -> tuple[str, int, str, str]:
    """Kind, change, who and why of the last movement."""
    one = (await bench.stock.history(sku, location="main"))[-1]
    return one.kind, one.on_hand_change, one.who, one.why


async def lies_at(pool: Pool, sku: str) -> list[str]:
    rows = await pool.fetch(
        "select bin from bin_item where location = 'main' and sku = $1 order by rank, bin", sku
    )
    return [row["bin"] for row in rows]


async def test_a_place_is_counted_blindly_and_what_is_picked_counts_as_well(
    bench: Bench, desk: Desk
) -> None:
    await bench.at(an_order(("POT", 2), channel_order_id="count-2"), "confirmed")
    picking = await begun(desk, kind="pick")
    await picking.scan("A-1", "POT")  # one is in a hand, and nine are left
    run = await begun(desk, INCOMING, code="OL:COUNT")
    assert (await run.scan("A-1"))["outcome"] == "good"
    await run.scan("OL:QTY:8", "TEA", "OL:QTY:10", "POT", "TEA")  # in any sequence
    told = await run.scan("OL:DONE")
    assert ("POT once more" in told["banner"], "9" in told["banner"]) == (True, False)
    told = await run.scan("A-1", "OL:QTY:9", "POT", "OL:DONE")
    assert "Next: TEA at B-2" in told["banner"]
    assert await latest(bench, "POT") == ("counted", 0, "Anna (anna)", "counted on the floor")
    await picking.scan("OL:CANCEL", "OL:CANCEL")
    told = await run.scan("B-2", "POT")  # counted already: nothing counts it twice
    assert told["outcome"] == "wrong_item"
    assert (await run.scan("TEA", "OL:DONE"))["over"]


async def test_goods_that_nobody_knew_at_a_place_are_counted_there_and_known_from_then_on(
    bench: Bench, desk: Desk, pool: Pool
) -> None:
    run = await begun(desk, INCOMING, kind="count", part="B-2")
    told = await run.scan("B-2", "POT")
    assert (told["outcome"], "not known to lie at B-2" in told["banner"]) == ("wrong_item", True)
    told = await run.scan("POT", "TEA", "OL:DONE", "A-1")
    assert "Now count" in told["banner"]
    told = await run.scan("OL:QTY:9", "TEA", "OL:QTY:9", "POT", "OL:DONE")
    assert (told["outcome"], told["over"]) == ("done", True)
    assert await lies_at(pool, "POT") == ["A-1", "B-2"]
    assert (await bench.level("TEA"), await bench.level("POT")) == ((10, 0), (10, 0))
    odd = await desk.send_form(INCOMING, kind="count", part="nowhere")
    assert (odd.status_code, "Nothing here begins" in text_of(odd)) == (409, True)


async def test_a_difference_is_recorded_after_two_counts_with_its_reason(
    bench: Bench, desk: Desk
) -> None:
    await bench.at(an_order(("TEA", 2), channel_order_id="count-3"), "picked")
    run = await begun(desk, INCOMING, kind="count")
    await run.scan("TEA", "A-1", "OL:QTY:5", "TEA", "OL:DONE", "B-2", "TEA", "TEA")
    told = await run.scan("OL:DONE")  # 7 of 8 that should lie there, and 2 that are picked
    assert (told["outcome"], "8" in told["banner"]) == ("asked", False)
    told = await run.scan("A-1", "OL:QTY:5", "TEA", "OL:DONE", "B-2", "OL:QTY:2", "TEA", "OL:DONE")
    assert "You counted 7 twice. On record are 8." in told["screen"]
    assert "2 more are picked" in told["screen"]
    assert await bench.level("TEA") == (10, 2)
    told = await run.scan(f"OL:WHY:{INJECTED}")
    assert (told["outcome"], told["over"]) == ("done", True)
    assert await bench.level("TEA") == (9, 2)
    assert await latest(bench, "TEA") == ("counted", -1, "Anna (anna)", INJECTED)


async def test_what_is_as_recorded_is_written_down_as_counted(bench: Bench, desk: Desk) -> None:
    run = await begun(desk, INCOMING, kind="count")
    told = await run.scan("TEA", "A-1", "OL:QTY:9", "TEA", "OL:DONE", "B-2", "TEA", "OL:DONE")
    assert (told["outcome"], told["over"]) == ("done", True)
    assert await latest(bench, "TEA") == ("counted", 0, "Anna (anna)", "counted on the floor")


async def test_what_moves_during_a_count_is_counted_anew(bench: Bench, desk: Desk) -> None:
    run = await begun(desk, INCOMING, kind="count")
    await run.scan("TEA", "A-1", "OL:QTY:10", "TEA", "OL:DONE")
    await bench.stock.receive("more", "TEA", "main", 5, who="Ben", why="found")
    told = await run.scan("B-2")
    assert (told["outcome"], "Count it anew" in told["banner"]) == ("gone", True)
    assert (await run.scan("nowhere"))["outcome"] == "unknown"
    told = await run.scan("A-1", "OL:QTY:15", "TEA", "OL:DONE", "B-2", "OL:DONE", "OL:DONE")
    assert told["outcome"] == "done"
    ben = await Desk(bench.pool).signed_in("ben", "warehouse", locations=("main",))
    first = await begun(desk, INCOMING, kind="count")
    await first.scan("TEA")
    second = await begun(ben, INCOMING, kind="count")
    told = await second.scan("TEA")
    assert (told["outcome"], "Anna (anna)" in told["banner"]) == ("taken", True)


async def arrived(bench: Bench) -> Any:
    """Two more TEA, which are put away and not on record yet."""
    await bench.transfers.send("T-1", "outlet", "main", {"TEA": 2}, who="Ben", why="more")
    return {"code": "T-1"}, ("OL:QTY:2", "TEA", "B-2")


async def sent(_: Bench) -> Any:
    """Two TEA off the shelf, which are to be sent, and have not left."""
    return {"code": "outlet"}, ("OL:QTY:2", "TEA")


async def moved(_: Bench) -> Any:
    """Two TEA in a hand, on their way to another place."""
    return {"kind": "move"}, ("B-2", "TEA", "TEA")


@pytest.mark.parametrize(("work", "change"), [(arrived, 2), (sent, -2), (moved, -2)])
async def test_what_others_have_in_hand_is_not_counted_as_lost_or_found(
    bench: Bench, desk: Desk, work: Any, change: int
) -> None:
    begin, codes = await work(bench)
    ben = await Desk(bench.pool).signed_in("ben", "warehouse", locations=("main",))
    theirs = await begun(ben, INCOMING, **begin)
    await theirs.scan(*codes)
    run = await begun(desk, INCOMING, kind="count")
    told = await run.scan("TEA", "A-1", f"OL:QTY:{9 + change}", "TEA", "OL:DONE")
    told = await run.scan("B-2", "TEA", "OL:DONE")
    assert (told["outcome"], told["over"]) == ("done", True)
    assert await latest(bench, "TEA") == ("counted", 0, "Anna (anna)", "counted on the floor")


async def test_goods_are_moved_and_the_next_pick_goes_there(
    bench: Bench, desk: Desk, pool: Pool
) -> None:
    run = await begun(desk, INCOMING, code="ol:move")
    told = await run.scan("A-1", "OL:QTY:4", "TEA", "OL:ALL", "C-3")
    assert "4 × TEA lie at C-3 now" in told["banner"]
    assert await lies_at(pool, "TEA") == ["C-3", "B-2"]
    await run.scan("POT", "B-2")
    assert await lies_at(pool, "POT") == ["A-1", "B-2"]
    assert (await bench.level("TEA"), await bench.level("POT")) == ((10, 0), (10, 0))
    told = await run.scan("TEA", "X-9")
    assert told["outcome"] == "unknown"
    assert (await run.scan("OL:UNDO", "OL:DONE"))["over"]


async def test_what_is_broken_or_found_is_recorded_with_its_reason(
    bench: Bench, desk: Desk
) -> None:
    run = await begun(desk, INCOMING, kind="move")
    told = await run.scan("OL:QTY:2", "TEA", f"OL:OFF:{INJECTED}")
    assert "<img" not in told["screen"] + told["banner"]
    assert await bench.level("TEA") == (10, 0)
    await run.scan("OL:DONE")
    assert await latest(bench, "TEA") == ("written_off", -2, "Anna (anna)", INJECTED)
    await run.scan("TEA", "OL:FOUND:behind the shelf", "OL:DONE")
    assert await latest(bench, "TEA") == ("adjusted", 1, "Anna (anna)", "behind the shelf")
    told = await run.scan("OL:QTY:50", "POT", "OL:OFF:fire", "OL:DONE")
    assert (told["outcome"], "only 10 POT" in told["banner"]) == ("gone", True)
    assert await bench.level("POT") == (10, 0)


async def test_goods_are_sent_to_another_location_as_one_transfer(bench: Bench, desk: Desk) -> None:
    await bench.at(an_order(("TEA", 7), channel_order_id="send-1"), "confirmed")
    run = await begun(desk, INCOMING, code="outlet")
    told = await run.scan("OL:QTY:4", "TEA")
    assert (told["outcome"], "only 3 × TEA" in told["banner"]) == ("over", True)
    await run.scan("TEA", "TEA", "POT", "OL:WHY:for the weekend", "OL:DONE")
    assert (await run.scan("OL:DONE"))["outcome"] == "done"
    (transfer,) = await bench.transfers.list(under_way=True)
    assert (transfer.from_location, transfer.to_location) == ("main", "outlet")
    assert [(x.sku, x.sent) for x in transfer.lines] == [("POT", 1), ("TEA", 2)]
    assert (transfer.who, transfer.why) == ("Anna (anna)", "for the weekend")
    assert await bench.level("TEA") == (8, 7)
    run = await begun(desk, INCOMING, kind="send", part="outlet")
    await run.scan("TEA", "OL:DONE")
    await bench.stock.write_off("fire", "TEA", "main", 1, who="Ben", why="fire")
    told = await run.scan("OL:DONE")
    assert (told["outcome"], told["over"]) == ("gone", False)
    for part in ("main", "moon"):
        answer = await desk.send_form(INCOMING, kind="send", part=part)
        assert answer.status_code == 409


async def test_what_is_worth_most_and_was_counted_longest_ago_is_counted_next(
    bench: Bench, desk: Desk, pool: Pool
) -> None:
    for n, (sku, price) in enumerate((("DIAMOND", "900"), ("RING", "90"), ("BEAD", "1"))):
        await bench.stock.receive(
            *(f"buy-{n}", sku, "main", 10),
            unit_cost=Price(each=Decimal(price), currency="EUR"),
            who="Ben",
            why=INJECTED,
        )

    async def listed() -> list[tuple[str, ...]]:
        page = text_of(await desk.get("/app/floor/counts"))
        found = re.finditer(r"([ABC]): (\w+)", page.partition("all that lies there.")[2])
        return [one.groups() for one in found]

    first: list[tuple[str, ...]] = [
        ("A", "DIAMOND"),
        ("B", "RING"),
        ("C", "BEAD"),
        ("C", "POT"),
        ("C", "TEA"),
    ]
    assert {name for name, _ in await listed()} == {"C"}  # nobody has seen what they are worth
    await CountClasses(pool).measure()
    assert await listed() == first
    assert text_of(await desk.get("/app/floor/counts")).count("Count A-1") == 1  # two lie there
    run = await begun(desk, INCOMING, kind="count", part="DIAMOND")
    assert await listed() == first[1:]  # somebody counts it
    assert (await run.scan("OL:QTY:10", "DIAMOND", "OL:DONE"))["over"]
    await pool.execute("update stock_count set counted_at = moment() where sku in ('POT', 'TEA')")
    assert await listed() == first[1:3]
    long_ago = "moment() - interval '31 days' * case sku when 'BEAD' then 7 else 1 end"
    await pool.execute(f"update stock_count set counted_at = {long_ago} where sku <> 'POT'")
    assert await listed() == [("C", "BEAD"), ("A", "DIAMOND")]


async def test_who_may_not_change_stock_begins_none_of_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_floor: dict[str, Any] = {"warehouse": frozenset({"warehouse:read", "warehouse:write"})}
    monkeypatch.setattr("domain.staff.roles.MAY", only_floor)
    assert "Move" not in text_of(await desk.get(f"/{INCOMING}")).replace("Receive, count", "")
    assert (await desk.get("/app/floor/counts")).status_code == 403
    for fields in ({"code": "OL:COUNT"}, {"kind": "move"}, {"code": "outlet"}):
        assert (await desk.send_form(INCOMING, **fields)).status_code == 403


async def test_a_pick_that_is_not_on_record_yet_is_not_counted_as_lost(
    bench: Bench, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in ("count-4", "count-5"):
        await bench.at(an_order(("POT", 2), channel_order_id=number), "confirmed")
    ben = await Desk(bench.pool).signed_in("ben", "warehouse", locations=("main",))
    picking = await begun(ben, kind="pick", style="batch", parcels="2")
    await picking.scan("A-1", "OL:QTY:4")

    async def dies(*_: Any) -> Any:
        raise OSError("the process ends here")

    with monkeypatch.context() as patch:
        patch.setattr("starter.service.floor_scans.settled", dies)
        address = f"app/floor/runs/{picking.run_no}"
        cut = await ben.send_form(address, seq="3", scan_id="cut", code="POT")
        assert cut.status_code == 500
    assert await bench.count("select count(*) from fulfilment where state = 'picked'") == 1
    run = await begun(desk, INCOMING, kind="count", part="POT")
    await run.scan("A-1", "OL:QTY:6", "POT")
    assert (await run.scan("OL:DONE"))["over"]
    assert await latest(bench, "POT") == ("counted", 0, "Anna (anna)", "counted on the floor")
