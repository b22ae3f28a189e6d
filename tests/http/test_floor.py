"""The warehouse floor over HTTP: runs of scans, whose next screen the server decides."""

from __future__ import annotations

import asyncio
import html
import re
from typing import Any

import pytest

from starter.service import floor_scans
from starter.web.floor.begins import COMMANDS
from starter.web.floor.settling import settle_once
from store.database import Pool
from store.warehouse import bins
from tests.support.bench import Bench, a_part
from tests.support.builders import an_order
from tests.support.desk import Desk, text_of
from tests.support.printed import barcodes
from tests.support.round_trips import counting_pool
from tests.support.scanner import Scanner, begun
from tests.support.shop import Stage

FIND = "app/floor/find"
INJECTED = '"><img src=x onerror=alert(1)>{{7*7}}'


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    bench = Bench(pool)
    for sku in ("TEA", "POT"):
        await bench.stocked(sku, 100)
    return bench


@pytest.fixture
async def desk(bench: Bench) -> Desk:
    return await Desk(bench.pool).signed_in("anna", "warehouse")


async def to_pick(bench: Bench, number: str, *lines: tuple[str, int], **fields: Any) -> str:
    """A parcel that waits for its picker."""
    order = an_order(*lines, channel_order_id=number, **fields)
    return await bench.at(order, "confirmed")


async def test_somebody_works_at_one_of_their_locations(bench: Bench, pool: Pool) -> None:
    await bench.stocked("TEA", 5, "outlet")
    desk = await Desk(pool).signed_in("anna", "warehouse")
    assert "Where do you work?" in text_of(await desk.get("/app/floor"))
    first = await desk.send_form("app/floor/begin", kind="pick")
    assert (first.status_code, "Choose first where you work" in text_of(first)) == (422, True)
    page = await desk.send_form("app/floor/location", location="outlet")
    assert "Floor: outlet" in text_of(page)
    assert "Floor: outlet" in text_of(await desk.get("/app/floor"))
    none = await desk.send_form("app/floor/location", location="moon")
    assert none.status_code == 409
    ben = await Desk(pool).signed_in("ben", "warehouse", locations=("main",))
    assert "Floor: main" in text_of(await ben.get("/app/floor"))
    for elsewhere in ("outlet", "moon"):
        answer = await ben.send_form("app/floor/location", location=elsewhere)
        assert "no such location, or it is not yours" in text_of(answer)


async def test_a_parcel_is_picked_with_nothing_but_scans(bench: Bench, desk: Desk) -> None:
    part = await to_pick(bench, "floor-1", ("TEA", 2), ("POT", 1))
    home = text_of(await desk.get("/app/floor"))
    assert "Pick 1" in home
    run = await begun(desk, kind="pick")
    told = await run.scan("TEA")  # the sequence without places is that of the SKUs
    assert (told["outcome"], told["good"]) == ("wrong_item", False)
    assert "POT" in told["banner"]
    assert (await run.scan("no such thing"))["outcome"] == "unknown"
    told = await run.scan("POT", "TEA", "TEA")
    assert (told["outcome"], told["over"]) == ("done", True)
    assert await bench.state(part) == "picked"
    (story,) = [one for one in await story_of(bench, "web-floor-1") if one[0] == "picked"]
    assert story == ("picked", "Anna (anna)")
    assert "This is over" not in text_of(await desk.get(f"/app/floor/runs/{run.run_no}"))


async def story_of(bench: Bench, order_id: str) -> list[tuple[str, str]]:
    detail = await Desk(bench.pool).here.orders.get(order_id)
    return [(event.what, event.who) for event in detail.story]


async def test_a_scan_is_taken_once_and_in_its_turn(bench: Bench, desk: Desk) -> None:
    await to_pick(bench, "floor-2", ("TEA", 3))
    run = await begun(desk, kind="pick")
    first = await run.send("TEA", seq=1, scan_id="a")
    again = await run.send("TEA", seq=1, scan_id="a")
    assert (first["how"], again["how"]) == ("taken", "repeated")
    assert again["banner"] == first["banner"]
    other = await run.send("TEA", seq=1, scan_id="b")  # of a page that shows an old screen
    assert (other["how"], other["good"], other["seq"]) == ("passed", False, 1)
    gap = await run.send("TEA", seq=4, scan_id="c")
    assert (gap["how"], gap["missing"]) == ("gap", [2, 3])
    assert "1 of 3 units" in again["screen"]
    page = await desk.get(f"/app/floor/runs/{run.run_no}")  # reloaded, or on another device
    assert "1 of 3 units" in text_of(page)
    assert "Still 2 × TEA" in text_of(page)


