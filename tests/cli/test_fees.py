"""Fees by the command line: the example of the page about prices, as it is placed and printed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.cli.test_prices import lines_of, placed_and_sent
from tests.support.builders import a_document, shipping
from tests.support.command_line import Cli
from tests.support.printed import pages
from tests.support.shop import Shop

PAGE = Path(__file__).parents[2] / "docs/prices.md"


def the_example() -> tuple[dict[str, Any], list[str]]:
    """The part of an order on the page, and the lines of its invoice there."""
    section = PAGE.read_text(encoding="utf-8").split("\n## Fees\n")[1]
    (order,) = re.findall(r"^```json\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    (table,) = re.findall(r"^```text\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    return json.loads(order), lines_of(table)


async def test_the_pages_example_is_shown_and_invoiced_as_it_stands_there(
    cli: Cli, shop: Shop, tmp_path: Path
) -> None:
    example, table = the_example()
    await shop.stocked("TEA", 9)
    document = {**a_document(), "shipping": shipping("0"), **example}
    order, number = await placed_and_sent(cli, shop, tmp_path, document)
    file = tmp_path / "invoice.pdf"
    shown, page, told, _, balance = await cli.many(
        ("show", order),
        ("invoice", number),
        ("invoice", number, "--json"),
        ("invoice", number, "--pdf", str(file)),
        ("ledger", "balance", "--json"),
    )
    assert {
        "total 34.99 EUR",
        "fee Gift wrap: 3.00 EUR",
        "fee Cash on delivery: 1.99 EUR",
    } <= {line.split(",")[0] for line in lines_of(shown.out)}
    assert len(table) == 5
    assert set(table) <= set(lines_of(page.out))
    assert told.json["fees"][0] == {
        "name": "Gift wrap",
        "tax_rate": "19",
        "tax_category": None,
        "net": "2.52",
        "tax": "0.48",
        "total": "3.00",
    }
    assert (told.json["shipping"], told.json["net"]) == ("0.00", "32.23")
    printed = " ".join(pages(file.read_bytes())[0].split())
    assert re.search(r"Cash on delivery \S+ 19 % 1\.67 0\.32 1\.99", printed)
    books = {one["account"]: one["amount"] for one in balance.json["sellers"][0]["balance"]}
    assert (books["shipping_income"], books["tax_payable"]) == ("-4.19", "-2.76")
    await shop.settled()


async def test_a_fee_that_cannot_be_is_refused_with_its_place(cli: Cli, tmp_path: Path) -> None:
    example, _ = the_example()
    example["fees"][1] |= {"amount": "-1.99", "price": "1.99"}
    del example["fees"][0]["name"]
    file = tmp_path / "order.json"
    file.write_text(json.dumps({**a_document(), **example}), encoding="utf-8")
    ended = await cli("place", str(file))
    assert ended.code == 2
    for place in ("fees[0].name", "fees[1].amount", "fees[1].price"):
        assert place in ended.err
