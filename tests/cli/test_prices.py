"""Prices as shops have them, by the command line: finer than a cent, and with tax in them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from domain.orders.return_messages import ReturnRequest
from domain.stock.locations import Location
from tests.support.builders import QUICK, a_document, shipping
from tests.support.command_line import Cli
from tests.support.shop import Shop


def lines_of(text: str) -> list[str]:
    """Each line with one space between its cells."""
    return [" ".join(line.split()) for line in text.splitlines()]


async def placed_and_sent(
    cli: Cli, shop: Shop, folder: Path, document: dict[str, Any], *, ends: bool = True
) -> tuple[str, str]:
    """Places the order and lets it go out. Returns its id and its invoice's number.

    `ends`: its return window is over at once.
    """
    policy = folder / "policy.json"
    rules = QUICK if ends else QUICK.model_copy(update={"return_window": timedelta(days=1)})
    policy.write_text(rules.model_dump_json(), encoding="utf-8")
    file = folder / "order.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    placed = await cli.done("place", str(file), "--policy", str(policy), "--json")
    assert placed.json["summary"] == {"confirmed": 1}
    (order,) = placed.json["orders"]
    if ends:
        await shop.finish(order["order_id"])
    else:
        await shop.drive(f"{order['order_id']}:1", "delivered")
        await shop.heard(order["order_id"], "delivered", 1)
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
    balance = (await cli.done("ledger", "balance", "--json")).json["sellers"][0]["balance"]
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
        balance = (await cli.done("ledger", "balance", "--json")).json["sellers"][0]["balance"]
        costs = {entry["account"]: entry["amount"] for entry in balance}
        booked.append((costs["inventory"], costs.get("cost_of_goods_sold", "0.00")))
    assert booked == [("85.00", "0.00"), ("83.30", "1.70")]
    await shop.settled()


CASE: dict[str, Any] = {
    "line_id": "1",
    "sku": "PROBE",
}


def one_line(currency: str, line: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return a_document(currency=currency, lines=[{**CASE, **line}], shipping=shipping("0"), **fields)


# What a shop sends whose prices include tax, and how its invoice prints the line: price, discount,
# net, tax.
GROSS = {
    "exact to six decimals": (
        one_line(
            "TND",
            {"quantity": 12, "unit_price": "66.386554", "tax": "151.361"},
            total="948.000",
        ),
        ("66.386554", "0.000", "796.639", "151.361"),
    ),
    "rounded up, with the difference as a discount": (
        one_line(
            "TND",
            {"quantity": 12, "unit_price": "66.387", "discount": "0.005", "tax": "151.361"},
            total="948.000",
        ),
        ("66.386583", "0.000", "796.639", "151.361"),
    ),
    "rounded up, in euros": (
        one_line(
            "EUR",
            {"quantity": 3, "unit_price": "8.41", "discount": "0.02", "tax": "4.79"},
            total="30.00",
        ),
        ("8.403333", "0.00", "25.21", "4.79"),
    ),
    "as it is, in dinars": (
        one_line(
            "TND",
            {"quantity": 12, "unit_price": "79.000", "tax_rate": "19"},
            prices_include_tax=True,
            total="948.000",
        ),
        ("79.000", "0.000", "796.639", "151.361"),
    ),
    "as it is, in euros": (
        one_line(
            "EUR",
            {"quantity": 3, "unit_price": "10.00", "tax_rate": "19"},
            prices_include_tax=True,
            total="30.00",
        ),
        ("10.00", "0.00", "25.21", "4.79"),
    ),
}


async def test_a_shop_whose_prices_include_tax_has_them_exact_and_no_discount_that_nobody_gave(
    cli: Cli, shop: Shop, tmp_path: Path
) -> None:
    await shop.stocked("PROBE", 100)
    for document, expected in GROSS.values():
        order, number = await placed_and_sent(cli, shop, tmp_path, document)
        told = (await cli.done("invoice", number, "--json")).json
        (line,) = told["lines"]
        printed = (line["unit_price"], line["discount"], line["net"], line["tax"])
        assert (printed, told["total"]) == (expected, document["total"])
        assert f"total {document['total']}" in (await cli.done("show", order)).out
        assert "discount 0" not in (await cli.done("invoice", number)).out
    await shop.settled()


async def test_tax_is_reported_by_rate_as_documents_and_books_have_it_also_after_a_return(
    cli: Cli, shop: Shop, tmp_path: Path
) -> None:
    await shop.stocked("TEA", 10)
    await shop.stocked("BOOK", 10)
    document = a_document(
        ("TEA", 3, "10.00"), ("BOOK", 2, "7.50"), currency="EUR", prices_include_tax=True
    )
    document["lines"][0] |= {"tax_rate": "19"}
    document["lines"][1] |= {"tax_rate": "7", "tax_category": "reduced"}
    document["shipping"] = shipping("4.90", tax_rate="19") | {"tax": None}
    document["rounding"] = "-0.02"
    order, number = await placed_and_sent(cli, shop, tmp_path, document, ends=False)
    month = f"{datetime.now(UTC):%Y-%m}"
    report = ("ledger", "tax-report", "--month", month)
    page, told, shown, wrong = await cli.many(
        report, (*report, "--json"), ("invoice", number), ("ledger", "tax-report", "--month", "11")
    )
    assert {
        "19 % 29.33 5.57 34.90 EUR",
        "7 % reduced 14.02 0.98 15.00 EUR",
        (
            "sum: net 43.35 EUR, tax 6.55 EUR, rounding -0.02 EUR, gross 49.88 EUR; "
            "booked as tax: 6.55 EUR"
        ),
    } <= set(lines_of(page.out))
    assert {
        "7 % reduced 14.02 EUR 0.98 EUR 15.00 EUR",
        "unit prices and discounts include tax",
        "rounding: -0.02 EUR",
        "total: 49.88 EUR",
    } <= set(lines_of(shown.out))
    assert told.json["sellers"][0]["sums"][0]["booked"] == "6.55"
    assert (wrong.code, "must be a month" in wrong.err) == (2, True)
    balance = (await cli.done("ledger", "balance", "--json")).json["sellers"][0]["balance"]
    assert {one["account"]: one["amount"] for one in balance} == {
        "cash_in_transit": "49.88",
        "revenue": "-39.23",
        "shipping_income": "-4.12",
        "rounding": "0.02",
        "tax_payable": "-6.55",
    }

    await cli.done("refund", order, "--line", "2=2", "--reason", "misprinted")
    after = (await cli.done(*report, "--json")).json["sellers"][0]
    assert [(one["rate"], one["net"], one["tax"]) for one in after["rates"]] == [
        ("19", "29.33", "5.57"),
        ("7", "0.00", "0.00"),
    ]
    assert after["sums"][0]["booked"] == after["sums"][0]["tax"] == "5.57"
    file = tmp_path / "books.beancount"
    await cli.done("ledger", "export", "--format", "beancount", "--out", str(file))
    assert "Income:Rounding" in file.read_text(encoding="utf-8")
    assert (await cli.done("audit")).out.splitlines()[-1] == "audit: clean"
    back = await shop.aftersales.request_return(order, ReturnRequest(reason="all of it"))
    await shop.task("receive-return", back.return_id or "")
    await shop.warehouse.receive_return(back.return_id or "", who="receiver")
    await shop.settled()


async def test_tax_that_does_not_agree_with_its_rate_is_refused_with_what_was_expected(
    cli: Cli, shop: Shop, tmp_path: Path
) -> None:
    file = tmp_path / "order.json"
    document = one_line("EUR", {"quantity": 3, "unit_price": "10.00", "tax": "5.70"})
    document["lines"][0]["tax_rate"] = "7"
    file.write_text(json.dumps(document), encoding="utf-8")
    ended = await cli("place", str(file))
    assert ended.code == 2
    assert "lines[0].tax: is 5.70, but at 7 % the tax on 30.00 is 2.10" in ended.err
