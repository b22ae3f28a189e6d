"""Python asks one clock, `store/clock.py`, and SQL one, `moment()`, so that tests can set them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from store.schema_version import MIGRATIONS, SCHEMA
from tests.architecture.source import ROOT, Source, sources

CLOCK = "store/clock.py"
PYTHON = re.compile(r"(datetime|date)\.(now|utcnow|today)$|time\.(time|time_ns|localtime|gmtime)$")
SQL = re.compile(
    r"(\bnow\(\)|\b(clock|statement|transaction)_timestamp\(\)|\btimeofday\(\)"
    r"|\bcurrent_(date|time|timestamp)\b|\blocal(time|timestamp)\b|'now')",
    re.IGNORECASE,
)


def clocks_of(source: Source) -> list[str]:
    """Where a Python file reads another clock."""
    return [
        f"{source.path}:{node.lineno} {name}"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Attribute) and PYTHON.search(name := ast.unparse(node))
    ]


def clocks_in(sql: str) -> list[str]:
    """Other clocks that a SQL file reads, outside of comments."""
    return [found[0] for found in SQL.finditer(re.sub(r"--.*", "", sql))]


def sql_files() -> list[Path]:
    return sorted(x for x in (ROOT / "store").rglob("*.sql") if MIGRATIONS not in x.parents)


def test_python_asks_one_clock() -> None:
    files = sources("store/", "activities/")
    assert [line for source in files if source.path != CLOCK for line in clocks_of(source)] == []
    assert any(map(clocks_of, sources(CLOCK)))


def test_sql_asks_one_clock() -> None:
    found = {
        file.relative_to(SCHEMA.parent).as_posix(): clocks
        for file in sql_files()
        if (clocks := clocks_in(file.read_text(encoding="utf-8")))
    }
    assert found == {"schema/kernel.sql": ["clock_timestamp()", "now()"]}, "moment() alone reads it"


@pytest.mark.parametrize(
    "text",
    [
        "at = datetime.now(UTC)",
        "at = datetime.datetime.utcnow()",
        "d = date.today()",
        "time.time()",
    ],
)
def test_another_clock_in_python_is_found(text: str) -> None:
    assert len(clocks_of(Source("store/orders/orders.py", text))) == 1


@pytest.mark.parametrize(
    "text",
    ["select now()", "at < CURRENT_DATE", "default clock_timestamp()", "'now'::timestamptz"],
)
def test_another_clock_in_sql_is_found(text: str) -> None:
    assert len(clocks_in(text)) == 1


@pytest.mark.parametrize(
    "text", ["select moment()", "-- since now()", "transaction_moment()::date"]
)
def test_the_one_clock_is_left_alone(text: str) -> None:
    assert clocks_in(text) == []
