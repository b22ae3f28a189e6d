"""How commands end: exit codes, one sentence on standard error, help, and no traceback."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import sys
import time
from pathlib import Path

import pytest

from starter.cli.commands import COMMANDS
from starter.stack.search_attributes import SEARCH_ATTRIBUTES
from tests.support.builders import a_document, an_order
from tests.support.command_line import EXAMPLES, SECONDS_MAX, Cli
from tests.support.other_version import make_tables_of_yesterday
from tests.support.servers import Databases, temporary_folder
from tests.support.shop import Shop

# How commands end ---------------------------------------------------------------------------------


async def test_misuse_exits_with_2_and_one_sentence(cli: Cli) -> None:
    misused = (
        ("nonsense",),
        ("place",),
        ("place", "no-such-file.json"),
        ("place", "-", "--concurrency", "0"),
        ("orders", "--state", "lost"),
        ("orders", "--placed-from", "yesterday"),
        ("cancel", "web-1"),
        ("cancel", "web-1", "--reason", " "),
        ("cancel", "web-1", "--reason", "x", "--line", ""),
        ("cancel", "web-1", "--reason", "x", "--line", "1=0"),
        ("resolve", "web-1", "perhaps", "--note", "x"),
        ("stock", "receive", "TEA", "0"),
        ("stock", "receive", " ", "1"),
        ("stock", "adjust", "TEA", "-1"),
        ("stock", "adjust", "TEA", "-1", "--raeson", "x"),
        ("warehouse", "pick", "web-1:1", "--count", "1"),
        ("carrier", "event", "T1", "flying"),
        ("schema", "parcel"),
        ("simulate", "--lost", "2"),
        ("show", "\udcff"),
    )
    plain = await cli.many(*misused)
    machine = await cli.many(*((*arguments, "--json") for arguments in misused))
    for arguments, said, told in zip(misused, plain, machine, strict=True):
        assert (said.code, said.out) == (2, ""), (arguments, said)
        assert said.err.startswith("orderloom"), (arguments, said)
        assert said.err.count("\n") == 1, (arguments, said)
        assert (told.code, told.out) == (2, ""), (arguments, told)
        assert set(told.error) == {"error", "message"}, (arguments, told)
    assert (await cli(*misused[0])).code == 2


async def test_what_is_not_there_exits_with_1(cli: Cli) -> None:
    missing = (
        ("show", "web-none"),
        ("events", "web-none"),
        ("watch", "web-none"),
        ("cancel", "web-none", "--reason", "x"),
        ("return", "web-none", "--reason", "x"),
        ("resolve", "web-none", "retry", "--note", "x"),
        ("warehouse", "pack", "web-none:1"),
        ("warehouse", "receive-return", "web-none:R1"),
        ("carrier", "event", "T0", "delivered"),
        ("stock", "adjust", "NONE", "1", "--reason", "x"),
    )
    told = await cli.many(*((*arguments, "--json") for arguments in missing))
    for arguments, ended in zip(missing, told, strict=True):
        assert (ended.code, ended.out) == (1, ""), (arguments, ended)
        assert ended.error["error"] == "not_found", (arguments, ended)
    assert (await cli(*missing[0])).code == 1


async def test_a_server_that_cannot_be_reached_exits_with_3_within_seconds(
    cli: Cli, database_url: str, temporal_address: str
) -> None:
    commands = (
        ("orders",),
        ("warehouse", "tasks"),
        ("watch",),
        ("simulate",),
        ("cancel", "web-1", "--reason", "x"),
        ("setup",),
        ("audit",),
    )
    silent = socket.create_server(("127.0.0.1", 0))  # takes connections, and never answers
    silent_port = silent.getsockname()[1]

    async def check(port: int, *arguments: str) -> None:
        other = Cli(
            {
                **cli.environment,
                "TEMPORAL_ADDRESS": f"127.0.0.1:{port}",
                "DATABASE_URL": f"postgresql://a:secret@127.0.0.1:{port}/x",
            }
        )
        ended = await other(*arguments, "--json")
        assert (ended.code, ended.out) == (3, ""), (arguments, ended)
        assert ended.error["error"] == "unreachable"
        assert "start it" in ended.error["message"]
        assert "secret" not in ended.err

    with silent:
        began = time.monotonic()
        await asyncio.gather(
            *(check(1, *arguments) for arguments in commands),
            check(silent_port, "orders"),
            check(silent_port, "cancel", "web-1", "--reason", "x"),
        )
        assert time.monotonic() - began < 30
    # Who reports to the warehouse does not need Temporal, and nobody needs a stack's folder.
    without = Cli({**cli.environment, "TEMPORAL_ADDRESS": "127.0.0.1:1"})
    await without.done("warehouse", "tasks")
    nowhere = Cli({k: v for k, v in cli.environment.items() if k != "DATABASE_URL"})
    del nowhere.environment["TEMPORAL_ADDRESS"]
    lost = await nowhere("orders")
    assert lost.code == 3
    assert "run `orderloom up`" in lost.err


async def test_a_database_that_was_not_prepared_is_told_from_one_that_is_away(
    cli: Cli, databases: Databases
) -> None:
    name = "not_prepared"
    cli.environment["DATABASE_URL"] = await databases._server.create_database(name)
    try:
        ended = await cli("orders")
        assert ended.code == 2
        assert "orderloom setup" in ended.err
        placed = await cli("place", str(EXAMPLES / "order.json"), "--json")
        assert (placed.code, placed.error["error"]) == (2, "invalid_input")
        prepared = (await cli.done("setup", "--json")).json
        assert prepared["migrations"]
        assert set(prepared["search_attributes"]) <= set(SEARCH_ATTRIBUTES)
        again = (await cli.done("setup", "--json")).json
        assert again == {"migrations": [], "search_attributes": []}
        assert (await cli.done("orders")).out == "no orders\n"
        to_try = (await cli.done("setup", "--sandbox", "--json")).json
        assert [name[15:] for name in to_try["migrations"]] == ["sandbox.sql"]
    finally:
        await databases._server.drop_database(name)


async def test_a_database_of_another_version_is_told_by_every_command(
    cli: Cli, databases: Databases
) -> None:
    async with databases.fresh(empty=True) as url:
        await make_tables_of_yesterday(url)
        cli.environment["DATABASE_URL"] = url
        order = str(EXAMPLES / "order.json")
        for command in (["orders"], ["place", order], ["warehouse", "tasks"], ["setup"]):
            ended = await cli(*command)
            assert (ended.code, ended.out) == (2, "")
            assert ended.err.startswith(
                "orderloom: the database: was made by another version of Orderloom"
            )
            assert "Use the version that made it, or another database" in ended.err
        audit = await cli("audit", "--json")
        assert (audit.code, audit.error["error"]) == (2, "invalid_input")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("watch",), 130),
        (("watch", "--json"), 130),
        (("simulate", "--speed", "1000000", "--json"), 0),
    ],
)
async def test_ctrl_c_ends_a_command_quietly(
    cli: Cli, shop: Shop, arguments: tuple[str, ...], code: int
) -> None:
    await shop.stocked("TEA", 10)
    await shop.placed(an_order(("TEA", 1)))
    process = await cli.start(*arguments)
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), SECONDS_MAX)
    process.send_signal(signal.SIGINT)
    ended = await cli.end(process)
    assert (ended.code, ended.err) == (code, "")


async def test_output_that_cannot_be_written_is_not_success(cli: Cli) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    ended = await cli.end(await cli.start("orders", stdout=full))
    os.close(full)
    assert ended.code == 3
    assert "cannot be written" in ended.err
    reading, writing = os.pipe()
    os.close(reading)
    ended = await cli.end(await cli.start("schema", "order", stdout=writing))
    os.close(writing)
    assert (ended.code, ended.err) == (128 + signal.SIGPIPE, "")


async def test_a_progress_bar_goes_to_standard_error_when_it_is_asked_for(
    cli: Cli, shop: Shop
) -> None:
    await shop.stocked("TEA", 10)
    text = json.dumps([a_document(("TEA", 1)) for _ in range(2)])
    shown = await cli("place", "-", "--progress", stdin=text)
    assert shown.code == 0
    assert "2 orders" in shown.err
    assert shown.out.splitlines()[-1] == "2 orders: 2 confirmed"
    assert (await cli("place", "-", "--json", "--progress", stdin=text)).json["summary"]


# Help and start -----------------------------------------------------------------------------------


async def test_every_command_has_help_with_an_example_and_takes_json(cli: Cli) -> None:
    groups = {
        "stock": (
            *("list", "import", "receive", "adjust", "count", "write-off", "history"),
            *("transfer", "receive-transfer", "transfers", "levels", "import-levels"),
        ),
        "baskets": ("hold", "release", "list"),
        "items": ("list", "import"),
        "kits": ("list", "import", "remove"),
        "counter": ("sale",),
        "codes": ("show", "list", "import"),
        "appointments": ("list", "set", "done", "missed"),
        "suppliers": ("list", "show", "import"),
        "purchase-orders": (
            *("list", "show", "document", "propose", "approve", "cancel", "import"),
            *("acknowledge", "agree", "ship", "receive", "refuse"),
        ),
        "locations": ("list", "import"),
        "channels": ("list", "show", "import", "retire", "reopen"),
        "tracking": ("link", "rotate-key"),
        "sellers": ("list", "show", "import", "retire", "reopen"),
        "warehouse": (
            *("tasks", "pick", "put-back", "refuse", "pack", "handover", "collect"),
            *("receive-return", "receive-unannounced"),
        ),
        "returns": (
            *("list", "show", "label", "approve", "refuse", "cancel", "rules", "set-rules"),
            *("parcels", "take-parcel", "settle-parcel"),
        ),
        "carrier": ("event", "parcels", "messages", "settle"),
        "credit": ("grant", "show"),
        "vouchers": ("issue", "code", "extend", "block", "unblock", "list", "show"),
        "note": ("add", "list", "pin", "unpin"),
        "customers": ("show", "export", "erase"),
        "holds": ("list", "rules", "set-rules", "remove-rule", "lists", "put-on", "take-off"),
        "ledger": ("balance", "entries", "tax-report", "close", "export"),
        "reconcile": ("list", "resolve"),
        "codec-keys": ("add", "list", "use"),
        "jobs": (
            *("list", "show", "items", "result", "cancel"),
            *("import", "export", "cancel-orders", "release-orders", "print"),
        ),
        "report": ("day", "count"),
        "claims": ("list", "show", "decide"),
        "carrier-claims": ("list", "file", "outcome", "drop", "turned-up", "terms"),
        "staff": (
            *("add", "list", "show", "change", "disable", "enable", "reset-password"),
            *("sessions", "end-session"),
        ),
        "api-keys": ("make", "list", "show", "rotate", "revoke"),
        "shops": (
            *("list", "show", "connect", "disconnect", "check", "dismiss", "messages", "settle"),
        ),
        "edi": (
            *("partners", "import-partners", "check", "receive", "list", "show"),
            *("send-again", "read-again", "settle"),
        ),
        "messages": (
            *("list", "show", "preview", "send-again", "test", "bounce", "templates"),
            *("template", "set-template", "reset-template"),
        ),
        "webhooks": (
            *("list", "add", "show", "update", "rotate", "remove", "test", "deliveries"),
            *("dead", "resend", "replay"),
        ),
    }
    commands = [
        command
        for name in COMMANDS
        for command in ([(name, sub) for sub in groups[name]] if name in groups else [(name,)])
    ]
    for command, ended in zip(
        commands, await cli.many(*((*command, "--help") for command in commands)), strict=True
    ):
        assert ended.code == 0
        # What is exported is JSON, or has a format that is chosen, JSON among them.
        assert "--json" in ended.out or "export" in command, command
        example = r"Example: .*orderloom " + " ".join(command)
        assert re.search(example, ended.out, re.DOTALL), command
    overview = (await cli.done("--help")).out
    assert all(name in overview for name in COMMANDS)
    assert (await cli.done("--version")).out.startswith("orderloom ")
    assert (await cli()).code == 2


async def test_the_schema_is_printed_without_loading_temporal(cli: Cli) -> None:
    schema = (await cli.done("schema", "order")).json
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) >= {"channel", "lines", "payment"}
    assert "return_window" in (await cli.done("schema", "policy", "--json")).json["properties"]
    code = (
        "import sys; from starter.cli.program import run; run(['schema', 'order']); "
        "sys.exit('temporalio' in sys.modules)"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, env=cli.environment, stdout=asyncio.subprocess.DEVNULL
    )
    assert await process.wait() == 0


async def test_up_runs_a_stack_that_commands_in_another_shell_find(tmp_path: Path) -> None:
    with temporary_folder() as folder:
        cli = Cli({"HOME": str(tmp_path), "ORDERLOOM_HOME": str(folder / "home")})
        process = await cli.start("up", "--json", "--no-http")
        try:
            assert process.stdout is not None
            ready = json.loads(await asyncio.wait_for(process.stdout.readline(), SECONDS_MAX))
            assert ready["event"] == "ready"
            second = await cli("up", "--json")
            assert (second.code, second.error["error"]) == (1, "refused")
            await cli.done("stock", "import", str(EXAMPLES / "stock.csv"))
            placed = await cli.done("place", str(EXAMPLES / "order.json"))
            assert placed.out.startswith("web-1001  confirmed")
            shown = (await cli.done("show", "web-1001")).out
            assert (
                f"{ready['temporal_ui_url']}/namespaces/default/workflows/order:web-1001" in shown
            )
        finally:
            process.send_signal(signal.SIGTERM)
            ended = await cli.end(process)
        assert ended.code == 0
        assert (await cli("orders")).code == 3
