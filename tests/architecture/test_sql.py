"""SQL has a room of its own: every statement has a name, a caller, and a way back."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from store.schema_version import GRID, SCHEMA
from store.schema_version import MIGRATIONS as MIGRATIONS_FOLDER
from tests.architecture.source import ROOT, Source, product, sources
from tests.support.schema import BASELINE, SANDBOX_BASELINE

STATEMENT = re.compile(
    r"""\s*(
        select\s .* \sfrom\s | select\s+[\w.]+\( | select\s+[\d'$] | insert\s+into\s
        | update\s+\S+\s+(as\s+\w+\s+)?set\s | delete\s+from\s | truncate\s | lock\s+table\s
        | (create|alter|drop)\s+(or\s+replace\s+)?
          (table|view|index|type|function|schema|database|role|trigger|extension)\s
        | with\s+\w+\s+as\s*\( | listen\s+\w+$ | notify\s+\w+
    )""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
TEXTBOOK = ("activities", "books", "companies", "payments", "shipments")
# Files that speak SQL themselves, and why.
SPEAKS_SQL = {
    "benchmarks/aged_rows.py": "copies the rows of whatever tables there are",
    "benchmarks/claims.py": "has the statements of ways to claim stock that are not Orderloom's",
    "benchmarks/contestants/orderloom.py": "looks for the labels of all orders in flight at once",
    **dict.fromkeys(
        (f"benchmarks/contestants/textbook_{part}.py" for part in TEXTBOOK),
        "has the statements of a tutorial",
    ),
    "benchmarks/http.py": "writes orders that were closed long ago, and looks for their ends",
    "benchmarks/meters.py": "reads a meter of PostgreSQL's own",
    "starter/stack/postgres.py": "makes and drops the databases that migrations then fill",
}


def statements(source: Source) -> list[str]:
    """Strings of a file that are SQL, one sentence each."""
    return [
        f"{source.path}:{node.lineno} holds SQL: {' '.join(node.value.split())[:40]}"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.lineno not in source.docstrings
        and STATEMENT.match(node.value)
    ]


def test_python_holds_no_sql() -> None:
    found = [s for source in product() if source.path not in SPEAKS_SQL for s in statements(source)]
    assert found == []


def test_the_files_that_may_hold_sql_do() -> None:
    assert [path for path in SPEAKS_SQL if not any(map(statements, sources(path)))] == []


@pytest.mark.parametrize(
    "text",
    [
        "await conn.fetch('select * from orders')",
        "await conn.execute('''\n    UPDATE stock SET on_hand = 0''')",
        "await conn.execute(f'delete from {table}')",
        "sql = 'insert into customer_order values ($1)'",
        "await conn.fetchval('select pg_notify($1, $2)', channel, text)",
        "await conn.execute('create table note (text text)')",
    ],
)
def test_planted_sql_is_found(text: str) -> None:
    (line,) = statements(Source("activities/stock/inventory.py", f"async def f():\n    {text}\n"))
    assert line.startswith("activities/stock/inventory.py:2 holds SQL: ")


@pytest.mark.parametrize(
    "text", ["help = 'Select orders by state.'", "why = 'update the order'", "x = 'with a reason'"]
)
def test_english_is_no_sql(text: str) -> None:
    assert statements(Source("starter/cli/orders/orders.py", text)) == []


# Named queries ------------------------------------------------------------------------------------


@dataclass
class Calls:
    """What the Python files that load one query file do with it."""

    named: set[str] = field(default_factory=set)  # as an attribute, and so called
    mentioned: set[str] = field(default_factory=set)  # as a string, for getattr
    with_arguments: list[tuple[str, str, set[str]]] = field(default_factory=list)


def queries(text: str) -> dict[str, set[str]]:
    """Query name → its parameters, as a query file declares them."""
    found = re.findall(r"^-- name: (\w+)\(([^)]*)\)[\^$!#*<]*", text, flags=re.MULTILINE)
    return {name: set(re.findall(r"\w+", parameters)) for name, parameters in found}


def declared() -> dict[str, dict[str, set[str]]]:
    """Query file → its queries."""
    return {name_of(file): queries(file.read_text(encoding="utf-8")) for file in query_files()}


def query_files() -> list[Path]:
    """The files of named queries: each stands beside a module of the store."""
    files = sorted((ROOT / "store").rglob("*.sql"))
    return [file for file in files if not {SCHEMA, MIGRATIONS_FOLDER} & set(file.parents)]


def name_of(file: Path) -> str:
    """`store/orders/events.sql` → `store/orders/events`."""
    return file.relative_to(ROOT).as_posix().removesuffix(".sql")


def calls(files: list[Source]) -> dict[str, Calls]:
    """Query file → how it is used."""
    found: dict[str, Calls] = {}
    for source in files:
        loaded = re.findall(r'load_queries\(__file__(?:, "(\w+)")?\)', source.text)
        for name in loaded:
            own = Path(source.path)
            file = own.with_name(name) if name else own.with_suffix("")
            _add_calls(found.setdefault(file.as_posix(), Calls()), source)
    return found


def _add_calls(into: Calls, source: Source) -> None:
    for node in ast.walk(source.tree):
        match node:
            case ast.Attribute(value=ast.Name(id="_sql") | ast.Call(func=ast.Name(id="_queries"))):
                into.named.add(node.attr)
            case ast.Constant(value=str() as text):
                into.mentioned.add(text)
            case ast.Call(func=ast.Attribute(value=ast.Name(id="_sql"), attr=name)):
                names = {keyword.arg for keyword in node.keywords}
                if None not in names:  # no ** among them
                    where = f"{source.path}:{node.lineno}"
                    into.with_arguments.append((where, name, {n for n in names if n is not None}))


def query_faults(declared: dict[str, dict[str, set[str]]], used: dict[str, Calls]) -> list[str]:
    """Queries that are missing, not used, or not called as they are declared."""
    found = []
    for file, names in declared.items():
        use = used.get(file, Calls())
        found += [f"{file}.sql: {n} is called and not there" for n in sorted(use.named - {*names})]
        unused = {*names} - use.named - use.mentioned
        found += [f"{file}.sql: {n} is not used" for n in sorted(unused)]
        found += [
            f"{where} gives {name} {sorted(given)}, and it takes {sorted(names[name])}"
            for where, name, given in use.with_arguments
            if name in names and given != names[name]
        ]
    return found


def test_every_query_is_there_is_used_and_gets_its_parameters() -> None:
    files, used = declared(), calls(sources("store/"))
    assert used.keys() == files.keys()
    assert all(files.values())
    assert query_faults(files, used) == []


def test_planted_query_faults_are_found() -> None:
    files = {
        "store/stock/stock": queries("-- name: take(sku, units)!\nx;\n-- name: forgotten()^\ny;")
    }
    text = "_sql = load_queries(__file__)\n_sql.take(conn, sku=1)\n_sql.gone(conn)\n"
    assert query_faults(files, calls([Source("store/stock/stock.py", text)])) == [
        "store/stock/stock.sql: gone is called and not there",
        "store/stock/stock.sql: forgotten is not used",
        "store/stock/stock.py:2 gives take ['sku'], and it takes ['sku', 'units']",
    ]


# Locked and limited -------------------------------------------------------------------------------

LOCKED_INSIDE = re.compile(
    r"\bin\s*\(\s*select\b(?:(?!;|\)\s*,\s*\w+\s+as\s*\().)*?skip locked\s*\)",
    re.IGNORECASE | re.DOTALL,
)


def locked_inside(text: str) -> list[str]:
    """Sub-selects of an `in (…)` that lock a limited number of rows.

    A plan may read such a sub-select once for each row outside. Each time it passes over the rows
    that it has taken before and takes others: more than the limit. A `with` is read once.
    """
    return [" ".join(found.split())[:60] for found in LOCKED_INSIDE.findall(text)]


def test_rows_are_locked_in_a_with_that_is_read_once() -> None:
    found = [(f.name, part) for f in query_files() for part in locked_inside(f.read_text("utf-8"))]
    assert found == []


def test_a_planted_lock_inside_is_found() -> None:
    planted = "delete from a where id in (select id from a limit :n for update skip locked)"
    assert locked_inside(planted) == ["in (select id from a limit :n for update skip locked)"]
    assert (
        locked_inside(
            f"with old as (select id from a limit 1 for update skip locked) {planted[:20]}"
        )
        == []
    )


# The schema ---------------------------------------------------------------------------------------

MIGRATIONS = sorted((ROOT / "store/migrations").rglob("*.sql"))
CHANGES = [file for file in MIGRATIONS if file not in {BASELINE, SANDBOX_BASELINE}]


def ways(text: str) -> tuple[str, str]:
    """The statements of a migration's way up and its way down, without comments."""
    bare = re.sub(r"--(?! migrate:).*", "", text)
    parts = re.fullmatch(r"\s*-- migrate:up(.*)-- migrate:down(.*)", bare, flags=re.DOTALL)
    return ("", "") if parts is None else (parts[1].strip(), parts[2].strip())


def test_a_migration_has_a_way_up_and_a_way_down() -> None:
    """But the baselines: there is nothing below them."""
    assert [file.name for file in CHANGES if not all(ways(file.read_text(encoding="utf-8")))] == []


def test_a_migration_without_a_way_down_is_found() -> None:
    assert ways("-- migrate:up\ncreate table a();\n-- migrate:down\n-- later\n")[1] == ""
    assert ways("-- migrate:up\ncreate table a();\n") == ("", "")


def test_migrations_are_named_by_when_they_were_made() -> None:
    names = [file.name for file in MIGRATIONS]
    assert [name for name in names if not re.fullmatch(r"\d{14}_[a-z_]+\.sql", name)] == []
    assert len({name[:14] for name in names}) == len(names)
    assert min(names) == BASELINE.name


def test_every_file_of_the_schema_is_in_the_grid() -> None:
    tables = {file.stem for file in SCHEMA.glob("*.sql")}
    routines = {file.stem for file in (SCHEMA / "routines").glob("*.sql")}
    assert (tables - {"sandbox"} | routines) == set(GRID)


def test_tables_are_only_made_by_the_schema() -> None:
    for file in query_files():
        text = re.sub(r"--.*", "", file.read_text(encoding="utf-8"))
        for own in re.findall(r"create temporary table if not exists (\w+)", text):
            # A connection's own for a while: it is no part of the schema.
            made = rf"(create temporary table if not|drop table if) exists {own}|truncate {own}"
            text = re.sub(made, "", text)
        assert not re.search(r"\b(create|alter|drop|truncate)\b", text, re.IGNORECASE), file.name


# What stands between words that also come before a table.
_NO_TABLE = r"""--.*|'[^']*'|\bdistinct\s+from\b|\bfor\s+(no\s+key\s+)?update\b|\bdo\s+update\b
    |\bextract\s*\(\w+\s+from\b|\blateral\b"""


def unknown_tables(text: str, known: set[str]) -> set[str]:
    """Names that statements read or write as a table, and that are none, nor one of their own."""
    bare = re.sub(_NO_TABLE, "", text.lower(), flags=re.VERBOSE)
    named = re.findall(r"\b(?:from|join|into|update)\s+([a-z_]+)\b(?!\s*\()", bare)
    own = re.findall(r"\b([a-z_]+)(?:\s*\([^()]*\))?\s+as\s+(?:not )?(?:materialized )?\(", bare)
    temporary = re.findall(r"\bcreate temporary table if not exists (\w+)", bare)
    return {*named} - known - {*own} - {*temporary}


def test_queries_name_tables_that_there_are() -> None:
    schema = "\n".join(file.read_text(encoding="utf-8") for file in SCHEMA.rglob("*.sql"))
    known = {*re.findall(r"^create (?:table|view) (\w+)", schema, flags=re.MULTILINE), "sandbox"}
    found = {
        file.name: names
        for file in (ROOT / "store/queries").glob("*.sql")
        if (names := unknown_tables(file.read_text(encoding="utf-8"), known))
    }
    assert found == {}
    assert unknown_tables("select 1 from parcel p join stock using (x)", known) == {"parcel"}


def foreign_references(capability: str, text: str, made_by: dict[str, str]) -> list[str]:
    """Tables right of its own that a file of the schema refers to."""
    found = re.findall(r"\breferences (\w+)", re.sub(r"--.*", "", text))
    at = GRID.index(capability)
    return [table for table in found if GRID.index(made_by[table]) > at]


def test_a_table_refers_only_to_tables_left_of_it() -> None:
    texts = {name: (SCHEMA / f"{name}.sql") for name in GRID}
    files = {
        name: file.read_text(encoding="utf-8") for name, file in texts.items() if file.exists()
    }
    made_by = {
        table: name
        for name, text in files.items()
        for table in re.findall(r"^create table (\w+)", text, flags=re.MULTILINE)
    }
    assert len(made_by) > 30
    assert {
        n: found for n, t in files.items() if (found := foreign_references(n, t, made_by))
    } == {}
    planted = "create table a (sku text references stock); -- references supplier"
    assert foreign_references("orders", planted, made_by) == ["stock"]