async def test_without_script_a_form_is_a_scan(bench: Bench, desk: Desk) -> None:
    part = await to_pick(bench, "floor-3", ("TEA", 2))
    run = await begun(desk, kind="pick")
    address = f"app/floor/runs/{run.run_no}"
    page = await desk.get(f"/{address}")
    sent = hidden(page.text)
    units = await desk.send_form(address, **sent, prefix="OL:QTY:", code="2")
    assert "stands for 2" in text_of(units)
    old = await desk.send_form(address, **sent, code=INJECTED)  # Back, and sent again
    assert (old.status_code, "has gone on meanwhile" in text_of(old)) == (409, True)
    odd = await desk.send_form(address, **hidden(units.text), code=INJECTED)
    assert "Nobody knows this code" in text_of(odd)
    assert "<img" not in odd.text
    done = await desk.send_form(address, **hidden(odd.text), code=["", "TEA"])
    assert "All is picked" in text_of(done)
    assert await bench.state(part) == "picked"
    for fields in ({}, {"seq": "x", "scan_id": "y", "code": "TEA"}, {"seq": "9", "code": "TEA"}):
        answer = await desk.send_form(address, **fields)
        assert (answer.status_code, "Nothing was scanned" in text_of(answer)) == (409, True)


def hidden(page: str) -> dict[str, str]:
    """What the form of the scanner sends besides."""
    found = page.partition('id="scanner"')[2].partition("</form>")[0]
    fields = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', found)
    return {name: html.unescape(value) for name, value in fields}


async def test_one_parcel_is_in_one_hand_and_may_be_taken_over(bench: Bench, pool: Pool) -> None:
    part = await to_pick(bench, "floor-4", ("TEA", 2))
    anna = await Desk(pool).signed_in("anna", "warehouse")
    ben = await Desk(pool).signed_in("ben", "warehouse")
    run = await begun(anna, kind="pick")
    await run.scan("TEA")
    nothing = await ben.send_form("app/floor/begin", kind="pick", part=part)
    assert (nothing.status_code, "Nothing is to be picked here" in text_of(nothing)) == (409, True)
    address = f"/app/floor/runs/{run.run_no}"
    assert "Anna (anna) has this" in text_of(await ben.get(address))
    theirs = Scanner(ben, run.run_no)
    refused = await theirs.send("TEA", seq=2, scan_id="ben-1")
    assert (refused["how"], refused["outcome"]) == ("held", "taken")
    taken = await theirs.send("OL:TAKE", seq=2, scan_id="ben-2")
    assert (taken["how"], taken["seq"]) == ("taken", 2)
    late = await run.send("TEA", seq=2, scan_id="anna-2")
    assert (late["how"], "Ben (ben) has taken this over" in late["banner"]) == ("held", True)
    theirs.seq = 2
    assert (await theirs.scan("TEA"))["over"]
    assert await bench.state(part) == "picked"
    again = await anna.send_form(f"app/floor/runs/{run.run_no}/take")
    assert again.status_code == 200


async def test_an_old_page_that_takes_a_run_over_goes_on_from_where_it_stands(
    bench: Bench, pool: Pool
) -> None:
    await to_pick(bench, "floor-4b", ("TEA", 4))
    anna = await Desk(pool).signed_in("anna", "warehouse")
    ben = await Desk(pool).signed_in("ben", "warehouse")
    run = await begun(anna, kind="pick")
    await run.scan("TEA", "TEA")
    theirs = Scanner(ben, run.run_no)
    for seq in (1, 900):  # what his page shows is older, or made up
        taken = await theirs.send("OL:TAKE", seq=seq, scan_id=f"ben-{seq}")
        assert (taken["how"], taken["good"]) == ("taken", True)
        again = await theirs.send("OL:TAKE", seq=seq, scan_id=f"ben-{seq}")
        assert (again["how"], again["seq"]) == ("repeated", taken["seq"])
        theirs.seq = taken["seq"]
        await theirs.scan("TEA")
        if seq == 1:
            back = await run.send("OL:TAKE", seq=theirs.seq + 1, scan_id="anna-back")
            assert back["seq"] == theirs.seq + 1
    over = await run.send("OL:TAKE", seq=99, scan_id="anna-over")
    assert (over["how"], over["said"], over["over"]) == ("held", "run_over", True)


