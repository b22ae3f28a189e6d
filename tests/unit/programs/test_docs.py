"""Every command that the documentation or a message names exists, and takes what it is given there.

Found are the console blocks and the inline code of README.md and docs/, and what stands between
backticks in the texts of the program: its help, and the advice in its errors.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import typer
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue
from typer.core import TyperGroup

from domain.orders.request_kinds import KINDS
from starter.cli.program import app
from tests.architecture.source import product
from workflows.engine.inbox import parse_signal

ROOT: Final = Path(__file__).parents[3]
PAGES: Final = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
ENDS: Final = re.compile(r"[|&;]|\d?[<>]")
UPDATES: Final = {kind.update: kind.request for kind in KINDS}
PLACEHOLDER: Final = "1"  # a number, and a name as well


@dataclass(frozen=True)
class Example:
    """A command as it is shown. `whole`: to be typed so; else it may leave arguments out."""

    where: str
    text: str
    whole: bool

    @property
    def words(self) -> list[str]:
        """The command's words, without what a shell makes of the rest of its line.

        Of several that are named at once, `stock receive, adjust`, it is the first.
        """
        words = shlex.split(self.text, comments=True)
        end = next((n for n, word in enumerate(words) if ENDS.match(word)), len(words))
        listed = next((n + 1 for n, word in enumerate(words[:end]) if word.endswith(",")), end)
        return [word.rstrip(",") for word in words[:listed]]


def of_page(name: str, text: str) -> Iterator[Example]:
    """The commands of a page: typed in its blocks, and named in its sentences."""
    for block in re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").split("\n"):
            if line.startswith("$ "):
                for command in line.removeprefix("$ ").split(" | "):
                    yield Example(name, command, whole=True)
    sentences = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    for code in re.findall(r"`([^`]+)`", sentences):
        yield Example(name, " ".join(code.split()), whole=False)


def of_texts(name: str, tree: ast.AST) -> Iterator[Example]:
    """The commands between backticks in a module's texts. What is filled in stands for anything."""
    parts = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values
    }
    for node in ast.walk(tree):
        text = ""
        if isinstance(node, ast.JoinedStr):
            text = "".join(
                str(part.value) if isinstance(part, ast.Constant) else PLACEHOLDER
                for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = "" if id(node) in parts else node.value
        for code in re.findall(r"`(orderloom [^`]+)`", text):
            command = " ".join(code.split())
            yield Example(f"{name}:{getattr(node, 'lineno', 0)}", command, whole=False)


def misuse(example: Example) -> str | None:
    """What is wrong with a command of ours, or None."""
    words = example.words[1:]
    command: Any = typer.main.get_command(app)
    name: str | None = "orderloom"
    context: Any = None
    try:
        while isinstance(command, TyperGroup):
            if not words and not example.whole:
                return None
            context = command.make_context(name, list(words), parent=context)
            if context.invoked_subcommand is None and not context._protected_args:
                return None
            words = [*context._protected_args, *context.args]
            name, command, words = command.resolve_command(context, words)
        command.make_context(name, list(words), parent=context)
    except typer.Exit:
        return None  # --help, --version
    except typer.TyperException as error:
        if type(error).__name__ in ("MissingParameter", "NoArgsIsHelpError") and not example.whole:
            return None
        return error.format_message()
    return None


@cache
def examples() -> list[Example]:
    """All that are shown. They are looked for when a test asks, not when tests are listed."""
    pages = (e for page in PAGES for e in of_page(page.name, page.read_text(encoding="utf-8")))
    texts = (
        e
        for source in product()
        if "`orderloom " in source.text
        for e in of_texts(source.path, source.tree)
    )
    shown = re.compile(r"(orderloom|temporal|make) ")
    return [example for example in (*pages, *texts) if shown.match(example.text)]


def of(program: str) -> list[Example]:
    return [example for example in examples() if example.text.startswith(f"{program} ")]


def test_every_command_that_is_shown_is_one_that_is_taken() -> None:
    wrong = [f"{e.where}: {e.text}: {told}" for e in of("orderloom") if (told := misuse(e))]
    assert wrong == []


def test_every_example_file_that_is_shown_is_there() -> None:
    files = {word for e in examples() for word in e.words if word.startswith("examples/")}
    assert files
    assert [file for file in sorted(files) if not (ROOT / file).exists()] == []


def test_every_message_that_is_shown_is_one_that_an_order_understands() -> None:
    shown = [example.words for example in of("temporal") if "--input" in example.words]
    messages = [words for words in shown if not {"NAME", "JSON"} <= set(words)]  # how to write one
    assert len(messages) >= 3
    for words in messages:
        name, text = words[words.index("--name") + 1], words[words.index("--input") + 1]
        if "signal" in words:
            parse_signal(name, [RawValue(Payload(data=text.encode()))])
        else:
            UPDATES[name].model_validate_json(text)


def test_every_target_that_is_shown_is_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = {word for e in of("make") for word in e.words[1:] if "=" not in word}
    assert targets
    made = set(re.findall(r"^([\w-]+):", makefile, re.MULTILINE))
    assert targets <= made


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("orderloom resolve web-1 'charge_payment web-1:1' --action retry --note x", "--action"),
        ("orderloom resolve web-1 perhaps --note x", "perhaps"),
        ("orderloom stock imports", "imports"),
        ("orderloom shows web-1", "shows"),
        ("orderloom show", "ORDER"),
    ],
)
def test_a_planted_command_that_there_is_not_is_found(text: str, told: str) -> None:
    found = misuse(Example("a page", text, whole=True))
    assert found is not None
    assert told in found


def test_commands_are_found_wherever_they_stand() -> None:
    block = "```console\n$ orderloom orders \\\n    --json | head\n x\n```\n"
    page = f"Type `orderloom\nshow` or:\n\n{block}"
    assert [(e.text, e.whole, e.words) for e in of_page("page", page)] == [
        ("orderloom orders      --json", True, ["orderloom", "orders", "--json"]),
        ("head", True, ["head"]),
        ("orderloom show", False, ["orderloom", "show"]),
    ]
    module = ast.parse('"""See `orderloom up`."""\nsay(f"run `orderloom show {order}`")')
    assert [e.text for e in of_texts("module", module)] == ["orderloom up", "orderloom show 1"]
    assert len(of("orderloom")) > 100
