"""What every file keeps to, and what the project consists of."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator

import pytest

from tests.architecture.source import ROOT, Source, kept_entries, kept_files, product

LINES_MAX = 300

# Modules that are longer, and why they are not two.
LONGER = {
    "starter/stack/postgres.py": "one server: make, start, watch and stop it",
    "store/sandbox/companies.py": (
        "one table of fakes for two companies, who share how calls are kept"
    ),
    "domain/orders/charges.py": "every decision about an order's money, on the same few counts",
    "workflows/order.py": "the table of all steps and undos, and the story that runs them",
    "domain/notifications/catalogue.py": "one table of every type of event, with what it tells",
    "workflows/engine/steps.py": "three ways to run a step, which share how it is parked",
}

# What lies at the top, and why there. docs/architecture.md says the same.
ENTRIES = {
    ".ci": "what must pass before a change is taken",
    ".gitignore": "what is made and not kept",
    "Makefile": "demo, up, test, check, bench, clean",
    "README.md": "the first page",
    "activities": "effects",
    "benchmarks": "what an order costs, measured",
    "deploy": "what others who watch it take in: Prometheus's rules, Grafana's dashboard",
    "docs": "how it is built and run",
    "domain": "rules",
    "examples": "orders and stock to begin with",
    "orderloom_conformance": "what an extension's author runs",
    "pyproject.toml": "the distribution and every tool's settings",
    "requirements.lock": "every dependency by version and hash",
    "runtime": "shared by worker and starter, who may not import each other",
    "starter": "whoever speaks to Temporal from outside",
    "store": "PostgreSQL",
    "tests": "tests",
    "worker.py": "where it is all put together",
    "workflows": "orchestration",
}

# What may not stand in any file: put together here, so that this file may be kept too.
FORBIDDEN = {
    "a package registry's host": re.compile("py" + r"pi\.org|python" + r"hosted", re.IGNORECASE),
    "a path of one machine": re.compile(r"(?<![\w.~/])/(?:root|home|Users|work|tmp)/"),
}


def python_files() -> list[Source]:
    """Every Python file, tests included."""
    return [
        Source(file.relative_to(ROOT).as_posix(), file.read_text(encoding="utf-8"))
        for file in kept_files()
        if file.suffix == ".py"
    ]


# Docstrings ---------------------------------------------------------------------------------------


def without_docstring(source: Source) -> list[str]:
    """Public modules, classes and functions that do not say what they are for.

    A function of a single statement may leave that to its name.
    """
    return [f"{source.path}: {name} has no docstring" for name in _silent(source.tree, "")]


def _silent(node: ast.Module | ast.ClassDef, prefix: str) -> Iterator[str]:
    if ast.get_docstring(node) is None:
        yield prefix.removesuffix(".") or "the module"
    for part in node.body:
        match part:
            case ast.ClassDef(name=name) if not name.startswith("_"):
                yield from _silent(part, f"{prefix}{name}.")
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                silent = ast.get_docstring(part) is None and len(part.body) > 1
                if silent and not name.startswith("_"):
                    yield f"{prefix}{name}"


def test_everything_public_says_what_it_is_for() -> None:
    assert [line for source in product() for line in without_docstring(source)] == []


def test_planted_silence_is_found() -> None:
    text = "class A:\n    def f(self):\n        x = 1\n        return x\n    def _g(self): ...\n"
    assert without_docstring(Source("domain/a.py", text)) == [
        "domain/a.py: the module has no docstring",
        "domain/a.py: A has no docstring",
        "domain/a.py: A.f has no docstring",
    ]


# Length -------------------------------------------------------------------------------------------


def lengths() -> dict[str, int]:
    """Lines of each module."""
    return {source.path: len(source.text.splitlines()) for source in product()}


def test_a_module_is_short_or_says_why_not() -> None:
    long = {path: lines for path, lines in lengths().items() if lines > LINES_MAX}
    assert {path: lines for path, lines in long.items() if path not in LONGER} == {}


def test_no_module_is_excused_that_is_short() -> None:
    found = lengths()
    assert [path for path in LONGER if found.get(path, 0) <= LINES_MAX] == []


# Reasons ------------------------------------------------------------------------------------------

_IGNORE = re.compile(r"#\s*(type:\s*ignore(\[[\w, -]+\])?|noqa(:\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*)?)")


def ignores_without_reason(source: Source) -> list[str]:
    """Comments that silence a tool and do not say which rule and why."""
    found = []
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        ignore = _IGNORE.match(token.string) if token.type == tokenize.COMMENT else None
        if ignore is None:
            continue
        rule = ignore[2] or ignore[3]
        reason = token.string[ignore.end() :].strip(" #-–")
        if not rule or not reason:
            found.append(f"{source.path}:{token.start[0]} {token.string}")
    return found


def test_whoever_silences_a_tool_says_why() -> None:
    assert [line for source in python_files() for line in ignores_without_reason(source)] == []


@pytest.mark.parametrize(
    ("comment", "is_fine"),
    [
        ("# type: ignore", False),
        ("# type: ignore[no-any-return]", False),
        ("# type: ignore  # it is not", False),
        ("# noqa: S108 -", False),
        ("# type: ignore[no-any-return]  # the server answers so", True),
        ("# noqa", False),
        ("# noqa: S108", False),
        ("# noqa: S108 - checked before use", True),
        ("# an honest comment", True),
    ],
)
def test_a_planted_silence_needs_its_reason(comment: str, is_fine: bool) -> None:
    assert (ignores_without_reason(Source("a.py", f"x = 1  {comment}\n")) == []) == is_fine


# Words and places ---------------------------------------------------------------------------------


def forbidden(path: str, text: str) -> list[str]:
    """What stands in a file and may not, one sentence each."""
    return [
        f"{path}:{number} names {what}: {found[0]}"
        for number, line in enumerate(text.splitlines(), start=1)
        for what, pattern in FORBIDDEN.items()
        if (found := pattern.search(line)) is not None
    ]


def test_no_file_names_a_registry_or_a_path_of_one_machine() -> None:
    found = []
    for file in kept_files():
        path = file.relative_to(ROOT).as_posix()
        # A picture is no text, and could name either all the same.
        found += forbidden(path, file.read_text(encoding="utf-8", errors="replace"))
    assert found == []


def test_planted_words_are_found() -> None:
    host = "https://" + "py" + "pi.org" + "/simple"
    assert forbidden("requirements.lock", f"--index-url {host}") == [
        "requirements.lock:1 names a package registry's host: " + "py" + "pi.org"
    ]
    here = "/" + "home/kim/orders"
    assert forbidden("README.md", f"first line\ncd {here}")[0].startswith(
        "README.md:2 names a path"
    )
    assert forbidden("README.md", "see docs/home/ and ~/work/ and https://a.example/home/") == []


def test_the_top_of_the_project_holds_what_is_listed() -> None:
    unknown = kept_entries() - ENTRIES.keys()
    assert unknown == set(), "each entry has a reason, here and in docs/architecture.md"


def test_every_listed_entry_is_there() -> None:
    assert ENTRIES.keys() - kept_entries() == set()


def test_the_architecture_page_names_every_entry() -> None:
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    told = [name for name in ENTRIES if f"`{name}" in page or name in (".gitignore", "README.md")]
    assert ENTRIES.keys() - told == set()
