"""`orderloom jobs`: files and many orders as long work, with a result for each item."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.builders import a_document, an_order
from tests.support.command_line import Cli
from tests.support.jobs import jobs_at_work
from tests.support.shop import Shop


async def test_a_file_of_orders_is_imported_followed_and_told(
    cli: Cli, shop: Shop, tmp_path: Path
) -> None:
    await shop.stocked("TEA", 10)
    orders = [a_document(("TEA", 1)) for _ in range(2)]
    wrong = a_document(("TEA", 0))
    text = "".join(f"{json.dumps(one)}\n" for one in (*orders, wrong))
    made = await cli("jobs", "import", "orders", "-", "--by", "anna", "--json", stdin=text)
    job = made.json["job_id"]
    assert (made.json["state"], made.json["made_by"]) == ("waiting", "anna")
    waiting = await cli("jobs", "show", job)
    assert waiting.code == 0
    assert "while a worker and `orderloom serve` run" in waiting.out
    async with jobs_at_work(shop):
        shown = await cli("jobs", "show", job, "--wait")
    assert shown.code == 1
    assert "2 done, 1 refused, 0 skipped of 3" in shown.out
    assert f"orderloom jobs items {job} --outcome refused" in shown.err
    items, refused, listed, told, cancelled, none = await cli.many(
        ("jobs", "items", job, "--limit", "2"),
        ("jobs", "items", job, "--outcome", "refused", "--json"),
        ("jobs", "list", "--kind", "import_orders", "--state", "done"),
        ("jobs", "list", "--json"),
        ("jobs", "cancel", job),
        ("jobs", "show", "job_none"),
    )
    assert f"web-{orders[1]['channel_order_id']}" in items.out
    assert "--after 2 shows the next page" in items.out
    (item,) = refused.json["items"]
    assert (item["line"], item["code"]) == (3, "invalid_input")
    assert item["faults"][0]["field"] == "lines[0].quantity"
    assert job in listed.out
    assert [one["job_id"] for one in told.json["jobs"]] == [job]
    assert (cancelled.code, none.code) == (1, 1)


async def test_exports_prints_and_cancellations_are_made_by_commands(
    cli: Cli, shop: Shop, tmp_path: Path
) -> None:
    await shop.stocked("TEA", 10)
    first, second = an_order(("TEA", 1)), an_order(("TEA", 1))
    for order in (first, second):
        await shop.task("pick", await shop.placed(order))
    files = {
        ("export", "orders", "--channel", "web", "--placed-from", "2020-01-01"): first.order_id,
        ("export", "stock", "--sku", "TEA"): "TEA,main,10",
        ("export", "ledger", "--format", "csv-quickbooks"): "Journal No.",
        ("print", "pick-list", "--channel", "web"): "%PDF",
        ("print", "packing-slips", first.order_id): "%PDF",
    }
    async with jobs_at_work(shop):
        for command, told in files.items():
            made = (await cli.done("jobs", *command, "--json")).json
            shown = await cli.done("jobs", "show", made["job_id"], "--wait", "--json")
            assert shown.json["state"] == "done", shown.json
            file = tmp_path / made["job_id"]
            written = await cli.done("jobs", "result", made["job_id"], "--out", str(file))
            assert shown.json["result"]["media_type"] in written.out
            assert told.encode() in file.read_bytes()
            assert len(file.read_bytes()) == shown.json["result"]["bytes"]
            if "stock" in command:
                same = await cli.done("jobs", "result", made["job_id"], "--out", "-")
                assert same.out.encode() == file.read_bytes()
        made = (
            await cli.done(
                *("jobs", "cancel-orders", first.order_id, second.order_id),
                *("--reason", "closed", "--json"),
            )
        ).json
        ended = (await cli.done("jobs", "show", made["job_id"], "--wait", "--json")).json
        assert ended["done"] == 2


async def test_what_makes_no_job_is_refused(cli: Cli, shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "stock.csv"
    file.write_text("sku;place\nTEA;main\n", encoding="utf-8")
    for command, told in {
        ("jobs", "import", "stock", str(file)): "stock.csv: line 1",
        ("jobs", "import", "orders", str(file), "--reason", "x"): "goes with stock alone",
        ("jobs", "import", "dreams", str(file)): "dreams",
        ("jobs", "cancel-orders", "--reason", "x"): "all of them is too many",
        ("jobs", "cancel-orders", "web-1", "--reason", " "): "reason",
        ("jobs", "cancel-orders", "web-1", "--state", "held", "--reason", "x"): "not both",
        ("jobs", "export", "ledger", "--format", "paper"): "format",
        ("jobs", "export", "stock", "--channel", "web"): "--channel: is no choice",
        ("jobs", "export", "orders", "--sku", "TEA", "--from", "2026-01-01"): "--from, --sku",
        ("jobs", "list", "--kind", "dreams"): "dreams",
    }.items():
        ended = await cli(*command)
        assert ended.code == 2, (command, ended)
        assert told in ended.err, (command, ended)
    assert await shop.jobs.list() == []
