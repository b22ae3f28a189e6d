"""The database that the tests of one process share, one after the other, and its open connections.

A database of its own would cost a test half of its work: each new connection has to read the
catalogue and to plan every statement again. So what a test has left is deleted when it ends, and
the next one finds what a new database has, with warm connections.

Rows, numbers of sequences and settings of sessions are taken back. Where more than that has changed
the next test gets another database:

- the schema was changed, or a table analyzed,
- a connection of the pool is still in use, or the pool is closed,
- a task that the test has started goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, Final

import asyncpg

from store.database import Connection, ConnectionLost, Pool, open_pool
from tests.support.servers import Databases

TESTS_MAX: Final = 100
"""A database is left after so many tests: what they have deleted is still in its files."""

TASKS_END_WITHIN_S: Final = 0.2

_TEMPLATE: Final = "orderloom_shared"
"""A migrated database that also has a schema `begun`: the rows with which tables begin, and a note
that its schema was changed."""

_NOTES: Final = """
    create table begun.changed ();
    create function begun.note_change() returns event_trigger language plpgsql as $$ begin
        if exists (
            select from pg_event_trigger_ddl_commands() where schema_name is distinct from 'pg_temp'
        ) then
            insert into begun.changed default values;
        end if;
    end $$;
    create function begun.note_drop() returns event_trigger language plpgsql as $$ begin
        if exists (select from pg_event_trigger_dropped_objects() where not is_temporary) then
            insert into begun.changed default values;
        end if;
    end $$;
    create event trigger changed on ddl_command_end execute function begun.note_change();
    create event trigger dropped on sql_drop execute function begun.note_drop();
    alter event trigger changed enable always;
    alter event trigger dropped enable always;
"""

_CHANGED: Final = """
    select exists (select from begun.changed)
        or exists (select from pg_statistic join pg_class on pg_class.oid = starelid
                   where relnamespace in ('public'::regnamespace, 'sandbox'::regnamespace))
"""

_END_OTHERS: Final = """
    select pg_terminate_backend(pid, 5000) from pg_stat_activity
    where datname = current_database() and backend_type = 'client backend' and pid <> all($1::int[])
"""
"""Ends programs that the test has started, and other pools: each is gone when it returns."""

_TABLES: Final = """
    select format('%I.%I', schemaname, tablename) as name,
           (select string_agg(quote_ident(attname), ', ') from pg_attribute
            where attrelid = format('%I.%I', schemaname, tablename)::regclass and attnum > 0
              and not attisdropped and attgenerated = '') as columns
    from pg_tables where schemaname in ('public', 'sandbox')
"""

_RESTART_NUMBERS: Final = """
    select setval(format('%I.%I', schemaname, sequencename), start_value, false) from pg_sequences
    where schemaname in ('public', 'sandbox') and last_value is not null
"""


class SharedDatabase:
    """Lends its database to one test at a time."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases
        self._current = AsyncExitStack()
        self._lent: tuple[str, Pool] | None = None
        self._tests = 0
        self._as_begun: dict[str, str] = {}
        """Table → what gives it the rows of a new database."""

        self._written = ""
        """A query for the tables whose rows are not those of a new database."""

    @asynccontextmanager
    async def lend(self) -> AsyncIterator[tuple[str, Pool]]:
        """A database that holds what a new one does, and connections to it."""
        if self._lent is None:
            self._lent = await self._another()
        url, pool = self._lent
        others = asyncio.all_tasks()
        try:
            yield url, pool
        finally:
            kept = False
            try:
                with suppress(*ConnectionLost):
                    kept = await self._is_as_begun(pool, asyncio.all_tasks() - others)
            finally:
                if not kept:
                    await self.leave()

    async def leave(self) -> None:
        """Drop the database, if there is one, whoever still uses it."""
        self._lent, self._tests = None, 0
        await self._current.aclose()

    async def _another(self) -> tuple[str, Pool]:
        if not self._written:
            await self._make_template()
        url = await self._current.enter_async_context(self._databases.fresh(_TEMPLATE))
        # Many tests have more statements than the driver remembers by default.
        pool = await open_pool(url, statements_max=1000)
        self._current.callback(pool.terminate)
        return url, pool

    async def _make_template(self) -> None:
        conn = await asyncpg.connect(await self._databases.copy(_TEMPLATE))
        try:
            await conn.execute("create schema begun")
            queries = []
            for number, (table, columns) in enumerate(await conn.fetch(_TABLES)):
                self._as_begun[table] = f"delete from {table};"
                found = f"select '{table}' where exists "
                if await conn.fetchval(f"select exists (table {table})"):
                    begun = f"begun.rows_{number}"
                    await conn.execute(f"create table {begun} as table {table}")
                    self._as_begun[table] += (
                        f"insert into {table} ({columns}) overriding system value"
                        f" select {columns} from {begun};"
                    )
                    queries.append(f"{found} (table {table} except all table {begun})")
                    queries.append(f"{found} (table {begun} except all table {table})")
                else:
                    queries.append(f"{found} (table {table})")
            self._written = " union ".join(queries)
            await conn.execute(_NOTES)
        finally:
            await conn.close()

    async def _is_as_begun(self, pool: Pool, tasks: set[asyncio.Task[Any]]) -> bool:
        """Take back all that a test has done, if that can be. `tasks`: that it has started."""
        self._tests += 1
        if left := tasks - {asyncio.current_task()}:
            _, left = await asyncio.wait(left, timeout=TASKS_END_WITHIN_S)
        idle = pool.get_idle_size()
        in_use = pool.get_size() > idle
        if left or in_use or not idle or pool.is_closing() or self._tests == TESTS_MAX:
            return False
        async with AsyncExitStack() as held:
            return await self._emptied(
                [await held.enter_async_context(pool.acquire()) for _ in range(idle)]
            )

    async def _emptied(self, connections: Sequence[Connection]) -> bool:
        for connection in connections:
            await connection.execute("reset all")
        conn = connections[0]
        await conn.execute(_END_OTHERS, [each.get_server_pid() for each in connections])
        if await conn.fetchval(_CHANGED):
            return False
        async with conn.transaction():
            # Neither a trigger nor a reference keeps a row. TRUNCATE would end all plans.
            await conn.execute("set local session_replication_role = replica")
            await conn.execute(_RESTART_NUMBERS)
            written = await conn.fetch(self._written)
            if written:
                await conn.execute("".join(self._as_begun[table] for (table,) in written))
        return True
