"""Prices as shops have them, by the command line: finer than a cent, and with tax in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from domain.stock.locations import Location
from tests.support.builders import QUICK, a_document, shipping
from tests.support.command_line import Cli
from tests.support.shop import Shop


def lines_of(text: str) -> list[str]:
    """Each line with one space between its cells."""
    return [" ".join(line.split()) for line in text.splitlines()]


async def placed_and_sent(
    cli: Cli, shop: Shop, folder: Path, document: dict[str, Any]
) -> tuple[str, str]:
    """Places the order and lets it go out. Returns its id and its invoice's number."""
    policy = folder / "policy.json"
    policy.write_text(QUICK.model_dump_json(), encoding="utf-8")
    file = folder / "order.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    placed = await cli.done("place", str(file), "--policy", str(policy), "--json")
    assert placed.json["summary"] == {"confirmed": 1}
    (order,) = placed.json["orders"]
    await shop.finish(order["order_id"])
    (invoice,) = (await cli.done("invoices", order["order_id"], "--json")).json["documents"]
    return order["order_id"], invoice["number"]


async def test_a_unit_price_below_a_cent_is_paid_printed_and_shown_as_it_was_written(
    cli: Cli, shop: Shop, tmp_path: Path
) -> None:
    await shop.stocked("PROBE", 2000)
    document = a_document(
        ("PROBE", 1000, "0.125"), currency="EUR", shipping=shipping("0"), total="125.00"
    )
    order, number = await placed_and_sent(cli, shop, tmp_path, document)
    shown, page, told = await cli.many(
        ("show", order), ("invoice", number), ("invoice", number, "--json")
    )
    assert "total 125.00 EUR" in shown.out
    assert "1 PROBE 0.125 125.00 EUR 1000 1000 1000" in lines_of(shown.out)
    assert "PROBE 1000 0.125 EUR 125.00 EUR 0.00 EUR 125.00 EUR" in lines_of(page.out)
    (line,) = told.json["lines"]
    assert (line["unit_price"], line["discount"], line["net"]) == ("0.125", "0.00", "125.00")
    await shop.settled()


async def test_what_a_supplier_asks_below_a_cent_is_exact_on_the_order_and_in_the_books(
    cli: Cli, shop: Shop, tmp_path: Path
) -> None:
    terms = tmp_path / "suppliers.csv"
    terms.write_text(
        "supplier,sku,lead_time_days,unit_price,currency\n"
        "probe-supplier,PROBE,3,0.89404,USD\nprobe-supplier,SCREW,3,0.125,USD\n",
        encoding="utf-8",
    )
    await shop.locations.save([Location(location="main")])
    await cli.done("suppliers", "import", str(terms))
    supplier = await cli.done("suppliers", "show", "probe-supplier")
    assert "PROBE 3 1 1 0.89404 USD 100" in lines_of(supplier.out)
    await cli.done("purchase-orders", "propose", "probe-supplier", "PROBE=1000", "--id", "P-1")
    x12, bought = await cli.many(
        ("purchase-orders", "document", "P-1", "--x12"),
        ("purchase-orders", "show", "P-1", "--json"),
    )
    assert "PO1*1*1000*EA*0.89404**BP*PROBE~" in x12.out
    assert "AMT*TT*894.04~" in x12.out
    assert bought.json["lines"][0]["unit_price"] == "0.89404"

    # What comes in parts costs as much as if it came whole: 0.375 is 0.38.
    await cli.done("purchase-orders", "propose", "probe-supplier", "SCREW=3", "--id", "P-2")

    async def is_sent() -> bool:
        return (await shop.purchasing.order("P-2")).state == "sent"

    await shop.until(is_sent, "P-2 to be sent")
    for _ in range(3):
        await cli.done("purchase-orders", "receive", "P-2", "--count", "SCREW=1")
    balance = (await cli.done("ledger", "balance", "--json")).json["balance"]
    assert {one["account"]: one["amount"] for one in balance} == {
        "inventory": "0.38",
        "purchases": "-0.38",
    }


async def test_what_a_unit_cost_below_a_cent_is_whole_in_the_books_and_leaves_by_its_share(
    cli: Cli, shop: Shop, tmp_path: Path
) -> None:
    file = tmp_path / "stock.csv"
    file.write_text(
        "sku,location,quantity,unit_cost,currency\nSCREW,main,10000,0.0085,USD\n", encoding="utf-8"
    )
    await cli.done("stock", "import", str(file))
    one = a_document(("SCREW", 1, "1.00"))
    more = a_document(("SCREW", 200, "1.00"))
    booked = []
    for document in (one, more):
        await placed_and_sent(cli, shop, tmp_path, document)
        balance = (await cli.done("ledger", "balance", "--json")).json["balance"]
        costs = {entry["account"]: entry["amount"] for entry in balance}
        booked.append((costs["inventory"], costs.get("cost_of_goods_sold", "0.00")))
    assert booked == [("85.00", "0.00"), ("83.30", "1.70")]
    await shop.settled()
