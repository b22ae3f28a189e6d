"""README.md is tested: what it shows is typed into a fresh stack as it stands there."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pytest

from tests.e2e.stack import COMMAND_SECONDS_MAX, ROOT, Shell, fresh_shell
from tests.support.command_line import COPIER

README: Final = (ROOT / "README.md").read_text(encoding="utf-8")
PATIENCE_SECONDS: Final = 20.0

# What only looks may look again: the order goes on while the reader reads.
LOOKS: Final = re.compile(
    r"orderloom (show|orders|events|audit|stock list|warehouse tasks|carrier parcels)\b"
    r"|temporal workflow (list|describe|show|query)\b"
)
OMITTED: Final = "…"
NEEDS_A_SHELL: Final = re.compile(r"[|<>*$&]")


@dataclass(frozen=True)
class Example:
    """A command, and the lines that the README shows below it."""

    command: str
    shown: tuple[str, ...]


def section(heading: str) -> str:
    """The text below a heading, up to the next one of that kind."""
    found = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL)
    assert found is not None, f"README.md has no heading {heading!r}"
    return found[1]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def examples(block: str) -> Iterator[Example]:
    """The commands of a console block, each with what is shown below it."""
    joined = block.replace("\\\n", " ")
    for part in re.split(r"^\$ ", joined, flags=re.MULTILINE)[1:]:
        command, *shown = part.rstrip().split("\n")
        yield Example(command.strip(), tuple(shown))


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A running stack, with `orderloom` and `temporal` on the PATH."""
    with fresh_shell() as shell, shell.up():
        programs = tmp_path_factory.mktemp("bin")  # the shell's folder may be in memory: not to run
        address = shell.info().temporal_address
        for name, command in (
            ("orderloom", [sys.executable, "-m", "starter.cli"]),
            ("temporal", ["env", f"TEMPORAL_ADDRESS={address}", shell.temporal_program]),
        ):
            script = programs / name
            script.write_text(f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n', encoding="utf-8")
            script.chmod(0o755)
        shell.environment["LOGNAME"] = "anna"  # whose name the reports bear
        shell.environment["PATH"] = f"{programs}:{shell.environment['PATH']}"
        yield shell


def test_the_walk_through_does_what_it_shows(shell: Shell) -> None:
    walk = [
        example for block in blocks(section("Try it"), "console") for example in examples(block)
    ]
    assert len(walk) > 5, "README.md shows no walk-through under 'Try it'"
    assert {example.command.split()[0] for example in walk} <= {"orderloom", "temporal", "head"}
    wrong = []
    for example in walk:
        if told := follow(shell, example):
            wrong.append(told)
        if example.command.startswith("orderloom warehouse handover"):
            wait_for_the_charge(shell)
    assert not wrong, "\n\n".join(wrong)


def wait_for_the_charge(shell: Shell) -> None:
    """A reader types more slowly than a parcel is charged; this test does not."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while "charged, by" not in typed(shell, "orderloom events web-1001"):
        assert time.monotonic() < deadline, "the parcel that left is not charged"
        time.sleep(0.1)


def follow(shell: Shell, example: Example) -> str:
    """Type the command, which must end with 0. Says how what it prints is not what is shown."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        printed = typed(shell, example.command)
        if fits(printed, example.shown):
            return ""
        if not LOOKS.match(example.command) or time.monotonic() > deadline:
            break
        time.sleep(0.5)
    told = "\n".join(example.shown)
    return f"$ {example.command}\nREADME.md shows:\n{told}\nbut it prints:\n{printed}"


def fits(printed: str, shown: tuple[str, ...]) -> bool:
    """Whether it is what is shown, but for numbers and spaces; `…` stands for any lines."""
    if not shown:
        return True
    wanted = (".*" if line.strip() == OMITTED else re.escape(plain(line)) for line in shown)
    text = "\n".join(plain(line) for line in printed.rstrip().split("\n"))
    return re.fullmatch("\n".join(wanted), text, re.DOTALL) is not None


def plain(line: str) -> str:
    return re.sub(r"\d+", "0", " ".join(line.split()))


def test_the_channel_program_places_an_order(shell: Shell) -> None:
    (program,) = blocks(section("From a channel's own program"), "python")
    document = '{**json.load(open("examples/order.json")), "channel_order_id": "from-a-program"}'
    file = shell.folder / "channel.py"
    file.write_text(
        f"import asyncio, json\n{program}\nasyncio.run(checkout({document}))\n", encoding="utf-8"
    )
    assert run(shell, ["orderloom", "stock", "import", "examples/stock.csv"])
    assert run(shell, [sys.executable, str(file)]).split() == ["confirmed"]


def typed(shell: Shell, command: str) -> str:
    """What it prints. A plain `orderloom …` need not load the program again each time."""
    program, *arguments = shlex.split(command, comments=True)
    if program != "orderloom" or NEEDS_A_SHELL.search(command):
        return run(shell, ["sh", "-c", command])
    done = COPIER.run(shell.environment, tuple(arguments), b"", shell.folder)
    assert done.code == 0, f"{command} ended with {done.code}\n{done.out}{done.err}"
    return done.out


def run(shell: Shell, command: list[str]) -> str:
    """What a command prints. It must end with 0."""
    done = subprocess.run(
        command,
        cwd=shell.folder,
        env=shell.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS_MAX,
        check=False,
        encoding="utf-8",
    )
    assert done.returncode == 0, (
        f"{command} ended with {done.returncode}\n{done.stdout}{done.stderr}"
    )
    return done.stdout


def test_an_example_is_read_with_its_continued_lines_and_its_output() -> None:
    block = textwrap.dedent("""\
        $ orderloom return web-1001 \\
              --reason 'wrong size'
        web-1001:R1 approved
        $ orderloom audit   # clean?
    """)
    first, second = examples(block)
    assert shlex.split(first.command) == [
        "orderloom",
        "return",
        "web-1001",
        "--reason",
        "wrong size",
    ]
    assert first.shown == ("web-1001:R1 approved",)
    assert second == Example("orderloom audit   # clean?", ())
    assert fits("a  12\nb\nc\n", ("a 7", OMITTED))
    assert not fits("a 12\nb\n", ("a 7",))
