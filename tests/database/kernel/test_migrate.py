"""Migrations on the real database, with files of the test's own."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from domain.errors import InvalidInput, Unreachable
from starter.stack.postgres import PostgresServer, embedded_postgres
from store.migrate import migrate, run_migrations, wait_for_database
from store.schema_version import MIGRATIONS
from tests.support.servers import FAST_POSTGRES, temporary_folder

FIRST = "20260101000000_first.sql"
SECOND = "20260102000000_second.sql"
PASSWORD = "open/sesame"
PASSWORD_IN_URL = "open%2Fsesame"


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[PostgresServer]:
    """A server on which the account `guest` needs its password."""
    with temporary_folder() as folder:
        async with embedded_postgres(folder, settings=FAST_POSTGRES) as server:
            (folder / "postgres" / "pg_hba.conf").write_text(
                "local all guest scram-sha-256\nlocal all all trust\n",
                encoding="utf-8",
            )
            connection = await asyncpg.connect(server.url("postgres"))
            await connection.execute("SELECT pg_reload_conf()")
            await connection.execute(f"CREATE ROLE guest LOGIN SUPERUSER PASSWORD '{PASSWORD}'")
            await connection.close()
            yield server


@pytest.fixture
async def url(server: PostgresServer) -> AsyncIterator[str]:
    name = f"migrated_{uuid.uuid4().hex}"
    yield await server.create_database(name)
    await server.drop_database(name)


@pytest.fixture
async def tcp_port(server: PostgresServer) -> AsyncIterator[int]:
    """The server by TCP without TLS, on a port of 127.0.0.1."""
    socket_path = server.home / "run" / ".s.PGSQL.5432"

    async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                target.write(data)
                await target.drain()
        except ConnectionError:
            pass
        finally:
            target.close()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_unix_connection(socket_path)
        await asyncio.gather(copy(reader, server_writer), copy(server_reader, writer))

    listener = await asyncio.start_server(connect, "127.0.0.1", 0)
    yield listener.sockets[0].getsockname()[1]
    listener.close()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    write(tmp_path / FIRST, "CREATE TABLE one (n integer);", "DROP TABLE one;")
    return tmp_path


def write(path: Path, up: str, down: str) -> None:
    path.write_text(f"-- migrate:up\n{up}\n-- migrate:down\n{down}\n", encoding="utf-8")


async def fetch(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def run(url: str, script: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(script)
    finally:
        await connection.close()


async def test_migrating_twice_does_nothing_the_second_time(url: str, files: Path) -> None:
    assert await run_migrations(url, [files]) == [FIRST]
    assert await run_migrations(url, [files]) == []
    write(files / SECOND, "CREATE TABLE two (n integer);", "DROP TABLE two;")
    assert await run_migrations(url, [files]) == [SECOND]


async def test_migrating_from_several_places_at_once_applies_each_file_once(
    url: str, files: Path
) -> None:
    write(files / SECOND, "SELECT pg_sleep(0.3); CREATE TABLE two (n integer);", "DROP TABLE two;")
    applied = await asyncio.gather(*(run_migrations(url, [files]) for _ in range(4)))
    assert sorted(name for names in applied for name in names) == [FIRST, SECOND]


async def test_a_failing_migration_is_rolled_back_and_reported(url: str, files: Path) -> None:
    write(files / SECOND, "CREATE TABLE two (n integer); SELECT 1 / 0;", "")
    with pytest.raises(InvalidInput, match="division by zero"):
        await run_migrations(url, [files])
    assert await fetch(url, "SELECT to_regclass('two')") is None
    assert await fetch(url, "SELECT to_regclass('one')") == "one"


async def test_the_projects_own_migrations_apply_in_order(url: str) -> None:
    assert await migrate(url) == sorted(path.name for path in MIGRATIONS.glob("*.sql"))


async def test_a_server_without_tls_is_taken_as_it_is(
    server: PostgresServer, url: str, tcp_port: int, files: Path
) -> None:
    name = await fetch(url, "SELECT current_database()")
    by_tcp = f"postgresql://guest:{PASSWORD_IN_URL}@127.0.0.1:{tcp_port}/{name}"
    await wait_for_database(by_tcp, timeout_seconds=5)
    assert await run_migrations(by_tcp, [files]) == [FIRST]
    with pytest.raises(Unreachable, match="SSL"):
        await run_migrations(f"{by_tcp}?sslmode=require", [files])


async def test_no_message_tells_the_password(
    server: PostgresServer, url: str, tcp_port: int, files: Path
) -> None:
    name = await fetch(url, "SELECT current_database()")
    place = f"127.0.0.1:{tcp_port}/{name}"
    write(files / SECOND, f"SELECT '{PASSWORD}'::integer;", "")
    with pytest.raises(InvalidInput, match="invalid input syntax") as failed:
        await run_migrations(f"postgresql://guest:{PASSWORD_IN_URL}@{place}", [files])
    with pytest.raises(InvalidInput, match="password authentication failed") as refused:
        await run_migrations(f"postgresql://guest:wrong-{PASSWORD_IN_URL}@{place}", [files])
    for error in (failed.value, refused.value):
        assert "sesame" not in str(error)
        assert error.__suppress_context__ or error.__context__ is None


async def test_a_server_that_is_not_there_is_unreachable(files: Path) -> None:
    url = f"postgresql://guest:{PASSWORD_IN_URL}@127.0.0.1:1/orders"
    with pytest.raises(
        Unreachable, match=r"database orders on 127\.0\.0\.1:1 does not answer"
    ) as e:
        await run_migrations(url, [files])
    assert "sesame" not in str(e.value)
    with pytest.raises(Unreachable):
        await wait_for_database(url, timeout_seconds=0.3)


async def test_waiting_ends_as_soon_as_the_server_answers(server: PostgresServer) -> None:
    await server.stop()
    waiting = asyncio.create_task(wait_for_database(server.url("postgres"), timeout_seconds=30))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    await server.start()
    await waiting


async def test_a_url_that_cannot_work_is_bad_input_at_once(
    server: PostgresServer, files: Path
) -> None:
    with pytest.raises(InvalidInput, match="absent"):
        await run_migrations(server.url("absent"), [files])
    with pytest.raises(InvalidInput, match="DATABASE_URL"):
        await wait_for_database("mysql://host/db", timeout_seconds=30)
