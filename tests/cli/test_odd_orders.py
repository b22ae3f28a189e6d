"""Orders as real shops send them, by the command line: none is lost for what is optional."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from domain.orders.messages import CancelRequest
from starter.channels.northwind import ORDER_COLUMNS
from tests.support.builders import a_document
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
    assert "shipping.address.line2 was cut after 500 characters" in told.out
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
