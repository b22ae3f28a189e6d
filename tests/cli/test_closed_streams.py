"""Streams that the caller closed (`<&-`, `>&-`, `2>&-`): right exit codes, and no traceback.

One command of each kind starts with them closed, as a program of its own; the others are copies of
a process that has loaded the program, whose streams are closed before the command begins.
"""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
from pathlib import Path

import pytest

from starter.cli.commands import COMMANDS
from tests.support.builders import a_document
from tests.support.command_line import PROGRAM, ROOT, SECONDS_MAX, Cli, Ended
from tests.support.servers import temporary_folder
from tests.support.shop import Shop

IN = "orderloom: standard input: cannot be read"
OUT = "orderloom: standard output is closed"

READS = (
    ("orders",),
    ("orders", "--json"),
    ("schema", "order"),
    ("--help",),
    ("--version",),
    ("ledger", "export", "--format", "csv-xero", "--currency", "USD"),
    ("watch", "--until-done"),
)
"""Commands that answer in each way that there is: text, a table, JSON, a file, help."""

STARTED = (("orders",), ("schema", "order"), ("--help",), ("--version",))
"""Of those, the ones that are programs of their own."""

STREAMS = {"<&-": 0, ">&-": 1, "2>&-": 2}


async def closed(cli: Cli, redirected: str, *arguments: str, program: tuple[str, ...]) -> Ended:
    """A program of its own, from the start of Python on, with streams closed by the shell."""
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", f"exec {shlex.join((*program, *arguments))} {redirected}"),
        env=cli.environment,
        cwd=ROOT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), SECONDS_MAX)
    assert process.returncode is not None
    assert b"Traceback" not in err, err.decode()
    return Ended(process.returncode, out.decode(), err.decode())


async def ours(cli: Cli, redirected: str, *arguments: str) -> Ended:
    return await closed(cli, redirected, *arguments, program=PROGRAM)


async def copied(cli: Cli, redirected: str, *arguments: str) -> Ended:
    streams = [STREAMS[one] for one in redirected.split()]
    return await cli(*arguments, closed=streams)


async def read(cli: Cli, redirected: str, *arguments: str) -> Ended:
    return await (ours if arguments in STARTED else copied)(cli, redirected, *arguments)


@pytest.mark.parametrize("arguments", READS, ids=" ".join)
async def test_an_answer_that_nobody_can_read_is_not_success(
    cli: Cli, arguments: tuple[str, ...]
) -> None:
    ended = await read(cli, ">&-", *arguments)
    assert ended.code == 3, ended
    if "--json" in arguments:
        assert ended.error == {"error": "output_lost", "message": OUT.removeprefix("orderloom: ")}
    else:
        assert ended.err == f"{OUT}\n"


@pytest.mark.parametrize("arguments", READS, ids=" ".join)
async def test_a_command_that_reads_and_says_nothing_else_misses_nothing(
    cli: Cli, arguments: tuple[str, ...]
) -> None:
    ended = await read(cli, "<&- 2>&-", *arguments)
    assert (ended.code, ended.out != "") == (0, True), ended


async def test_standard_input_that_is_closed_is_bad_input(cli: Cli) -> None:
    for run, arguments in ((ours, ("place", "-")), (copied, ("stock", "import", "-"))):
        ended = await run(cli, "<&-", *arguments)
        assert (ended.code, ended.out) == (2, ""), ended
        assert ended.err == "orderloom: standard input: is closed; name a file\n"
        assert (await copied(cli, "<&- >&- 2>&-", *arguments)).code == 2


async def test_what_a_command_does_is_done_whoever_listens(
    cli: Cli, shop: Shop, tmp_path: Path
) -> None:
    await shop.stocked("TEA", 3)
    file = tmp_path / "order.json"
    ways = ((copied, "2>&-", 0), (copied, ">&-", 3), (ours, "<&- >&- 2>&-", 3))
    for number, (run, redirected, code) in enumerate(ways):
        document = a_document(("TEA", 1))
        file.write_text(json.dumps(document), encoding="utf-8")
        ended = await run(cli, redirected, "place", str(file), "--progress")
        assert ended.code == code, ended
        assert len(await shop.orders.list()) == number + 1


async def test_every_command_refuses_misuse_without_its_streams(cli: Cli) -> None:
    first, *others = COMMANDS
    assert (await ours(cli, "<&- >&- 2>&-", first, "--nonsense")).code == 2
    ended = [await copied(cli, "<&- >&- 2>&-", name, "--nonsense") for name in others[::9]]
    assert [one.code for one in ended] == [2] * len(ended)


async def test_the_stack_and_the_demo_end_as_they_should() -> None:
    with temporary_folder() as folder:
        cli = Cli({"HOME": str(folder), "ORDERLOOM_HOME": str(folder / "home")})
        cli.environment["ORDERLOOM_DATABASE_POOL_SIZE"] = "none"
        for program in (
            (sys.executable, "worker.py"),
            (sys.executable, "-m", "starter.demo"),
        ):
            assert (await closed(cli, "<&- >&- 2>&-", program=program)).code == 2
