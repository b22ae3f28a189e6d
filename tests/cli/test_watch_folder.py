"""`orderloom watch-folder`: each file is done or refused, with a report beside it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

from domain.orders.channels import Channel
from tests.support.builders import a_document
from tests.support.command_line import Cli
from tests.support.marketplace_files import amazon, item
from tests.support.shop import Shop


def lines(*documents: dict[str, Any]) -> str:
    return "\n".join(map(json.dumps, documents))


def report(folder: Path, name: str) -> Any:
    return json.loads((folder / f"{name}.report.json").read_text(encoding="utf-8"))


async def test_files_are_done_or_refused_and_repeat_nothing(
    cli: Cli, shop: Shop, tmp_path: Path
) -> None:
    await shop.stocked("TEA", 9)
    drop = tmp_path / "drop"
    drop.mkdir()
    good, bad = a_document(("TEA", 1)), a_document(("TEA", 1), currency="XXX")
    (drop / "a.jsonl").write_text(lines(good), encoding="utf-8")
    (drop / "b.jsonl").write_text(lines(a_document(("TEA", 1)), bad), encoding="utf-8")
    (drop / "c.json").write_text("", encoding="utf-8")
    (drop / "notes.md").write_text("not an order", encoding="utf-8")
    (drop / ".d.json.part").write_text("{", encoding="utf-8")
    first = await cli("watch-folder", str(drop), "--once")
    assert first.code == 0
    assert first.out.splitlines()[0] == "a.jsonl  done: 1 confirmed"
    assert sorted(one.name for one in (drop / "done").iterdir()) == [
        *("a.jsonl", "a.jsonl.report.json")
    ]
    assert sorted(one.name for one in (drop / "refused").iterdir()) == [
        *("b.jsonl", "b.jsonl.report.json", "c.json", "c.json.report.json")
    ]
    assert report(drop / "done", "a.jsonl")["summary"] == {"confirmed": 1}
    told = report(drop / "refused", "b.jsonl")
    assert told["summary"] == {"confirmed": 1, "malformed": 1}
    assert "currency" in told["problems"][0]["field"]
    assert sorted(one.name for one in drop.iterdir() if one.is_file()) == [
        *(".d.json.part", "notes.md")
    ]
    (drop / "a.jsonl").write_text(lines(good), encoding="utf-8")
    again = await cli("watch-folder", str(drop), "--once", "--json")
    assert [one["summary"] for one in again.json["files"]] == [{"confirmed": 1}]
    assert (drop / "done" / "a.2.jsonl").exists()
    assert len(await shop.orders.list(at_most=10)) == 2


async def test_it_waits_for_files_until_it_is_stopped(cli: Cli, shop: Shop, tmp_path: Path) -> None:
    await shop.stocked("TEA", 9)
    missing = await cli("watch-folder", str(tmp_path / "none"), "--once")
    assert (missing.code, "no folder" in missing.err) == (2, True)
    (tmp_path / "early.txt").write_text(amazon(item("1")), encoding="utf-8")
    wrong = await cli("watch-folder", str(tmp_path), "--once", "--channel", "Amazon US")
    assert (wrong.code, "--channel: channel: must be 2 to 16 small" in wrong.err) == (2, True)
    assert (tmp_path / "early.txt").exists(), "it waits for a channel that can be"
    (tmp_path / "early.txt").unlink()
    watching = await cli.start("watch-folder", str(tmp_path), "--every", "0.2")
    (tmp_path / "late.json").write_text(json.dumps(a_document(("TEA", 1))), encoding="utf-8")

    async def taken() -> bool:
        return (tmp_path / "done" / "late.json").exists()

    await shop.until(taken, "the file is done")
    watching.send_signal(signal.SIGTERM)
    ended = await cli.end(watching)
    assert (ended.code, ended.err) == (0, "")
    assert "late.json  done: 1 confirmed" in ended.out


async def test_a_marketplaces_file_is_placed_and_its_wrong_rows_are_told(
    cli: Cli, shop: Shop, tmp_path: Path
) -> None:
    await shop.stocked("TEA", 9)
    paid = Channel(channel="amazonus", kind="marketplace", providers=("elsewhere",))
    await shop.channels.save([paid])
    drop = tmp_path / "drop"
    drop.mkdir()
    bad = item("303-3", **{"quantity-purchased": "two"})
    name = {"recipient-name": "Zoë Baker"}
    text = amazon(item("301-1"), item("302-2", **name), bad)
    (drop / "orders.txt").write_bytes(text.encode("cp1252"))
    ended = await cli("watch-folder", str(drop), "--once", "--channel", "amazonus")
    assert ended.out == "orders.txt  refused: 2 confirmed, 1 malformed\n"
    told = report(drop / "refused", "orders.txt")
    assert [order["order_id"] for order in told["orders"]] == ["amazonus-301-1", "amazonus-302-2"]
    (problem,) = told["problems"]
    assert (problem["line"], problem["field"]) == (4, "quantity-purchased")
    assert problem["channel_order_id"] == "303-3"
    order = await shop.orders.get("amazonus-302-2")
    assert order.document["shipping"]["address"]["name"] == "Zoë Baker"
    assert order.summary.total_minor == 2500
    assert order.document["payment"] == {"provider": "elsewhere", "token": "amazon-302-2"}
    again = await cli("place", str(drop / "refused" / "orders.txt"), "--channel", "amazonus")
    assert (again.code, "2 confirmed, 1 malformed" in again.out) == (2, True)
    elsewhere = await cli("place", str(drop / "refused" / "orders.txt"))
    assert "payment.provider" in elsewhere.err, "the usual channel takes no orders that are paid"


async def test_a_file_that_cannot_be_put_away_is_told_and_holds_up_no_other(
    cli: Cli, shop: Shop, tmp_path: Path
) -> None:
    await shop.stocked("TEA", 9)
    long = tmp_path / f"{'a' * 250}.json"
    long.write_text(json.dumps(a_document(("TEA", 1))), encoding="utf-8")
    (tmp_path / "b.json").write_text(json.dumps(a_document(("TEA", 1))), encoding="utf-8")
    taken = await cli("watch-folder", str(tmp_path), "--once")
    assert taken.code == 2
    assert taken.out == "b.json  done: 1 confirmed\n"
    assert "cannot be put away (File name too long)" in taken.err
    assert long.exists()
    assert len(await shop.orders.list(at_most=10)) == 2, "it was placed"
    watching = await cli.start("watch-folder", str(tmp_path), "--every", "0.1")
    (tmp_path / "c.json").write_text(json.dumps(a_document(("TEA", 1))), encoding="utf-8")

    async def done() -> bool:
        return (tmp_path / "done" / "c.json").exists()

    await shop.until(done, "the file is done")
    await asyncio.sleep(0.5)
    watching.send_signal(signal.SIGTERM)
    ended = await cli.end(watching)
    assert (ended.code, ended.err.count("put away")) == (0, 1), "it is not taken again and again"


async def test_a_name_that_is_no_text_is_shown_as_far_as_it_is(
    cli: Cli, shop: Shop, tmp_path: Path
) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt"))
    odd.write_bytes(b"no order")
    taken = await cli("watch-folder", str(tmp_path), "--once")
    assert (taken.code, taken.out) == (0, "caf\\udce9.txt  refused: 1 malformed\n")
    told = json.loads((tmp_path / "refused" / f"{odd.name}.report.json").read_text("utf-8"))
    assert told["file"] == "caf\\udce9.txt"
