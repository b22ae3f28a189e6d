"""A database that another version has made is told from one that only lacks something."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from store import schema_version
from store.faults import NotPrepared
from store.migrate import migrate, run_migrations
from store.schema_version import MIGRATIONS, SCHEMA, NewerVersion, OtherVersion, check
from tests.support.other_version import make_tables_of_yesterday
from tests.support.schema import BASELINE
from tests.support.servers import Databases

LATER = "20991231000000_weight.sql"
WEIGHT = """-- migrate:up
alter table item add column weight_grams integer;
-- migrate:down
alter table item drop column weight_grams;
"""


@pytest.fixture
async def url(databases: Databases) -> AsyncIterator[str]:
    """An empty database."""
    async with databases.fresh(empty=True) as url:
        yield url


@pytest.fixture
async def conn(url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    conn = await asyncpg.connect(url)
    yield conn
    await conn.close()


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A copy of the migrations, to be changed."""
    return Path(shutil.copytree(MIGRATIONS, tmp_path / "migrations"))


def changed(folder: Path, old: str, new: str) -> None:
    file = folder / BASELINE.name
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


async def test_what_this_version_has_made_fits(
    url: str, conn: asyncpg.Connection[asyncpg.Record]
) -> None:
    await migrate(url)
    await check(conn)
    await migrate(url, sandbox=True)
    await check(conn)
    assert await conn.fetchval("select count(*) from routine_set") == 2
    assert await migrate(url, sandbox=True) == []
    assert await conn.fetchval("select count(*) from routine_set") == 2


async def test_an_empty_database_is_not_prepared(
    conn: asyncpg.Connection[asyncpg.Record],
) -> None:
    with pytest.raises(NotPrepared, match=r"has no tables of Orderloom; run `orderloom setup`"):
        await check(conn)


async def test_tables_of_another_version_are_refused_and_left_as_they_are(
    url: str,
    conn: asyncpg.Connection[asyncpg.Record],
    other: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    changed(other, "reported_at  timestamptz", "told_at timestamptz, reported_at timestamptz")
    with monkeypatch.context() as there:
        there.setattr(schema_version, "MIGRATIONS", other)
        await migrate(url)
        await check(conn)
    says = (
        rf"made by another version of Orderloom on [-:\d ]+ UTC: its tables are those of"
        rf" {BASELINE.name} as [0-9a-f]{{8}}, and here that is [0-9a-f]{{8}}\."
        " Use the version that made it, or another database"
    )
    with pytest.raises(OtherVersion, match=says):
        await check(conn)
    with pytest.raises(OtherVersion, match=says) as refused:
        await migrate(url, sandbox=True)
    assert refused.value.exit_code == 2
    assert await conn.fetchval("select count(*) from routine_set") == 1
    assert await conn.fetchval("select to_regnamespace('sandbox')") is None


async def test_tables_from_before_anything_was_noted_are_refused(
    url: str, conn: asyncpg.Connection[asyncpg.Record]
) -> None:
    await make_tables_of_yesterday(url)
    await conn.execute("insert into routine_set (digest) values ('of yesterday')")
    says = rf"another version of Orderloom: its tables are those of {BASELINE.name} as an earlier"
    for attempt in (check(conn), migrate(url)):
        with pytest.raises(OtherVersion, match=says):
            await attempt


async def test_what_a_comment_says_makes_no_other_version(
    url: str, other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed(other, "-- Which routines", "-- Said otherwise: which routines")
    with monkeypatch.context() as there:
        there.setattr(schema_version, "MIGRATIONS", other)
        await migrate(url)
    assert await migrate(url) == []


async def test_a_database_that_lacks_a_migration_is_told_so_and_can_be_given_it(
    url: str,
    conn: asyncpg.Connection[asyncpg.Record],
    other: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await migrate(url)
    (other / LATER).write_text(WEIGHT, encoding="utf-8")
    monkeypatch.setattr(schema_version, "MIGRATIONS", other)
    with pytest.raises(NotPrepared, match=rf"lacks {LATER}; run `orderloom setup`"):
        await check(conn)
    assert await migrate(url) == [LATER]
    await check(conn)


async def test_a_later_versions_database_is_refused_but_to_a_worker_that_is_being_drained(
    url: str,
    conn: asyncpg.Connection[asyncpg.Record],
    other: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (other / LATER).write_text(WEIGHT, encoding="utf-8")
    with monkeypatch.context() as there:
        there.setattr(schema_version, "MIGRATIONS", other)
        await migrate(url)
    says = r"changed by a later version .* has 20991231000000 .* the last one here is \d{14}\. Use"
    for attempt in (check(conn), migrate(url)):
        with pytest.raises(NewerVersion, match=says):
            await attempt
    await check(conn, newer_too=True)
    assert "changed by a later version" in caplog.text


async def test_other_functions_are_told_and_can_be_replaced(
    url: str,
    conn: asyncpg.Connection[asyncpg.Record],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await migrate(url)
    schema = Path(shutil.copytree(SCHEMA, tmp_path / "schema"))
    with (schema / "routines" / "kernel.sql").open("a", encoding="utf-8") as file:
        file.write("create or replace function one() returns integer language sql return 1;\n")
    monkeypatch.setattr(schema_version, "SCHEMA", schema)
    with pytest.raises(NotPrepared, match=r"functions are those of another one .*orderloom setup"):
        await check(conn)
    await migrate(url)
    await check(conn)


async def test_whoever_was_interrupted_between_tables_and_functions_can_go_on(
    url: str, conn: asyncpg.Connection[asyncpg.Record]
) -> None:
    await run_migrations(url, [MIGRATIONS])
    with pytest.raises(NotPrepared, match="orderloom setup"):
        await check(conn)
    assert await migrate(url) == []
    await check(conn)
