"""Orders, stock and the warehouse by the command line: real processes on real servers."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client

from starter.channels.read_results import Record, to_record
from starter.cli.orders.placing import Plan, Result, place_records
from store.database import Pool
from tests.support.bench import Bench
from tests.support.builders import QUICK, a_document, an_order
from tests.support.command_line import EXAMPLES, SECONDS_MAX, Cli
from tests.support.shop import Shop


def documents(count: int) -> list[dict[str, Any]]:
    """Orders of one unit of TEA each. Their ids are new: the Temporal server outlives a test."""
    return [a_document(("TEA", 1)) for _ in range(count)]


def id_of(document: dict[str, Any]) -> str:
    return f"{document['channel']}-{document['channel_order_id']}"


def json_lines(documents: list[dict[str, Any]]) -> str:
    return "\n".join(json.dumps(document) for document in documents) + "\n"


# One order's way ----------------------------------------------------------------------------------


async def test_the_example_order_goes_all_the_way_and_comes_back(cli: Cli, shop: Shop) -> None:
    imported = (await cli.done("stock", "import", str(EXAMPLES / "stock.csv"), "--json")).json
    assert (imported["stock_rows"], imported["new_locations"]) == (6, ["main", "outlet"])
    placed = (await cli.done("place", str(EXAMPLES / "order.json"), "--json")).json
    assert placed["orders"] == [
        {
            "line": 1,
            "order_id": "web-1001",
            "outcome": "confirmed",
            "reason": "",
            "missing": [],
            "backordered": [],
            "promised_on": None,
        }
    ]
    assert (placed["problems"], placed["summary"]) == ([], {"confirmed": 1})

    (task,) = (await cli.done("warehouse", "tasks", "--task", "pick", "--json")).json["tasks"]
    part = task["part_id"]
    assert (task["order_id"], part) == ("web-1001", "web-1001:1")
    picked, again, otherwise, packed = await cli.many(
        ("warehouse", "pick", part, "--by", "anna", "--json"),
        ("warehouse", "pick", part),
        ("warehouse", "pick", part, "--count", "1=2", "--count", "2=1"),
        ("warehouse", "pack", part),
    )
    assert picked.json == {
        "part_id": part,
        "reported": "picked",
        "picked": {"1": 3, "2": 1},
        "missing": {},
    }
    assert (again.code, again.out) == (0, f"{part} picked\n")
    assert otherwise.code == 1
    assert "differently" in otherwise.err
    assert packed.code == 0
    await shop.task("handover", part)
    await cli.done("warehouse", "handover", part, "--at", "2026-11-22T10:00+01:00")

    (parcel,) = (await cli.done("carrier", "parcels", "--json")).json["parcels"]
    scan = ("carrier", "event", parcel["tracking_number"], "delivered", "--event-id", "e1")
    scans = await cli.many((*scan, "--json"), (*scan, "--json"))
    assert [ended.json["heard"] for ended in scans] == ["new", "repeat"]

    await shop.heard("web-1001", "delivered", 4)
    returned = (await cli.done("return", "web-1001", "--reason", "changed my mind", "--json")).json
    assert (returned["outcome"], returned["return_id"]) == ("approved", "web-1001:R1")
    counted = ("--count", "1=3", "--count", "2=1", "--scrap", "1=1")
    received = await cli.done("warehouse", "receive-return", "web-1001:R1", *counted, "--json")
    assert received.json["received"] == {"1": 3, "2": 1}

    story = (
        await cli.done("watch", "web-1001", "--until-done", "--interval", "0.2", "--json")
    ).lines
    whats = [event["what"] for event in story]
    assert whats[0] == "received"
    assert whats[-1] == "closed"
    assert [event["who"] for event in story if event["what"] == "picked"] == ["anna"]
    told, shown, page, stock, audited, clean = await cli.many(
        ("events", "web-1001", "--json"),
        ("show", "web-1001", "--json"),
        ("show", "web-1001"),
        ("stock", "list", "--sku", "TEA-ASSAM-250", "--location", "main", "--json"),
        ("audit", "--json"),
        ("audit",),
    )
    assert [event["what"] for event in told.json["events"]] == whats
    summary = shown.json["summary"]
    assert (summary["state"], summary["payment_status"]) == ("closed", "refunded")
    assert (summary["total"], summary["captured"], summary["refunded"]) == ("97.37",) * 3
    assert [payment["amount"] for payment in shown.json["payments"]] == ["97.37"] * 3
    assert shown.json["returns"][0]["lines"]["1"] == {
        "quantity": 3,
        "restocked": 2,
        "scrapped": 1,
    }
    assert "Order web-1001: closed" in page.out
    assert "97.37 EUR" in page.out
    (level,) = stock.json["stock"]
    assert (level["on_hand"], level["allocated"]) == (119, 0)
    assert audited.json["clean"] is True
    assert (clean.code, clean.out.splitlines()[-1]) == (0, "audit: clean")


async def test_simulated_warehouse_and_carriers_bring_orders_to_their_end(
    cli: Cli, shop: Shop
) -> None:
    await shop.stocked("TEA", 10)
    cli.environment["ORDERLOOM_POLICY__RETURN_WINDOW"] = "PT0.5S"
    await cli.done("place", "-", stdin=json_lines(documents(3)))
    sure = [f"--{name}=0" for name in ("short-picks", "lost", "undeliverable")]
    fast = ("--speed", "1000000", "--until-idle", "--idle-after", "3")
    told = (await cli.done("simulate", *fast, *sure, "--json")).lines
    assert told[-1]["ended"] is True
    assert (told[-1]["handed_over"], told[-1]["delivered"]) == (3, 3)
    states = (await cli.done("watch", "--json", "--until-done")).lines[-1]["states"]
    assert states == {"closed": 3}


# Placing ------------------------------------------------------------------------------------------


async def test_an_order_placed_twice_is_one_order_and_other_content_is_a_conflict(
    cli: Cli, shop: Shop, tmp_path: Path
) -> None:
    await shop.stocked("TEA", 10)
    file = tmp_path / "orders.json"
    orders = documents(3)
    file.write_text(json.dumps(orders), encoding="utf-8")
    first = await cli.done("place", str(file), "--json")
    story = await shop.story(id_of(orders[0]))
    level = await shop.level("TEA")
    again = await cli.done("place", str(file), "--json")
    assert again.json == first.json
    assert await shop.story(id_of(orders[0])) == story
    assert await shop.level("TEA") == level

    orders[1]["lines"][0]["quantity"] = 2
    file.write_text(json.dumps(orders), encoding="utf-8")
    changed = await cli("place", str(file), "--json")
    assert changed.code == 1
    assert changed.error["error"] == "conflict"
    assert changed.json["summary"] == {"confirmed": 2, "conflict": 1}
    assert "placed before with other content" in changed.json["orders"][1]["reason"]
    alone = await cli("place", "-", stdin=json.dumps(orders[1]))
    assert alone.code == 1
    assert "conflict" in alone.err
    assert await shop.level("TEA") == level


async def test_every_form_of_file_is_placed(cli: Cli, shop: Shop) -> None:
    await shop.stocked("TEA", 10)
    await shop.stocked("NW-11", 100)
    await shop.stocked("NW-42", 100)
    await shop.stocked("NW-72", 100)
    export = (EXAMPLES / "northwind" / "orders.csv").read_text(encoding="utf-8").splitlines()[:4]
    customers = ("--customers", str(EXAMPLES / "northwind" / "customers.csv"))
    one, array, lines = documents(1), documents(2), documents(2)
    forms = {
        id_of(one[0]): json.dumps(one[0], indent=2),
        id_of(array[0]): json.dumps(array),
        id_of(lines[0]): json_lines(lines),
        "b2b-10248": "\r\n".join(export),
    }
    ended = await asyncio.gather(
        *(cli.done("place", "-", *customers, "--json", stdin=text) for text in forms.values())
    )
    assert [e.json["orders"][0]["order_id"] for e in ended] == list(forms)
    assert [e.json["summary"] for e in ended] == [{"confirmed": n} for n in (1, 2, 2, 1)]
    listed = (await cli.done("orders", "--channel", "b2b", "--json")).json
    (order,) = listed["orders"]
    assert (order["order_id"], order["currency"]) == ("b2b-10248", "USD")
    assert listed["more"] is False
    assert order["placed_at"] == "1996-07-04T00:00:00Z"
    document = (await cli.done("show", "b2b-10248", "--json")).json["document"]
    assert document["customer"]["name"] == "Vins et alcools Chevalier"


async def test_s34_one_malformed_order_is_reported_with_line_and_reason_and_the_others_go_through(
    cli: Cli, shop: Shop, tmp_path: Path
) -> None:
    await shop.stocked("TEA", 100)
    orders = documents(30)
    orders[16]["lines"][0]["quantity"] = 0
    lines = json_lines(orders).splitlines()
    file = tmp_path / "orders.jsonl"
    file.write_text("\n".join(lines), encoding="utf-8")
    told = await cli("place", str(file))
    assert told.code == 2
    assert told.err.splitlines()[0].startswith(f"{file}:17: lines[0].quantity: ")
    assert told.out.splitlines()[-1] == "30 orders: 29 confirmed, 1 malformed"
    assert "repeats nothing" in told.err.splitlines()[-1]

    lines[16] = lines[16][:-5]
    file.write_text("\n".join(lines), encoding="utf-8")
    again = await cli("place", str(file), "--json")
    assert again.code == 2
    assert again.error["error"] == "invalid_input"
    (problem,) = again.json["problems"]
    assert (problem["file"], problem["line"]) == (str(file), 17)
    assert "is not JSON" in problem["reason"]
    assert again.json["summary"] == {"malformed": 1, "confirmed": 29}
    assert {order["outcome"] for order in again.json["orders"]} == {"confirmed"}


async def test_what_is_not_available_follows_the_policy(cli: Cli, shop: Shop) -> None:
    await shop.stocked("TEA", 2)
    some, whole, none = (a_document(("TEA", 3)) for _ in range(3))
    rejected = await cli("place", "-", "--all-or-nothing", stdin=json.dumps(whole))
    assert rejected.code == 1
    assert rejected.err == f"orderloom: {id_of(whole)} rejected; the reason is beside it\n"
    partly = await cli.done("place", "-", "--json", stdin=json.dumps(some))
    assert partly.json["orders"][0]["missing"] == [
        {"line_id": "1", "quantity": 1, "why": "", "reason": ""}
    ]
    several = await cli("place", "-", "--json", stdin=json_lines([some, none, whole]))
    assert several.code == 1
    assert several.error["error"] == "refused"
    assert several.json["summary"] == {"confirmed": 1, "rejected": 2}


async def test_a_policy_file_goes_with_the_orders_it_is_named_for(
    cli: Cli, shop: Shop, tmp_path: Path
) -> None:
    await shop.stocked("TEA", 10)
    file = tmp_path / "policy.json"
    file.write_text('{"return_window": "PT0.2S"}', encoding="utf-8")
    (document,) = documents(1)
    order = json.dumps(document)
    await cli.done("place", "-", "--policy", str(file), stdin=order)
    assert (await shop.finish(id_of(document)))["outcome"] == "closed"
    for content, wrong in (("{", "not JSON"), ("[]", "object"), ('{"x": 1}', "x: is not known")):
        file.write_text(content, encoding="utf-8")
        ended = await cli("place", "-", "--policy", str(file), stdin=order)
        assert ended.code == 2
        assert wrong in ended.err


async def test_a_file_is_read_no_faster_than_its_orders_are_placed(
    cli: Cli, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.stocked("TEA", 20)
    for name, value in cli.environment.items():
        monkeypatch.setenv(name, value)
    read: list[int] = []
    ahead: list[int] = []
    placed: dict[int, str] = {}

    def records() -> Iterator[Record]:
        for line, document in enumerate(documents(12), start=1):
            read.append(line)
            yield to_record(document if line != 5 else {}, line)

    def note(index: int, result: Result) -> None:
        placed[index] = result.outcome
        ahead.append(len(read) - len(placed))

    plan = Plan(QUICK, concurrency=2, answer_within=timedelta(seconds=30), bulk=True)
    await place_records(records(), plan, note)
    assert placed == {n: "malformed" if n == 4 else "confirmed" for n in range(12)}
    assert max(ahead) <= 2


async def test_without_a_worker_orders_are_accepted_and_in_progress(
    cli: Cli, temporal_client: Client, pool: Pool
) -> None:
    cli.environment["ORDERLOOM_TASK_QUEUE"] = "nobody-works-here"
    placed = await cli.done(
        "place", "-", "--wait", "1", "--json", stdin=json.dumps(documents(1)[0])
    )
    assert placed.json["summary"] == {"in_progress": 1}
    order_id = placed.json["orders"][0]["order_id"]
    await temporal_client.get_workflow_handle(f"order:{order_id}").terminate()


async def test_orders_of_a_file_are_accepted_while_temporal_goes_away_and_are_started_later(
    cli: Cli, shop: Shop, temporal_address: str
) -> None:
    await shop.stocked("TEA", 100)
    file = json_lines(documents(20))
    async with way_to(temporal_address) as (address, cut):
        cli.environment["TEMPORAL_ADDRESS"] = address
        process = await cli.start("place", "-", "--concurrency", "3", stdin=asyncio.subprocess.PIPE)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(file.encode())
        process.stdin.close()
        first = await asyncio.wait_for(process.stdout.readline(), SECONDS_MAX)
        assert b"confirmed" in first
        await cut()
        ended = await cli.end(process)
    assert ended.code == 0
    assert "in progress: accepted" in ended.out
    assert "WARN" not in ended.out  # the client library's own words
    cli.environment["TEMPORAL_ADDRESS"] = temporal_address
    again = await cli.done("place", "-", "--json", stdin=file)
    assert again.json["summary"] == {"confirmed": 20}
    assert (await shop.level("TEA")).allocated == 20


async def test_orders_are_accepted_where_temporal_does_not_run_and_conflicts_are_told(
    cli: Cli, shop: Shop, temporal_address: str
) -> None:
    await shop.stocked("TEA", 100)
    placed = documents(20)
    cli.environment["TEMPORAL_ADDRESS"] = "127.0.0.1:1"
    first = await cli.done("place", "-", "--json", stdin=json_lines(placed))
    assert first.json["summary"] == {"in_progress": 20}
    assert first.json["orders"][0]["reason"].startswith("accepted, and will be started; ")
    other = {**placed[0], "note": "something else"}
    ended = await cli("place", "-", "--json", stdin=json_lines([other, placed[1]]))
    assert ended.code == 1
    assert ended.json["summary"] == {"in_progress": 1, "conflict": 1}
    cli.environment["TEMPORAL_ADDRESS"] = temporal_address
    await shop.all_decided(20)
    again = await cli.done("place", "-", "--json", stdin=json_lines(placed))
    assert again.json["summary"] == {"confirmed": 20}


async def test_show_tells_that_an_order_waits_to_be_started(
    pool: Pool, database_url: str, tmp_path: Path
) -> None:
    order = an_order(("TEA", 1))
    await Bench(pool).take_in(order)
    home = str(tmp_path)
    cli = Cli({"HOME": home, "ORDERLOOM_HOME": f"{home}/none", "DATABASE_URL": database_url})
    shown = await cli.done("show", order.order_id)
    assert "  waits to be started: a worker starts it as soon as Temporal answers\n" in shown.out
    assert (await cli.done("show", order.order_id, "--json")).json["waits_to_start"] is True


@asynccontextmanager
async def way_to(address: str) -> AsyncIterator[tuple[str, Any]]:
    """Another address of a server, and what cuts it off."""
    host, _, port = address.rpartition(":")
    writers: list[asyncio.StreamWriter] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(host, int(port))
        writers.extend((writer, back))
        await asyncio.gather(pump(reader, back), pump(there, writer))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)

    async def cut() -> None:
        server.close()
        for writer in writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)

    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", cut
    finally:
        await cut()


# Customer service ---------------------------------------------------------------------------------


async def test_a_cancellation_says_what_became_of_each_unit(cli: Cli, shop: Shop) -> None:
    await shop.stocked("TEA", 10)
    await shop.stocked("CUP", 10)
    order = an_order(("TEA", 3), ("CUP", 1))
    await shop.placed(order)
    ask = ("cancel", order.order_id, "--line", "1=2", "--reason", "too many", "--request-id", "r1")
    first, again = [(await cli.done(*ask, "--json")).json for _ in range(2)]
    assert first["outcome"] == "cancelled"
    assert first["cancelled"] == [{"line_id": "1", "quantity": 2, "why": "", "reason": ""}]
    assert again == first
    other = await cli(*ask[:3], "1=1", *ask[4:])
    assert other.code == 1
    assert "other content" in other.err

    await shop.drive(f"{order.order_id}:1", "shipped")  # with what stays wanted
    late = await cli("cancel", order.order_id, "--reason", "too late", "--json")
    assert late.code == 1
    assert late.json["outcome"] == "refused"
    assert late.json["return_offered"] is True
    assert late.error["error"] == "refused"
    assert f"orderloom return {order.order_id}" in late.error["message"]

    unknown = await cli("cancel", order.order_id, "--line", "9", "--reason", "x")
    assert unknown.code == 2
    assert "there is no line 9" in unknown.err
    early = await cli("return", order.order_id, "--reason", "x", "--json")
    assert (early.code, early.error["error"]) == (1, "refused")


async def test_a_return_takes_named_units_and_what_is_missing_stays_sold(
    cli: Cli, shop: Shop
) -> None:
    await shop.stocked("TEA", 10)
    document = a_document(("TEA", 3))
    order_id, return_id = id_of(document), f"{id_of(document)}:R1"
    await cli.done("place", "-", stdin=json.dumps(document))
    await shop.drive(f"{order_id}:1", "delivered")
    await shop.heard(order_id, "delivered", 3)
    asked = await cli.done("return", order_id, "--line", "1=3", "--reason", "stale")
    assert asked.out.startswith(f"{return_id} approved")
    scrapped_only = await cli("warehouse", "receive-return", return_id, "--scrap", "1=1")
    assert scrapped_only.code == 2
    counts = ("--count", "1=2", "--scrap", "1=2", "--json")
    received = (await cli.done("warehouse", "receive-return", return_id, *counts)).json
    assert (received["received"], received["missing"]) == ({"1": 2}, {"1": 1})
    level = await shop.level("TEA")
    assert level.on_hand == 7


async def test_an_operator_decides_about_a_step_that_needs_attention(cli: Cli, shop: Shop) -> None:
    await shop.stocked("TEA", 10)
    shop.faults.refuse("charge_payment", "invalid_input")
    order = an_order(("TEA", 1))
    order_id = order.order_id
    part = await shop.placed(order)
    await shop.drive(part, "shipped")
    (step,) = await shop.attention(order_id)
    listed = (await cli.done("orders", "--attention", "--json")).json["orders"]
    assert [order["order_id"] for order in listed] == [order_id]
    assert f"--step '{step}'" in (await cli.done("show", order_id)).out
    wrong = await cli("resolve", order_id, "retry", "--step", "nothing", "--note", "x", "--json")
    assert (wrong.code, wrong.error["error"]) == (1, "not_found")
    shop.faults.heal("charge_payment")
    resolved = await cli.done("resolve", order_id, "retry", "--note", "the bank is back", "--json")
    assert (resolved.json["step"], resolved.json["action"]) == (step, "retry")
    await shop.told(order_id, "charged")
    none = await cli("resolve", order_id, "retry", "--note", "x")
    assert none.code == 1
    assert f"nothing about {order_id} needs attention" in none.err


# Stock --------------------------------------------------------------------------------------------


async def test_stock_is_received_adjusted_and_imported_once_per_key(
    cli: Cli, tmp_path: Path
) -> None:
    file = tmp_path / "stock.csv"
    file.write_text(
        "sku,location,quantity\nTEA,main,4\nTEA,main,1\nCUP,outlet,7\nPOT,main,0\n",
        encoding="utf-8",
    )
    receive = ("stock", "receive", "TEA", "5", "--key", "delivery-1", "--json")
    take_in = ("stock", "import", str(file), "--json")
    new = ("--new-location", "outlet")
    received, again, adjusted, refused, imported, repeated, more = await cli.many(
        receive,
        receive,
        ("stock", "adjust", "TEA", "-2", "--reason", "broken", "--json"),
        take_in,
        (*take_in, *new),
        (*take_in, *new),
        (*take_in, "--key", "second"),
    )
    assert received.json["on_hand"] == again.json["on_hand"] == 5
    assert (adjusted.json["on_hand"], adjusted.json["available"]) == (3, 3)
    assert (refused.code, refused.json["stock_rows"]) == (2, 1)
    assert "there is no location outlet" in refused.json["problems"][0]["reason"]
    assert (imported.json["stock_rows"], imported.json["stock_rows_before"]) == (1, 1)
    assert (repeated.json["stock_rows"], repeated.json["stock_rows_before"]) == (0, 2)
    assert imported.json["key"] == repeated.json["key"]
    assert (more.json["key"], more.json["units"]) == ("second", 12)

    file.write_text("sku,location,quantity\nTIN,main,4\nCUP,main,many\n,main,1\n", encoding="utf-8")
    partly, listed, too_few = await cli.many(
        ("stock", "import", str(file), "--key", "third"),
        ("stock", "list", "--json"),
        ("stock", "adjust", "TEA", "-14", "--reason", "x", "--json"),
    )
    assert (partly.code, partly.out) == (2, "4 units taken in, 1 stock row, as third\n")
    assert [line.split(": ")[0] for line in partly.err.splitlines()[:2]] == [
        f"{file}:3",
        f"{file}:4",
    ]
    assert "import the file again with --key third" in partly.err
    assert {(x["sku"], x["location"], x["on_hand"]) for x in listed.json["stock"]} == {
        ("TEA", "main", 13),
        ("CUP", "outlet", 14),
        ("TIN", "main", 4),
    }
    assert (too_few.code, too_few.error["error"]) == (1, "illegal_transition")
