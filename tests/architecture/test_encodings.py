"""Text is read and written in an encoding that the code names, never in that of the locale.

Ruff's rule for this cannot see that `file` is a path, so it misses most of what is looked for here.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.source import Source
from tests.architecture.test_style import python_files

TEXT = {"read_text", "write_text"}
OPENED = {"open", "fdopen", "TemporaryFile", "NamedTemporaryFile", "SpooledTemporaryFile"}
BINARY_UNLESS_SAID = {"TemporaryFile", "NamedTemporaryFile", "SpooledTemporaryFile"}
NAMED_ALWAYS = {"TextIOWrapper", "from_path", "FileHandler", "RotatingFileHandler"}
ELSEWHERE = ("os.open", "webbrowser.open", "tarfile.open", "zipfile.open", "Image.open")
"""Calls of the same name that know nothing of text."""


def without_encoding(source: Source) -> Iterator[str]:
    """Calls that read or write text in whatever encoding the locale has."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and _guesses(node):
            yield f"{source.path}:{node.lineno} {ast.unparse(node.func)}(…) names no encoding"


def _guesses(call: ast.Call) -> bool:
    if any(word.arg in ("encoding", None) for word in call.keywords):
        return False
    named = {word.arg: word.value for word in call.keywords}
    if any(_is(named.get(word), True) for word in ("text", "universal_newlines")):
        return True
    name = ast.unparse(call.func)
    match name.rpartition(".")[2]:
        case word if word in TEXT:
            return not call.args or word == "write_text"
        case word if word in OPENED and name not in ELSEWHERE:
            mode = named.get("mode", next(iter(_modes(call, name)), None))
            if mode is None:
                return word not in BINARY_UNLESS_SAID
            return "b" not in ast.unparse(mode)
        case word:
            return word in NAMED_ALWAYS


def _modes(call: ast.Call, name: str) -> list[ast.expr]:
    """The mode, if it is given by position: before it stands the file, but not for a path's own."""
    word = name.rpartition(".")[2]
    of_a_path = word == "open" and name not in ("open", "io.open", "gzip.open", "codecs.open")
    return call.args[0 if of_a_path or word in BINARY_UNLESS_SAID else 1 :]


def _is(node: ast.expr | None, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def test_whoever_reads_or_writes_text_names_the_encoding() -> None:
    assert [line for source in python_files() for line in without_encoding(source)] == []


@pytest.mark.parametrize(
    ("text", "is_fine"),
    [
        ("file.read_text()", False),
        ("file.read_text(errors='replace')", False),
        ("(home / 'PG_VERSION').read_text().strip()", False),
        ("file.read_text('utf-8')", True),
        ("file.read_text(encoding='utf-8')", True),
        ("file.write_text('tea')", False),
        ("file.write_text('tea', encoding='utf-8')", True),
        ("open(name)", False),
        ("open(name, 'w')", False),
        ("open(name, 'rb')", True),
        ("open(name, mode='wb')", True),
        ("open(name, 'w', encoding='utf-8')", True),
        ("file.open()", False),
        ("file.open('a')", False),
        ("file.open('ab')", True),
        ("os.open(name, os.O_RDONLY)", True),
        ("os.fdopen(handle, 'w')", False),
        ("os.fdopen(handle, 'rb')", True),
        ("tempfile.TemporaryFile()", True),
        ("tempfile.NamedTemporaryFile('w')", False),
        ("subprocess.run(command, text=True)", False),
        ("subprocess.run(command, text=True, encoding='utf-8')", True),
        ("subprocess.run(command, capture_output=True)", True),
        ("aiosql.from_path(folder, 'asyncpg')", False),
        ("io.TextIOWrapper(stream)", False),
    ],
)
def test_a_planted_guess_is_found(text: str, is_fine: bool) -> None:
    assert (list(without_encoding(Source("a.py", f"x = {text}\n"))) == []) == is_fine
