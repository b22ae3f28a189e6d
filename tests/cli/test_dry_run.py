"""A dry run of every import says what the import then does, and changes nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from domain.stock.locations import Location
from tests.support.builders import a_document
from tests.support.command_line import EXAMPLES, Cli
from tests.support.shop import Shop

# An import, an example that it takes, and a row that is wrong.
IMPORTS = {
    ("stock", "import"): ("stock.csv", "TIN,nowhere,1"),
    ("items", "import"): ("items.csv", "TIN,,perhaps,,"),
    ("kits", "import"): ("kits.csv", "BOX,BOX,1"),
    ("suppliers", "import"): ("suppliers.csv", "TIN"),
    ("stock", "import-levels"): ("levels.csv", "TIN,nowhere,1,2,"),
    ("purchase-orders", "import"): ("on-order.csv", "nobody,TIN,main,1,2026-12-08"),
}


COUNTED = (
    *("public.day_count", "public.day_figure", "public.day_loss"),
    *("public.stock_demand", "public.stock_count", "public.book_day", "public.book_day_account"),
)
"""What the worker beside the commands counts by itself."""


async def content(database_url: str) -> dict[str, list[str]]:
    """All rows of all tables that people and commands change."""
    connection = await asyncpg.connect(database_url)
    try:
        tables = await connection.fetch(
            "select format('%I.%I', schemaname, tablename) as name from pg_tables "
            "where schemaname not in ('pg_catalog', 'information_schema') order by 1"
        )
        return {
            name: sorted(
                row["t"] for row in await connection.fetch(f"select t::text as t from {name} t")
            )
            for name in (table["name"] for table in tables)
            if name not in COUNTED
        }
    finally:
        await connection.close()


def told(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in ("dry_run", "entered")}


@pytest.mark.parametrize("wrong", [False, True])
async def test_a_dry_run_tells_what_the_import_does_and_changes_nothing(
    cli: Cli, shop: Shop, database_url: str, tmp_path: Path, wrong: bool
) -> None:
    await shop.locations.save([Location(location="main"), Location(location="outlet")])
    for command, (example, row) in IMPORTS.items():
        file = tmp_path / example
        text = (EXAMPLES / example).read_text(encoding="utf-8")
        file.write_text(text + (f"{row}\n" if wrong else ""), encoding="utf-8")
        before = await content(database_url)
        dry = await cli(*command, str(file), "--dry-run", "--json")
        people = await cli(*command, str(file), "--dry-run")
        assert await content(database_url) == before, command
        real = await cli(*command, str(file), "--json")
        assert await content(database_url) != before, command
        assert (dry.code, people.code) == (real.code, real.code) == (2 * wrong, 2 * wrong), command
        assert dry.json["dry_run"] is True
        assert told(dry.json) == told(real.json)
        assert len(dry.json.get("entered", [])) == len(real.json.get("entered", []))
        assert all(line.startswith("dry run: ") for line in people.out.splitlines())
        assert ("nothing was changed, as this was a dry run" in people.err) is wrong


async def test_a_dry_run_of_locations_changes_none(
    cli: Cli, shop: Shop, database_url: str, tmp_path: Path
) -> None:
    before = await content(database_url)
    file = str(EXAMPLES / "locations.json")
    dry = await cli.done("locations", "import", file, "--dry-run")
    assert dry.out == "dry run: 2 locations set\n"
    assert await content(database_url) == before
    bad = tmp_path / "locations.json"
    bad.write_text('{"locations": [{"location": "a b"}]}', encoding="utf-8")
    assert (await cli("locations", "import", str(bad), "--dry-run")).code == 2


async def test_a_dry_run_of_orders_says_which_can_be_read(
    cli: Cli, shop: Shop, database_url: str
) -> None:
    good = json.dumps(a_document(("TEA", 1)))
    before = await content(database_url)
    dry = await cli.done("place", "-", "--dry-run", stdin=f"\ufeff{good}\n")
    assert [line.split()[-1] for line in dry.out.splitlines()] == ["readable", "readable"]
    mixed = await cli("place", "-", "--dry-run", "--json", stdin=f'{good}\n{{"channel": 1}}\n')
    assert mixed.code == 2
    assert mixed.json["summary"] == {"malformed": 1, "readable": 1}
    assert await content(database_url) == before
