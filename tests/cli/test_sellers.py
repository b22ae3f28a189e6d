"""The seller by the command line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.support.builders import a_policy, an_order
from tests.support.command_line import EXAMPLES, Cli
from tests.support.shop import Shop


async def test_the_seller_is_imported_listed_and_imported_as_listed(
    cli: Cli, tmp_path: Path
) -> None:
    none, tried, still, told, table, listed = await cli.many(
        ("sellers", "list"),
        ("sellers", "import", str(EXAMPLES / "sellers.json"), "--dry-run"),
        ("sellers", "list"),
        ("sellers", "import", str(EXAMPLES / "sellers.json")),
        ("sellers", "list"),
        ("sellers", "list", "--json"),
    )
    assert "no seller is set: `orderloom sellers import`" in " ".join(none.out.split())
    assert tried.out == "dry run: main is Tea & Sons GmbH, in Europe/Berlin\n"
    assert still.out == none.out
    assert told.out == "main is Tea & Sons GmbH, in Europe/Berlin\n"
    assert "Lindenstrasse 5, 10969 Berlin, DE" in " ".join(table.out.split())
    copy = tmp_path / "copy.json"
    copy.write_text(listed.out, encoding="utf-8")
    again, same = await cli.many(
        ("sellers", "import", str(copy), "--json"), ("sellers", "list", "--json")
    )
    assert again.json == {"sellers": ["main"]}
    assert same.out == listed.out


@pytest.mark.parametrize(
    ("seller", "told"),
    [
        ({"time_zone": "Mars/Olympus"}, "sellers[0].time_zone: must be an IANA time zone"),
        ({"seller": "my-shop"}, "sellers[0].seller: must be 2 to 16 small letters and digits"),
        ({"country": "Germany"}, "sellers[0].country: must be an ISO 3166-1 alpha-2 country code"),
        ({"vat": "DE1"}, "sellers[0].vat: "),
    ],
)
async def test_a_seller_that_is_wrong_names_the_fault_and_changes_nothing(
    cli: Cli, tmp_path: Path, seller: dict[str, str], told: str
) -> None:
    file = tmp_path / "sellers.json"
    file.write_text(json.dumps({"sellers": [{"name": "Tea", **seller}]}), encoding="utf-8")
    before = (await cli.done("sellers", "list", "--json")).out
    ended = await cli("sellers", "import", str(file))
    assert ended.code == 2
    assert told in ended.err
    assert (await cli.done("sellers", "list", "--json")).out == before


async def test_what_is_sold_is_dated_and_booked_by_the_sellers_calendar(
    cli: Cli, shop: Shop, tmp_path: Path
) -> None:
    """In one of two zones it is another day than by UTC, whatever the hour."""
    now = datetime.now(UTC)
    zone = "Pacific/Kiritimati" if now.hour >= 10 else "Etc/GMT+12"
    day = now.astimezone(ZoneInfo(zone)).date()
    file = tmp_path / "sellers.json"
    file.write_text(
        json.dumps({"sellers": [{"name": "Tea & Sons", "time_zone": zone}]}), encoding="utf-8"
    )
    await cli.done("sellers", "import", str(file))
    await shop.stocked("TEA", 5)
    order = an_order(("TEA", 1))
    await shop.drive(await shop.placed(order, a_policy(return_window=0.01)), "delivered")
    (invoice,) = (await cli.done("invoices", "--json")).json["documents"]
    assert invoice["issued_on"] == str(day)
    issued = (await cli.done("invoice", invoice["number"], "--json")).json
    assert (issued["supplied_on"], issued["seller"]["name"]) == (str(day), "Tea & Sons")
    entries = (await cli.done("ledger", "entries", "--json")).json["entries"]
    assert {entry["booked_on"] for entry in entries} == {str(day)}
    assert (await cli.done("audit")).out.splitlines()[-1] == "audit: clean"
