"""The schema as `store/schema/` tells it, and what `migrations/` begins with.

`python -m tests.support.schema` writes the baselines. That is right as long as no database has to
be kept; later a change is a migration of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from asyncpg import Connection, Record

from store.schema_version import GRID, MIGRATIONS, SANDBOX_MIGRATIONS, SCHEMA, routines

BASELINE: Final = MIGRATIONS / "20261128000000_baseline.sql"
SANDBOX_BASELINE: Final = SANDBOX_MIGRATIONS / "20261128000100_sandbox.sql"

_BASELINE: Final = """-- migrate:up

-- Written by `make baseline` from store/schema/: read it there.

{schema}
-- migrate:down

do $$ begin
    raise exception 'there is nothing below a baseline: drop the database instead';
end $$;
"""


def tables(folder: Path = SCHEMA) -> str:
    """The files of the capabilities, one after the other."""
    files = (folder / f"{name}.sql" for name in GRID)
    return "\n".join(file.read_text(encoding="utf-8") for file in files if file.exists())


def sandbox(folder: Path = SCHEMA) -> str:
    """The sandbox companies."""
    return (folder / "sandbox.sql").read_text(encoding="utf-8")


def write_baselines() -> None:
    """Write what `migrations/` begins with."""
    BASELINE.write_text(_BASELINE.format(schema=tables()), encoding="utf-8")
    SANDBOX_BASELINE.write_text(_BASELINE.format(schema=sandbox()), encoding="utf-8")


async def build(connection: Connection[Record], folder: Path = SCHEMA) -> None:
    """Make everything in an empty database, without a migration."""
    await connection.execute(tables(folder))
    await connection.execute(sandbox(folder))
    await connection.execute(routines())


_CATALOGUE: Final = """
    with ours as (
        select oid from pg_namespace where nspname <> 'information_schema' and nspname !~ '^pg_'
    ), relations as (
        select oid, relkind from pg_class
        where relnamespace in (select oid from ours) and relname not like 'schema_migrations%'
    )
    select 'schema ' || nspname as line from pg_namespace where oid in (select oid from ours)
    union all
    select format('relation %s %s %s', c.oid::regclass, c.relkind, c.reloptions)
    from pg_class c where oid in (select oid from relations)
    union all
    select format('column %s.%s %s%s%s%s%s', attrelid::regclass, attname,
                  format_type(atttypid, atttypmod),
                  case when attnotnull then ' not null' end,
                  ' default ' || pg_get_expr(adbin, adrelid),
                  ' identity ' || nullif(attidentity::text, ''),
                  ' generated ' || nullif(attgenerated::text, ''))
    from pg_attribute left join pg_attrdef on (adrelid, adnum) = (attrelid, attnum)
    where attrelid in (select oid from relations where relkind in ('r', 'v', 'c')) and attnum > 0
      and not attisdropped
    union all
    select format('constraint %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
    from pg_constraint where conrelid in (select oid from relations)
    union all
    select format('domain %s %s%s%s', t.oid::regtype, format_type(typbasetype, typtypmod),
                  case when typnotnull then ' not null' end,
                  ' ' || conname || ' ' || pg_get_constraintdef(c.oid))
    from pg_type t left join pg_constraint c on contypid = t.oid
    where typtype = 'd' and typnamespace in (select oid from ours)
    union all
    select format('%s%s', pg_get_indexdef(indexrelid), case when not indisvalid then ' invalid' end)
    from pg_index where indrelid in (select oid from relations)
    union all
    select format('%s %s', pg_get_triggerdef(oid), tgenabled)
    from pg_trigger where tgrelid in (select oid from relations) and not tgisinternal
    union all
    select format('view %s %s', oid::regclass, pg_get_viewdef(oid))
    from pg_class where oid in (select oid from relations where relkind in ('v', 'm'))
    union all
    select pg_get_functiondef(oid) from pg_proc where pronamespace in (select oid from ours)
    union all
    select format('sequence %s %s %s %s %s', seqrelid::regclass, seqtypid::regtype, seqstart,
                  seqincrement, seqcycle)
    from pg_sequence where seqrelid in (select oid from relations)
    union all
    select format('comment on %s: %s', pg_describe_object(classoid, objoid, objsubid), description)
    from pg_description
    where classoid = 'pg_class'::regclass and objoid in (select oid from relations)
       or classoid = 'pg_proc'::regclass
          and objoid in (select oid from pg_proc where pronamespace in (select oid from ours))
       or classoid = 'pg_type'::regclass
          and objoid in (select oid from pg_type where typnamespace in (select oid from ours))
       or classoid = 'pg_constraint'::regclass
          and objoid in (select oid from pg_constraint where connamespace in (select oid from ours))
    order by 1
"""


async def catalogue(connection: Connection[Record]) -> list[str]:
    """Everything that is in the database but rows and dbmate's own table: a line for each thing.

    In which sequence a table has its columns does not count: those that a migration adds come last.
    """
    return [row["line"] for row in await connection.fetch(_CATALOGUE)]


if __name__ == "__main__":
    write_baselines()