async def test_a_part_stays_in_its_run_until_what_was_decided_is_recorded(
    bench: Bench, desk: Desk, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = [await to_pack(bench, f"floor-4c{n}", ("TEA", 1)) for n in range(3)]
    for part in parts:
        await bench.warehouse.pack(part, who="ben")
        await bench.send(part)
    run = await begun(desk, kind="hand-over")
    await run.scan(*parts)
    monkeypatch.setattr(floor_scans, "FACTS_AT_ONCE", 0)  # as if the process died there
    told = await run.scan("OL:DONE")
    assert (told["over"], told["under_way"]) == (False, True)
    ben = await Desk(pool).signed_in("ben", "warehouse")
    theirs = await begun(ben, kind="hand-over")
    told = await theirs.scan(parts[2])
    assert (told["outcome"], "Anna (anna) works on" in told["banner"]) == ("taken", True)
    monkeypatch.undo()
    assert await desk.here.floor.left_over() == []  # its page may still do it
    await pool.execute("update scan_run set changed_at = changed_at - interval '6 seconds'")
    await settle_once(desk.here.floor)  # nobody looks at the page any more
    told = await run.look()
    assert (told["over"], told["under_way"]) == (True, False)
    assert [await bench.state(part) for part in parts] == ["shipped"] * 3
    assert await pool.fetchval("select count(*) from scan_run_part") == 0


async def test_of_two_scans_with_one_number_one_is_taken(bench: Bench, desk: Desk) -> None:
    await to_pick(bench, "floor-4d", ("TEA", 9))
    run = await begun(desk, kind="pick")
    for seq in range(1, 9):
        sent = [run.send("TEA", seq=seq, scan_id=f"{device}-{seq}") for device in "abcd"]
        told = await asyncio.gather(*sent)
        assert sorted(one["how"] for one in told) == ["passed", "passed", "passed", "taken"]
    assert "8 of 9 units" in (await run.look())["screen"]
    last = await asyncio.gather(*(run.send("TEA", seq=9, scan_id="last") for _ in range(4)))
    assert {one["how"] for one in last} == {"taken", "repeated"}
    assert {one["over"] for one in last} == {True}


async def test_a_code_counts_however_it_is_written_and_its_own_form_first(
    bench: Bench, desk: Desk, pool: Pool
) -> None:
    for sku in ("pot", "Mug"):
        await bench.stocked(sku, 10)
    await pool.execute(
        "insert into item_code (code, sku, units) values ('9506000134352', 'TEA', 1), "
        "('09506000134352', 'POT', 1), ('POT', 'TEA', 1)"
    )
    codes = {
        "9506000134352": "TEA",
        "09506000134352": "POT",  # both are known: neither is mistaken for the other
        "(01)09506000134352(10)AB": "POT",
        "ㅆㄸㅁ": "TEA",
        "tea": "TEA",
        "POT": "POT",  # a SKU is its own code, whatever else has it
        "pot": "pot",
        "mUG": "Mug",
        "x" * 500: None,
        "\x01\x7f\u202e": None,
        "https://example.com/?q=TEA": None,
    }
    async with pool.acquire() as conn:
        found = {code: (await bins.read_code(conn, "main", code)).sku for code in codes}
    assert found == codes


async def test_a_scan_asks_the_database_four_times_and_more_when_a_parcel_is_recorded(
    bench: Bench, database_url: str
) -> None:
    await to_pick(bench, "floor-4e", ("TEA", 3))
    async with counting_pool(database_url) as trips:
        desk = await Desk(trips.pool).signed_in("anna", "warehouse")
        run = await begun(desk, kind="pick")
        await run.scan("TEA")
        asked = []
        for _ in range(2):
            with trips.counted() as sent:
                await run.scan("TEA")
            asked.append(len(sent))
        assert asked == [4, 12], sent


async def test_two_who_want_the_next_parcel_at_once_get_two(bench: Bench, desk: Desk) -> None:
    parts = [await to_pick(bench, f"floor-f{n}", ("TEA", 1)) for n in range(3)]
    forms = [f"form-{n}" for n in range(3)] * 2  # each is sent twice
    pages = await asyncio.gather(
        *(desk.send_form("app/floor/begin", kind="pick", request_id=one) for one in forms)
    )
    assert len({page.url.path for page in pages}) == 3
    assert all(any(part in page.text for page in pages) for part in parts)
    asked = re.findall(r'name="request_id" value="([^"]+)"', (await desk.get("/app/floor")).text)
    assert len(asked) == len(set(asked))


async def test_a_wave_is_picked_in_walking_order(bench: Bench, desk: Desk, pool: Pool) -> None:
    await pool.execute("insert into bin (location, bin, walk) values ('main', 'A-1', 1)")
    await pool.execute("insert into bin (location, bin, walk) values ('main', 'B-7', 2)")
    await pool.execute(
        "insert into bin_item (location, sku, bin) values ('main', 'TEA', 'A-1'), "
        "('main', 'POT', 'B-7')"
    )
    await pool.execute(
        "insert into item_code (code, sku, units) values ('0800000000017', 'TEA', 1), "
        "('TWELVE', 'POT', 12)"
    )
    await bench.stocked("MUG", 5)
    first = await to_pick(bench, "floor-51", ("TEA", 1), ("POT", 6))
    elsewhere = await to_pick(bench, "floor-52", ("MUG", 1))
    parts = [first, await to_pick(bench, "floor-53", ("TEA", 1), ("POT", 6))]
    run = await begun(desk, kind="pick", style="batch", parcels="2")
    assert elsewhere not in (await run.look())["screen"]  # it is on another way
    screen = " ".join(re.sub(r"<[^>]+>", " ", (await run.look())["screen"]).split())
    assert "Then: B-7, 12 × POT" in screen
    told = await run.scan("A-1", "800000000017", "0800000000017")
    assert "POT B-7" in told["banner"]
    told = await run.scan("B-7", "TWELVE")
    assert told["outcome"] == "done"
    assert [await bench.state(part) for part in parts] == ["picked", "picked"]


async def test_what_is_not_there_is_told_and_its_stock_is_corrected(
    bench: Bench, desk: Desk
) -> None:
    part = await to_pick(bench, "floor-6", ("TEA", 3))
    run = await begun(desk, kind="pick")
    told = await run.scan("TEA", "OL:SHORT")
    assert 'class="banner asks"' in told["banner"]  # Nothing is done yet.
    assert "taken off the stock" in told["screen"]
    told = await run.scan("OL:SHORT")
    assert told["outcome"] == "done"
    assert await bench.state(part) == "picked"
    assert await bench.level("TEA") == (98, 1)


async def test_what_is_cancelled_meanwhile_is_put_back(bench: Bench, desk: Desk) -> None:
    part = await to_pick(bench, "floor-7", ("TEA", 2))
    run = await begun(desk, kind="pick")
    await run.scan("TEA")
    await bench.pool.execute(
        "update fulfilment set state = 'cancelled', recalled_from = 'picking' "
        "where fulfilment_id = $1",
        part,
    )
    told = await run.scan("TEA")
    assert (told["outcome"], told["over"]) == ("gone", True)
    assert "was recalled" in told["banner"]
    assert "2 × TEA" in told["screen"].replace("</strong>", "")


async def test_the_location_refuses_a_parcel(bench: Bench, desk: Desk) -> None:
    part = await to_pick(bench, "floor-8", ("TEA", 2))
    run = await begun(desk, kind="pick")
    told = await run.scan("TEA", "OL:REFUSE:the box is wet")
    assert (told["outcome"], told["over"]) == ("good", True)
    assert await bench.state(part) == "cancelled"
    (story,) = [one for one in await story_of(bench, "web-floor-8") if "refused" in one[0]]
    assert story[1] == "Anna (anna)"


async def test_nobody_sees_runs_of_other_locations(bench: Bench, desk: Desk, pool: Pool) -> None:
    await bench.stocked("TEA", 5, "outlet")
    await to_pick(bench, "floor-9", ("TEA", 2))
    await desk.send_form("app/floor/location", location="main")
    run = await begun(desk, kind="pick")
    ben = await Desk(pool).signed_in("ben", "warehouse", locations=("outlet",))
    theirs = f"/app/floor/runs/{run.run_no}"
    sent = await ben.send_form(theirs[1:], seq="1", scan_id="x", code="TEA")
    for answer in (
        await ben.get(theirs),
        sent,
        await ben.send_form(f"{theirs[1:]}/take"),
        await ben.get("/app/floor/runs/9999"),
    ):
        assert (answer.status_code, "There is no such work" in text_of(answer)) == (404, True)
    cy = await Desk(pool).signed_in("cy", "warehouse", channels=("pos",))
    await cy.send_form("app/floor/location", location="main")
    home = text_of(await cy.get("/app/floor"))
    assert "Pick 0" in home
    assert f"Pick {run.run_no}" not in home
    assert (await cy.get(theirs)).status_code == 404  # its parcels are of another channel
    assert (await cy.send_form(f"{theirs[1:]}/take")).status_code == 404
    dee = await Desk(pool).signed_in("dee", "warehouse", channels=("web",))
    assert (await dee.get(theirs)).status_code == 200


async def to_pack(bench: Bench, number: str, *lines: tuple[str, int], **fields: Any) -> str:
    """A parcel that waits for its packer."""
    order = an_order(*lines, channel_order_id=number, **fields)
    return await bench.at(order, "picked")


async def test_parcels_are_packed_and_handed_over_by_manifest(
    bench: Bench, desk: Desk, pool: Pool
) -> None:
    parts = [await to_pack(bench, f"floor-a{n}", ("TEA", 1), ("POT", 1)) for n in (1, 2)]
    first, second = parts
    run = await begun(desk, kind="pack")
    assert (await run.scan(first))["said"] == "parcel_open"
    assert (await run.scan("TEA", "TEA"))["outcome"] == "over"
    told = await run.scan("OL:PRINT")
    assert told["said"] == "nothing_to_print"
    told = await run.scan("POT", "OL:BOX:M", "1.25kg", "OL:DONE")
    assert (told["said"], told["again_ms"] > 0) == ("parcel_packed", True)
    assert "The label is being bought" in told["screen"]
    assert await bench.state(first) == "packed"
    (packed,) = [
        event.data
        for event in (await desk.here.orders.get("web-floor-a1")).story
        if event.what == "packed"
    ]
    assert packed == {"fulfilment_id": first, "box": "M", "grams": 1250}
    assert (await run.scan(first))["said"] == "no_label_yet"
    await run.scan(second, "TEA", "POT", "OL:DONE")
    for part in parts:
        await bench.send(part)
    sold = await pool.fetchval(
        "select box || grams from sandbox.label where fulfilment_id = $1", first
    )
    assert sold == "M1250"  # as the carrier was told
    told = await run.scan("OL:PRINT")
    assert (told["said"], told["again_ms"], "data-label" in told["screen"]) == ("prints", 0, True)
    slip = await desk.get(f"/app/floor/parcels/{second}/slip")
    assert slip.content.startswith(b"%PDF")
    for _ in range(2):
        label = await desk.send_form(f"app/floor/parcels/{second}/label")
        assert label.content.startswith(b"%PDF"), label.text
    printed = [one for one in await story_of(bench, "web-floor-a2") if "printed" in one[0]]
    assert printed == [("label printed again", "Anna (anna)")]
    numbers = [(await bench.parcel(part)).tracking_number or "" for part in parts]
    run = await begun(desk, kind="hand-over")
    assert (await run.scan("TEA"))["outcome"] == "unknown"
    told = await run.scan(numbers[0], second, first)
    assert told["said"] == "on_it_already"
    ben = await Desk(pool).signed_in("ben", "warehouse")
    theirs = await begun(ben, kind="hand-over")
    taken = await theirs.scan(first)
    assert (taken["outcome"], "Anna (anna) works on" in taken["banner"]) == ("taken", True)
    told = await run.scan("OL:DONE")
    assert (told["outcome"], told["over"]) == ("done", True)
    assert "Handed over: 2 parcels." in told["banner"]
    assert [await bench.state(part) for part in parts] == ["shipped", "shipped"]
    later = await begun(desk, kind="hand-over")
    for code in (first, numbers[0]):
        assert (await later.scan(code))["said"] == "has_left", code
    paper = await desk.get(f"/app/floor/manifests/{run.run_no}")
    assert paper.content.startswith(b"%PDF")
    await bench.stocked("TEA", 5, "outlet")
    cy = await Desk(pool).signed_in("cy", "warehouse", locations=("outlet",))
    for path in (f"manifests/{run.run_no}", f"parcels/{second}/slip", "manifests/999"):
        assert (await cy.get(f"/app/floor/{path}")).status_code == 404, path
    assert (await cy.send_form(f"app/floor/parcels/{second}/label")).status_code == 404


async def test_what_may_not_leave_stays_off_the_manifest(bench: Bench, desk: Desk) -> None:
    parts = [await to_pack(bench, f"floor-b{n}", ("TEA", 1)) for n in (1, 2)]
    for part in parts:
        await bench.warehouse.pack(part, who="ben")
        await bench.send(part)
    run = await begun(desk, kind="hand-over")
    await run.scan(*parts)
    await bench.pool.execute(
        "update fulfilment set state = 'cancelled', recalled_from = 'labelled' "
        "where fulfilment_id = $1",
        parts[0],
    )
    told = await run.scan("OL:DONE")
    assert (told["outcome"], told["over"]) == ("gone", True)
    assert "was recalled" in told["screen"]
    paper = await desk.here.floor.manifest(await run.person(), run.run_no)
    assert [one.part_id for one in paper.parcels] == [parts[1]]


async def test_goods_that_were_taken_out_go_back(bench: Bench, desk: Desk, pool: Pool) -> None:
    part = await to_pack(bench, "floor-c", ("TEA", 3))
    nothing = await desk.send_form("app/floor/begin", kind="put-back")
    assert "Nothing is to be put back here" in text_of(nothing)
    async with pool.acquire() as conn, conn.transaction():
        await conn.execute("select * from fulfilment_made_smaller($1, $2, true)", part, {"1": 1})
    box = await begun(desk, kind="pack")
    assert (await box.scan(part))["said"] == "put_back_first"
    run = await begun(desk, kind="put-back")
    assert (await run.scan("POT"))["outcome"] == "wrong_item"
    told = await run.scan("TEA", "OL:DONE")
    assert (told["said"], told["over"]) == ("all_put_back", True)
    assert ("put back", "Anna (anna)") in await story_of(bench, "web-floor-c")
    await box.scan(part, "TEA", "TEA")
    async with pool.acquire() as conn, conn.transaction():
        await conn.execute("select * from fulfilment_made_smaller($1, $2, true)", part, {"1": 1})
    await bench.warehouse.put_back(f"{part}:P2", who="ben")  # who did not look into the box
    told = await box.scan("OL:DONE")
    assert (told["outcome"], "become smaller" in told["banner"]) == ("gone", True)
    assert await bench.state(part) == "picked"
    assert (await box.scan(part, "TEA", "OL:DONE"))["said"] == "parcel_packed"


async def test_the_goods_of_a_cancelled_order_go_back(bench: Bench, desk: Desk) -> None:
    order = an_order(("TEA", 3), ("POT", 1), channel_order_id="floor-c2")
    part = await bench.at(order, "labelled")
    await bench.fulfilment.recall(a_part(part))
    await bench.fulfilment.recall(a_part(part))  # again, because the answer was lost
    assert "Put back 1" in text_of(await desk.get("/app/floor"))
    run = await begun(desk, kind="put-back")
    told = await run.look()
    assert "Open its box first" in told["screen"]
    told = await run.scan("TEA", "TEA", "TEA", "POT", "OL:DONE")
    assert told["said"] == "all_put_back"
    assert "Put back 0" in text_of(await desk.get("/app/floor"))


async def test_goods_are_collected_with_the_right_code(bench: Bench, desk: Desk) -> None:
    order = an_order(("TEA", 2), channel_order_id="floor-d", shipping={"service": "collect"})
    part = await bench.at(order, "labelled")
    (ready,) = (await desk.here.codes.of_order(order.order_id)).to_collect
    run = await begun(desk, kind="collect")
    told = await run.scan(part, "AAAAAAA")
    assert (told["said"], told["good"]) == ("code_wrong_code", False)
    assert "AAAAAAA" not in str(
        await bench.pool.fetchval("select scan_run::text from scan_run where kind = 'collect'")
    )
    told = await run.scan(ready.code)
    assert told["said"] == "collected"
    assert await bench.state(part) == "delivered"


async def test_a_scanned_parcel_leads_to_what_it_waits_for(
    bench: Bench, desk: Desk, pool: Pool
) -> None:
    stages: tuple[tuple[Stage, str], ...] = (
        *(("confirmed", "Pick"), ("picked", "Pack"), ("labelled", "Hand over")),
    )
    for stage, title in stages:
        order = an_order(("TEA", 2), channel_order_id=f"floor-e-{stage}")
        part = await bench.at(order, stage)
        page = await desk.send_form("app/floor/find", code=f" {part} ")
        assert title in text_of(page), stage
        assert part in text_of(page), stage
        again = await desk.send_form("app/floor/find", code=part)
        assert again.url.path == page.url.path
    ben = await Desk(pool).signed_in("ben", "warehouse")
    assert "Anna (anna) has this" in text_of(await ben.send_form("app/floor/find", code=part))
    for code in ("web-none:1", "TEA", INJECTED):
        none = await desk.send_form("app/floor/find", code=code)
        assert (none.status_code, "Nothing is to be done with this" in text_of(none)) == (409, True)


async def test_the_sheet_of_commands_is_a_page_to_print(desk: Desk) -> None:
    sheet = await desk.get("/app/floor/sheet")
    assert sheet.headers["content-type"] == "application/pdf"
    codes = barcodes(sheet.content)
    assert {"OL:DONE", "OL:SHORT", "OL:QTY:5", "OL:POS:12"} <= {*codes}
    assert sheet.num_bytes_downloaded < 20_000


ROUTES = (
    ("GET", "/app/floor"),
    ("POST", "/app/floor/location"),
    ("POST", "/app/floor/begin"),
    ("POST", "/app/floor/find"),
    ("GET", "/app/floor/sheet"),
    ("GET", "/app/floor/manifests/1"),
    ("GET", "/app/floor/parcels/web-1:1/slip"),
    ("POST", "/app/floor/parcels/web-1:1/label"),
    ("GET", "/app/floor/runs/1"),
    ("POST", "/app/floor/runs/1"),
    ("POST", "/app/floor/runs/1/take"),
)


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_the_floor_is_for_those_who_work_there(pool: Pool, method: str, path: str) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
    desk = Desk(pool)
    nobody = await desk.request(method, path, headers=kind)
    assert nobody.url.path == "/app/sign-in"
    await desk.signed_in("anna", "accountant")
    assert (await desk.request(method, path, headers=kind)).status_code == 403
    if method == "POST":
        foreign = await desk.request(method, path, headers={**kind, "Sec-Fetch-Site": "cross-site"})
        assert "sent by another site" in text_of(foreign)


async def test_a_scan_on_the_floor_begins_the_work_that_it_names(
    bench: Bench, desk: Desk, pool: Pool
) -> None:
    parts = [
        await bench.at(an_order(("TEA", 1), channel_order_id=f"by-scan-{n}"), "confirmed")
        for n in range(4)
    ]
    home = await desk.get("/app/floor")
    (request_id,) = re.findall(r'name="request_id" value="(\w+-scan)"', home.text)
    run = await begun(desk, FIND, code="ol:pick", request_id=request_id)
    # It is sent twice, and scanned once more while it is under way: it is the same run.
    for more in ({"request_id": request_id}, {}):
        assert (await begun(desk, FIND, code="OLÖPICK", **more)).run_no == run.run_no
    told = await run.scan("TEA")
    assert told["over"]
    assert 'app/floor/find"' in told["screen"]  # the next scan goes on from here
    wave = await begun(desk, FIND, code="OL:BATCH")
    held = await pool.fetchval("select count(*) from scan_run_part where run_no = $1", wave.run_no)
    assert held == len(parts) - 1
    nothing = await desk.send_form(FIND, code="OL:BACK")
    assert (nothing.status_code, 'role="alert"' in nothing.text) == (409, True)
    sheet = barcodes((await desk.get("/app/floor/sheet")).content)
    assert {one for one in COMMANDS if COMMANDS[one].kind != "collect"} <= {*sheet}


async def test_a_scan_says_where_somebody_works(bench: Bench, pool: Pool) -> None:
    await bench.stocked("TEA", 1, "shop")
    ben = await Desk(pool).signed_in("ben", "warehouse")
    assert "Scan or type the name of a location" in text_of(await ben.get("/app/floor"))
    wrong = await ben.send_form(FIND, code="nowhere")
    assert "no such location, or it is not yours" in text_of(wrong)
    assert "Floor: shop" in text_of(await ben.send_form(FIND, code="shop"))


async def test_what_comes_in_is_scanned_on_the_first_page_too(bench: Bench, desk: Desk) -> None:
    run = await begun(desk, FIND, code="OL:COUNT")
    assert "Count" in text_of(await desk.get(f"/app/floor/runs/{run.run_no}"))
