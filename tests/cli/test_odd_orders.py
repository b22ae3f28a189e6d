"""Orders as real shops send them, by the command line: none is lost for what is optional."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from domain.orders.messages import CancelRequest
from starter.channels.northwind import ORDER_COLUMNS
from tests.support.builders import QUICK, a_document
from tests.support.command_line import Cli
from tests.support.shop import Shop

MAILS = ["ada..probe@docomo.ne.jp", "ada.@docomo.ne.jp", "kasse@laden.local", ""]
PHONES = [
    "+1 555 010 0123 ext. 12",
    "555-010-0123 x12",
    "\uff10\uff19\uff10\uff0d\uff15",
    "555\u2011010\u20110123",
    "",
]
LOCALES = ["de_DE", "en-us", "nl_NL_formal", "", "DE", "zh-hant-tw", "de-DE-1996"]
ADDRESSES = [
    {"line1": "Probeweg 1\nHinterhaus 2"},
    {"line1": "Probeweg\t1"},
    {"name": "\u202b\u062f\u0627\u202c"},
    {"name": "\u2068Dana\u2069"},
    {"line2": ""},
    {"country": "XK", "city": "Prishtina"},
]


SKUS = [
    *("123456 OAK", 'PIPE-3/4"', "Büro-1", "A+B", "#12", "M\uff06L"),
    *("A:1:2", "50%", "it's", "a,b;c", "x=2", "a@b", "茶 100g", "🍵", "<b>&amp;*_`[1](x)"),
]
"""As merchants have them."""


def an_odd_order(customer: dict[str, Any], address: dict[str, Any]) -> dict[str, Any]:
    document = a_document(("TEA", 1))
    document["customer"] |= customer
    document["shipping"]["address"] |= address
    return document


async def test_no_order_is_lost_for_what_is_optional_or_free(
    cli: Cli, shop: Shop, tmp_path: Path
) -> None:
    await shop.stocked("TEA", 50)
    sent = [
        *(an_odd_order({"email": mail}, {}) for mail in MAILS),
        *(an_odd_order({"phone": phone}, {}) for phone in PHONES),
        *(an_odd_order({"locale": locale}, {}) for locale in LOCALES),
        *(an_odd_order({}, address) for address in ADDRESSES),
        an_odd_order({"phone": 4930123456, "email": "ada"}, {"line2": "x" * 600}),
    ]
    file = tmp_path / "orders.jsonl"
    file.write_text("\n".join(map(json.dumps, sent)), encoding="utf-8")
    placed = (await cli.done("place", str(file), "--json")).json
    assert (placed["problems"], placed["summary"]) == ([], {"confirmed": len(sent)})

    clean, odd = (placed["orders"][at]["order_id"] for at in (0, -1))
    (plain, told, listed) = await cli.many(
        ("events", clean),
        ("events", odd),
        ("show", odd, "--json"),
    )
    assert "left out" not in plain.out
    assert "customer.email was left out: it must be a mail address with one @" in told.out
    assert "customer.phone was left out: it must be text" in told.out
    assert "shipping.address.line2 was cut after 300 characters" in told.out
    assert "4930123456" not in told.out
    assert listed.json["document"]["customer"]["email"] is None
    for order in placed["orders"]:
        await shop.aftersales.cancel(order["order_id"], CancelRequest(reason="tried"))
    await shop.settled()


async def test_kosovo_is_a_country_in_orders_promises_lanes_and_exports(
    cli: Cli, shop: Shop, tmp_path: Path
) -> None:
    await shop.stocked("TEA", 5, "probe-xk")
    await shop.stocked("NW-1", 5, "probe-xk")
    lane = {"country": "XK", "cost": "9.00", "currency": "EUR", "transit_days": 4}
    file = tmp_path / "locations.json"
    file.write_text(
        json.dumps({"locations": [{"location": "probe-xk", "lanes": [lane]}]}), encoding="utf-8"
    )
    await cli.done("locations", "import", str(file))
    row = dict.fromkeys(ORDER_COLUMNS, "1") | {
        "order_id": "90003",
        "customer_id": "PROBE",
        "order_date": "2026-11-27",
        "required_date": "",
        "discount": "0.00",
        "ship_country": "Kosovo",
    }
    export = tmp_path / "northwind.csv"
    export.write_text(f"{','.join(row)}\n{','.join(row.values())}\n", encoding="utf-8")
    promised, placed = await cli.many(
        ("promise", "TEA", "1", "--country", "XK", "--json"), ("place", str(export), "--json")
    )
    assert promised.json["promised"][0]["promise"]["arrives_on"] is not None
    assert placed.json["summary"] == {"confirmed": 1}
    await shop.aftersales.cancel("b2b-90003", CancelRequest(reason="tried"))
    await shop.settled()


def table(*rows: tuple[Any, ...]) -> str:
    """The rows as a CSV file."""
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue()


async def test_skus_as_merchants_have_them_go_all_the_way(
    cli: Cli, shop: Shop, tmp_path: Path
) -> None:
    files = {
        "stock": table(("sku", "location", "quantity"), *((sku, "main", 5) for sku in SKUS)),
        "items": table(("sku", "name"), *((sku, "Thing") for sku in SKUS)),
        "kits": table(("kit", "part", "units"), *((f"kit of {sku}", sku, 1) for sku in SKUS)),
        "suppliers": table(
            ("supplier", "name", "sku", "lead_time_days", "unit_price", "currency"),
            *(("maker", "Maker", sku, 7, "2.50", "EUR") for sku in SKUS),
        ),
        "levels": table(
            ("sku", "location", "reorder_point", "order_up_to"),
            *((sku, "main", 0, 9) for sku in SKUS),
        ),
        "order": json.dumps(a_document(*((sku, 2) for sku in SKUS))),
        "sets": json.dumps(a_document(*((f"kit of {sku}", 1) for sku in SKUS))),
    }
    paths = {name: str(tmp_path / name) for name in files}
    for name, content in files.items():
        Path(paths[name]).write_text(content, encoding="utf-8")
    policy = tmp_path / "policy.json"
    policy.write_text(QUICK.model_dump_json(), encoding="utf-8")
    for command in (
        *(("locations", "add", "main"), ("locations", "add", "shop")),
        *(("stock", "import", paths["stock"]), ("items", "import", paths["items"])),
        *(("kits", "import", paths["kits"]), ("suppliers", "import", paths["suppliers"])),
        ("stock", "import-levels", paths["levels"]),
    ):
        await cli.done(*command)
    placed = await cli.done("place", paths["order"], "--policy", str(policy), "--json")
    sets = await cli.done("place", paths["sets"], "--policy", str(policy), "--json")
    assert placed.json["summary"] == sets.json["summary"] == {"confirmed": 1}

    listed = (await cli.done("stock", "list", "--json")).json["stock"]
    assert {one["sku"]: one["available"] for one in listed} == dict.fromkeys(SKUS, 2)
    everything = [f"{sku}=1" for sku in SKUS]
    moved, held, bought = await cli.many(
        ("stock", "transfer", "main", "shop", *everything, "--id", "T-1", "--json"),
        ("baskets", "hold", "B-1", *everything, "--json"),
        ("purchase-orders", "propose", "maker", *everything, "--id", "P-1", "--json"),
    )
    assert (moved.code, held.code, bought.code) == (0, 0, 0), (moved.err, held.err, bought.err)
    pages: list[str] = []
    begin: tuple[str, ...] = ()
    while True:  # the odd name at the end of a page leads to the next
        page = (await cli.done("stock", "levels", "--limit", "4", "--json", *begin)).json
        pages += [one["sku"] for one in page["levels"]]
        if not page["more"]:
            break
        begin = ("--after", page["after"])
    assert sorted(pages) == sorted(SKUS)
    for order in (*placed.json["orders"], *sets.json["orders"]):
        await shop.finish(order["order_id"])
    await shop.settled()
    for sku in SKUS[3:6]:
        history = await cli.done("stock", "history", sku, "--json")
        assert sum(one["on_hand_change"] for one in history.json["movements"]) == 5 - 2 - 1 - 1
