"""The seller by the command line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import beancount.loader
import pytest

from tests.support.builders import a_document, a_policy, an_order
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
    assert tried.out == "dry run: 1 seller set: main\n"
    assert still.out == none.out
    assert told.out == "1 seller set: main\n"
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
        (
            {"series": {"invoice": {"format": "INV-{year}"}}},
            "sellers[0].series.invoice.format: must hold {number} once",
        ),
        (
            {"series": {"credit_note": {"format": "INV-{year}-{number}"}}},
            "could give the same number as the invoices' INV-{year}-{number:6}",
        ),
        ({"languages": ["fr"]}, "sellers[0].languages[0]: "),
        ({"currency": "EURO"}, "sellers[0].currency: "),
    ],
)
async def test_a_seller_that_is_wrong_names_the_fault_and_changes_nothing(
    cli: Cli, tmp_path: Path, seller: dict[str, Any], told: str
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


TWO = {
    "sellers": [
        {
            "seller": "de",
            "name": "Tee GmbH",
            "currency": "EUR",
            "time_zone": "Europe/Berlin",
            "languages": ["de"],
            "series": {"invoice": {"format": "RE{number:5}", "first": 4711}},
        },
        {"seller": "us", "name": "Tea Inc.", "currency": "USD", "time_zone": "America/New_York"},
    ]
}


async def test_two_sellers_have_orders_documents_and_books_of_their_own(
    cli: Cli, shop: Shop, tmp_path: Path
) -> None:
    file, ours = tmp_path / "sellers.json", tmp_path / "channels.json"
    file.write_text(json.dumps(TWO), encoding="utf-8")
    channel = {"channel": "shopus", "kind": "web", "seller": "us", "currencies": ["USD"]}
    ours.write_text(json.dumps({"channels": [channel]}), encoding="utf-8")
    tried, told, _ = await cli.many(
        ("sellers", "import", str(file), "--dry-run"),
        ("sellers", "import", str(file)),
        ("channels", "import", str(ours)),
    )
    assert (tried.out, told.out) == (f"dry run: {told.out}", "2 sellers set: de, us\n")
    shown = (await cli.done("sellers", "show", "de")).out
    assert "de: Tee GmbH" in shown
    assert "invoices: RE{number:5}, beginning with 4711" in shown
    await cli.done("locations", "add", "main", "--seller", "de")
    await shop.stocked("TEA", 9)
    german = a_document(("TEA", 2, "11.90"), currency="EUR", prices_include_tax=True)
    american = a_document(("TEA", 2, "11.90"), channel="shopus")
    for document in (german, american):
        order = tmp_path / "order.json"
        order.write_text(json.dumps(document), encoding="utf-8")
        await cli.done("place", str(order))
        await shop.drive(f"{document['channel']}-{document['channel_order_id']}:1", "delivered")
    listed = (await cli.done("invoices", "--json")).json["documents"]
    numbers = {one["seller"]: one["number"] for one in listed}
    assert numbers["de"] == "RE04711"
    assert numbers["us"].startswith("INV-")
    assert (await cli.done("invoice", "RE04711", "--json")).json["language"] == "de"
    (only,) = (await cli.done("invoices", "--seller", "us", "--json")).json["documents"]
    assert only["number"] == numbers["us"]
    (order_of_us,) = (await cli.done("orders", "--seller", "us", "--json")).json["orders"]
    assert order_of_us["order_id"].startswith("shopus-")
    month = f"{datetime.now(UTC):%Y-%m}"
    both, one, taxes, unclear, which, unknown = await cli.many(
        ("ledger", "balance"),
        ("ledger", "balance", "--seller", "us", "--json"),
        ("ledger", "tax-report", "--month", month, "--json"),
        ("ledger", "close", "--through", "2026-01-31"),
        ("ledger", "export", "--format", "beancount"),
        ("ledger", "balance", "--seller", "uk"),
    )
    assert [line for line in both.out.splitlines() if line.endswith((" GmbH", " Inc."))] == [
        "de: Tee GmbH",
        "us: Tea Inc.",
    ]
    (books,) = one.json["sellers"]
    assert (books["seller"], set(books["sums"])) == ("us", {"USD"})
    assert [report["seller"] for report in taxes.json["sellers"]] == ["de", "us"]
    for refused in (unclear, which):
        assert refused.code == 2
        assert "--seller: there are several sellers, de, us: say which" in refused.err
    assert (unknown.code, "there is no seller uk; there is de, us" in unknown.err) == (1, True)
    closed = await cli.done("ledger", "close", "--seller", "us", "--through", "2026-01-31")
    assert closed.out == "us is closed through 2026-01-31\n"
    for seller, currency in (("de", "EUR"), ("us", "USD")):
        books = tmp_path / f"{seller}.beancount"
        await cli.done(
            *("ledger", "export", "--seller", seller, "--format", "beancount", "--out", str(books))
        )
        _, errors, options = beancount.loader.load_file(str(books))
        assert errors == []
        assert options["operating_currency"] == [currency]
    entries = (await cli.done("ledger", "entries", "--json")).json["entries"]
    assert {
        (entry["seller"], posting["currency"]) for entry in entries for posting in entry["postings"]
    } == {("de", "EUR"), ("us", "USD")}
    retired = await cli("sellers", "retire", "us")
    assert (retired.code, "us still sells by shopus" in retired.err) == (1, True)
    ended, gone, again = await cli.many(
        ("channels", "retire", "shopus"),
        ("sellers", "retire", "us"),
        ("sellers", "reopen", "us"),
    )
    assert ended.code == 0
    assert gone.out == "us takes no new orders\n"
    assert again.out == "us takes new orders again\n"
    assert (await cli.done("audit")).out.splitlines()[-1] == "audit: clean"
    assert (await cli.done("audit", "--seller", "us")).out.splitlines()[-1] == "audit: clean"
    assert "there is no seller uk" in (await cli("audit", "--seller", "uk")).err
