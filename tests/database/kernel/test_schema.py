"""The schema that is read is the one that is run: `store/schema/` against `store/migrations/`."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import subprocess
import sysconfig
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from store.migrate import migrate, run_migrations
from store.schema_version import MIGRATIONS, SANDBOX_MIGRATIONS, SCHEMA
from tests.support import schema
from tests.support.schema import BASELINE, SANDBOX_BASELINE, catalogue
from tests.support.servers import Databases

_numbers = itertools.count(1)


@pytest.fixture
async def empty_url(databases: Databases) -> AsyncIterator[str]:
    server, name = databases._server, f"schema_{next(_numbers)}"
    yield await server.create_database(name)
    await server.drop_database(name)


@pytest.fixture
async def empty(empty_url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(empty_url)
    yield connection
    connection.terminate()


async def lines(url: str) -> list[str]:
    connection = await asyncpg.connect(url)
    try:
        return await catalogue(connection)
    finally:
        await connection.close()


def test_the_baselines_are_written_from_the_schema_as_it_is() -> None:
    """As long as there is no other migration, an edit of the schema needs `make baseline`."""
    if {*MIGRATIONS.glob("*.sql")} == {BASELINE}:
        assert schema.tables() in BASELINE.read_text(encoding="utf-8")
    if {*SANDBOX_MIGRATIONS.glob("*.sql")} == {SANDBOX_BASELINE}:
        assert schema.sandbox() in SANDBOX_BASELINE.read_text(encoding="utf-8")


async def test_migrations_lead_to_the_schema_as_it_is_read(
    empty: asyncpg.Connection[asyncpg.Record], database_url: str
) -> None:
    await schema.build(empty)
    expected = await catalogue(empty)
    assert len(expected) > 500
    assert await lines(database_url) == expected


DIFFERENCES = (
    "alter table item add column weight_grams integer",
    "alter table item drop column discontinued",
    "alter table item alter column backorder drop not null",
    "alter table item alter column name set default 'new'",
    "alter table item alter column name type varchar(80)",
    "alter table order_line drop constraint picked_is_at_most_allocated",
    "alter table order_line rename constraint picked_is_at_most_allocated to line_is_whole",
    "create table forgotten ()",
    "create index order_line_by_line on order_line (line_id)",
    "drop index order_line_by_sku",
    "create function surplus() returns integer language sql as 'select 1'",
    "alter function append_only() security definer",
    "alter table movement disable trigger movement_append_only",
    "drop trigger movement_append_only on movement",
    "create or replace view order_overview as select *, 1 as one from order_overview",
    "create view another as select 1 as one",
    "drop view order_overview",
    "create domain code as text check (value <> '')",
    "comment on table item is 'what a SKU is'",
    "comment on column item.sku is 'its code'",
    "create sequence surplus_number",
    "alter table movement alter column movement_id drop identity",
    "alter table order_line alter column open drop expression",
    "alter table stock set (fillfactor = 50)",
    "alter table sandbox.label drop column voided",
    "create schema other",
)


@pytest.mark.parametrize("difference", DIFFERENCES)
async def test_a_planted_difference_is_found(database_url: str, difference: str) -> None:
    connection = await asyncpg.connect(database_url)
    whole = await catalogue(connection)
    await connection.execute(difference)
    try:
        assert await catalogue(connection) != whole
    finally:
        await connection.close()


CHANGE = "20991231000000_weight.sql"
WEIGHT = """-- migrate:up
alter table item add column weight_grams integer
    constraint weight_is_positive check (weight_grams > 0);
