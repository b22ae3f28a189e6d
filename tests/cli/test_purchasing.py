"""Buying by the command line, from a supplier's terms to goods on the shelf."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from domain.purchasing.purchase_orders import PurchasingPolicy
from domain.stock.items import Item
from domain.stock.locations import Location
from tests.support import printed
from tests.support.command_line import EXAMPLES, Cli
from tests.support.shop import Shop


async def until_sent(shop: Shop, po_id: str) -> None:
    async def is_sent() -> bool:
        return (await shop.purchasing.order(po_id)).state == "sent"

    await shop.until(is_sent, f"{po_id} to be sent")


async def test_from_terms_to_goods_on_the_shelf(cli: Cli, shop: Shop, tmp_path: Path) -> None:
    assert PurchasingPolicy().approve_up_to["EUR"] == 1000  # what the story is told by
    wrong = tmp_path / "levels.csv"
    wrong.write_text(
        "sku,location,reorder_point,order_up_to\nTIN,nowhere,1,2\nTIN,main,-1,2\nTIN,main,2,2\n",
        encoding="utf-8",
    )
    await shop.locations.save([Location(location="main")])
    none, partly, terms, listed, shown, levels, low = await cli.many(
        ("suppliers", "list"),
        ("stock", "import-levels", str(wrong)),
        ("suppliers", "import", str(EXAMPLES / "suppliers.csv")),
        ("suppliers", "list", "--json"),
        ("suppliers", "show", "assam-gardens"),
        ("stock", "import-levels", str(EXAMPLES / "levels.csv")),
        ("stock", "levels", "--json"),
    )
    assert "no suppliers" in none.out
    assert (partly.code, partly.out) == (2, "0 levels set\n")
    for line, fault in (
        (2, "there is no location nowhere"),
        (3, "reorder_point"),
        (4, "order_up_to"),
    ):
        assert f"{wrong}:{line}: {fault}" in partly.err
    assert terms.out == "3 rows of 2 suppliers set\n"
    assert [(one["supplier"], one["skus"]) for one in listed.json["suppliers"]] == [
        ("assam-gardens", 2),
        ("kiln-and-clay", 1),
    ]
    assert "TEA-SENCHA-100" in shown.out
    assert levels.out == "3 levels set\n"
    assert {row["sku"]: row["position"] for row in low.json["levels"]}["TEA-ASSAM-250"] in (0, 60)

    async def two() -> bool:
        return len(await shop.purchasing.orders()) == 2

    await shop.until(two, "a purchase order with each supplier")
    (ours,) = await shop.purchasing.orders(supplier="kiln-and-clay")
    await until_sent(shop, ours.po_id)
    later = (ours.lines[0].due_on + timedelta(days=3)).isoformat()
    on_list, again, document, x12, paper, answered, *others = await cli.many(
        ("purchase-orders", "list", "--sku", "CUP-STONEWARE-02"),
        ("replenish", "--json"),
        ("purchase-orders", "document", ours.po_id),
        ("purchase-orders", "document", ours.po_id, "--x12"),
        ("purchase-orders", "document", ours.po_id, "--pdf", str(tmp_path / "order.pdf")),
        ("purchase-orders", "acknowledge", ours.po_id, "--due", later, "--json"),
        ("purchase-orders", "agree", ours.po_id, "--reason", "soon enough", "--by", "kim"),
        ("purchase-orders", "receive", ours.po_id, "--count", "CUP-STONEWARE-02=6", "--key", "1"),
        ("purchase-orders", "receive", ours.po_id, "--json", "--by", "anna"),
        ("purchase-orders", "receive", ours.po_id, "--count", "CUP-STONEWARE-02=1", "--json"),
        ("purchase-orders", "show", ours.po_id),
    )
    assert ours.po_id in on_list.out
    assert again.json == {"ordered": []}
    assert document.json["lines"] == [
        {
            "sku": "CUP-STONEWARE-02",
            "quantity": 24,
            "unit_price": "4.75",
            "due_on": ours.lines[0].due_on.isoformat(),
        }
    ]
    agreed, part, received, closed, story = others
    assert agreed.code == 0
    assert "agreed, by kim: soon enough" in story.out
    assert f"BEG*00*SA*{ours.po_id}*" in x12.out
    assert paper.out == f"{ours.po_id} written to {tmp_path / 'order.pdf'}\n"
    assert ours.po_id in printed.pages((tmp_path / "order.pdf").read_bytes())[0]
    assert answered.json["lines"][0]["due_on"] == later
    assert part.code == 0
    assert received.json["lines"][0]["received"] == 24
    assert (closed.code, closed.error["error"]) == (1, "illegal_transition")
    assert "nothing of it is outstanding" in closed.error["message"]
    assert "received, by anna: 18 CUP-STONEWARE-02" in story.out
    assert (await shop.level("CUP-STONEWARE-02")).on_hand == 24


async def test_what_a_person_decides_and_what_was_ordered_before(
    cli: Cli, shop: Shop, tmp_path: Path
) -> None:
    await shop.locations.save([Location(location="main")])
    await shop.catalogue.set_items([Item(sku="POT-CAST-IRON-08", discontinued=True)])
    wrong = tmp_path / "on-order.csv"
    wrong.write_text(
        "supplier,sku,location,quantity,due_on\n"
        "assam-gardens,TEA-SENCHA-100,main,half,2026-12-08\n"
        "assam-gardens,TIN,main,5,2026-12-08\n"
        "kiln-and-clay,CUP-STONEWARE-02,main,5,2026-12-08\n"
        "nobody,CUP-STONEWARE-02,main,5,2026-12-09\n"
        "assam-gardens,TEA-ASSAM-250,main,24,2026-12-08\n",
        encoding="utf-8",
    )
    large = ("purchase-orders", "propose", "assam-gardens", "TEA-ASSAM-250=480", "--id", "FAIR-1")
    pots = tmp_path / "pots.csv"
    pots.write_text(
        "supplier,sku,lead_time_days,unit_price,currency\nforge,POT-CAST-IRON-08,9,20,EUR\n",
        encoding="utf-8",
    )
    await cli.many(
        ("suppliers", "import", str(EXAMPLES / "suppliers.csv")),
        ("suppliers", "import", str(pots)),
    )
    entered, twice, partly, gone_for_good, elsewhere, unsold, odd, proposed, again = await cli.many(
        ("purchase-orders", "import", str(EXAMPLES / "on-order.csv"), "--json"),
        ("purchase-orders", "import", str(EXAMPLES / "on-order.csv"), "--json"),
        ("purchase-orders", "import", str(wrong)),
        ("purchase-orders", "propose", "forge", "POT-CAST-IRON-08=2", "--json"),
        ("purchase-orders", "propose", "forge", "TIN=2", "--location", "nowhere", "--json"),
        ("purchase-orders", "propose", "kiln-and-clay", "TEA-ASSAM-250=24"),
        ("purchase-orders", "propose", "assam-gardens", "TEA-ASSAM-250=25", "--json"),
        (*large, "--json"),
        (*large, "--json"),
    )
    assert len(entered.json["entered"]) == 1
    assert twice.json == {"entered": [], "problems": []}
    assert (partly.code, partly.out) == (2, "2 purchase orders entered\n")
    assert f"{wrong}:6:" not in partly.err
    for line, fault in (
        (2, "quantity"),
        (3, "supplier assam-gardens does not sell TIN"),
        (5, "there is no supplier nobody"),
    ):
        assert f"{wrong}:{line}: {fault}" in partly.err
    assert gone_for_good.error["error"] == "refused"
    assert "there is no location nowhere" in elsewhere.error["message"]
    assert (unsold.code, odd.code, odd.error["error"]) == (1, 2, "invalid_input")
    assert "24 or more, in multiples of 12" in odd.error["message"]
    assert proposed.json["state"] == again.json["state"] == "proposed"
    assert (await shop.level("TEA-SENCHA-100")).incoming == 30
    approved, *_ = await cli.many(("purchase-orders", "approve", "FAIR-1", "--by", "kim"))
    assert approved.code == 0
    await until_sent(shop, "FAIR-1")
    cancelled, gone, unknown = await cli.many(
        ("purchase-orders", "cancel", "FAIR-1", "--reason", "no fair", "--json"),
        ("purchase-orders", "receive", "FAIR-1", "--json"),
        ("purchase-orders", "approve", "FAIR-2", "--json"),
    )
    assert cancelled.json["lines"][0]["cancelled"] == 480
    assert gone.error["error"] == "illegal_transition"
    assert unknown.error["error"] == "not_found"