-- migrate:down
alter table item drop column weight_grams;
"""


async def roll_back(url: str, folder: Path) -> None:
    """Take the newest migration back."""
    process = await asyncio.create_subprocess_exec(
        Path(sysconfig.get_path("scripts")) / "dbmate",
        *("--env-file", os.devnull, "--migrations-dir", folder, "--no-dump-schema", "rollback"),
        env={"DATABASE_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()


async def test_a_change_counts_when_it_is_in_the_schema_as_well_and_can_be_taken_back(
    tmp_path: Path, empty: asyncpg.Connection[asyncpg.Record], database_url: str
) -> None:
    before = await lines(database_url)
    shutil.copytree(MIGRATIONS, tmp_path / "migrations")
    shutil.copytree(SCHEMA, tmp_path / "schema")
    (tmp_path / "migrations" / CHANGE).write_text(WEIGHT, encoding="utf-8")
    assert await run_migrations(database_url, [tmp_path / "migrations"]) == [CHANGE]
    changed = await lines(database_url)
    assert changed != before

    # The same column, at another place among the others.
    kernel = tmp_path / "schema" / "kernel.sql"
    text = kernel.read_text(encoding="utf-8")
    here = text.index("    name           some_text")
    column = "    weight_grams integer constraint weight_is_positive check (weight_grams > 0),\n"
    kernel.write_text(text[:here] + column + text[here:], encoding="utf-8")
    await schema.build(empty, tmp_path / "schema")
    assert await catalogue(empty) == changed

    await roll_back(database_url, tmp_path / "migrations")
    assert await lines(database_url) == before


async def test_every_change_can_be_taken_back(empty_url: str, tmp_path: Path) -> None:
    """Each migration after the baseline: up, and down to the same as before."""
    for file in sorted(MIGRATIONS.glob("*.sql")):
        before = await lines(empty_url)
        shutil.copy(file, tmp_path)
        await run_migrations(empty_url, [tmp_path])
        if file != BASELINE:
            after = await lines(empty_url)
            await roll_back(empty_url, tmp_path)
            assert await lines(empty_url) == before, file.name
            await run_migrations(empty_url, [tmp_path])
            assert await lines(empty_url) == after, file.name


# Routines -----------------------------------------------------------------------------------------


async def test_production_has_no_sandbox_companies_and_they_can_come_later(empty_url: str) -> None:
    await migrate(empty_url)
    assert [line for line in await lines(empty_url) if "sandbox" in line] == []
    assert await migrate(empty_url, sandbox=True) == [SANDBOX_BASELINE.name]
    assert [line for line in await lines(empty_url) if "sandbox" in line] != []
    assert await migrate(empty_url) == []


async def test_routines_are_replaced_where_they_or_the_tables_changed_and_not_touched_otherwise(
    empty_url: str,
    empty: asyncpg.Connection[asyncpg.Record],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    await asyncio.gather(*(migrate(empty_url) for _ in range(3)))
    assert await empty.fetchval("select count(*) from routine_set") == 1

    # Nothing has changed: nobody who writes is waited for.
    async with empty.transaction():
        await empty.execute("lock table movement in row exclusive mode")
        await asyncio.wait_for(migrate(empty_url), timeout=10)

    # A migration dropped the view to change what is below it.
    shutil.copytree(MIGRATIONS, tmp_path / "migrations")
    drop = "-- migrate:up\ndrop view order_overview;\n-- migrate:down\nselect 1;\n"
    (tmp_path / "migrations" / CHANGE).write_text(drop, encoding="utf-8")
    monkeypatch.setattr("store.schema_version.MIGRATIONS", tmp_path / "migrations")
    assert await migrate(empty_url) == [CHANGE]
    assert await empty.fetchval("select count(*) from order_overview") == 0

    # A function is another one.
    shutil.copytree(SCHEMA, tmp_path / "schema")
    more = "create or replace function one() returns integer language sql as 'select 1';"
    with (tmp_path / "schema" / "routines" / "views.sql").open("a", encoding="utf-8") as file:
        file.write(more)
    monkeypatch.setattr("store.schema_version.SCHEMA", tmp_path / "schema")
    await migrate(empty_url)
    assert await empty.fetchval("select one()") == 1
