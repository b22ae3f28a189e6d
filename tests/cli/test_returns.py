"""Returns by the command line, as their page tells it: label, scan, count, what came besides."""

from __future__ import annotations

from pathlib import Path

from domain.aftersales.return_rules import ReturnRule
from tests.support.builders import a_policy, an_order
from tests.support.command_line import Cli
from tests.support.shop import Shop


async def test_a_return_from_its_label_to_what_came_with_it(
    cli: Cli, shop: Shop, tmp_path: Path
) -> None:
    await shop.stocked("TEA", 5)
    await shop.returns.set_rules([ReturnRule(label="free")])
    order = an_order(("TEA", 2, "10.00"))
    order_id = order.order_id
    part = await shop.placed(order, a_policy(return_window=600))
    await shop.drive(part, "delivered")
    await shop.heard(order_id, "delivered", 2)
    asked = await cli.done("return", order_id, "--line", "1=1", "--reason", "too big")
    back = f"{order_id}:R1"
    assert back in asked.out
    await shop.told(order_id, "return label bought")
    shown, written, nothing = await cli.many(
        ("returns", "show", back, "--json"),
        ("returns", "label", back, "-o", str(tmp_path / "label.pdf")),
        ("returns", "parcels"),
    )
    label = shown.json["label"]
    assert (label["state"], label["fee"]) == ("bought", "0.00")
    assert written.out.startswith(f"label of {back} written to")
    assert (tmp_path / "label.pdf").read_bytes().startswith(b"%PDF-")
    assert nothing.out == "no parcels\n"
    await cli.done("carrier", "event", label["tracking_number"], "in_transit")
    kept = await cli("returns", "cancel", back, "--reason", "keeps it")
    assert (kept.code, "is in_transit" in kept.err) == (1, True)
    await cli.done(
        *("warehouse", "receive-return", back, "--found", "1=1:opened", "--extra", "TEA=1:new")
    )
    (parcel,) = (await cli.done("returns", "parcels", "--json")).json["parcels"]
    number = str(parcel["parcel_no"])
    assert (parcel["came_with"], parcel["order_id"]) == (back, order_id)
    attention = await cli.done("attention", "--json")
    assert number in {task["name"] for task in attention.json["tasks"] if task["kind"] == "parcel"}
    taken = await cli.done("returns", "take-parcel", number)
    assert taken.out == f"parcel {number} is return {order_id}:R2\n"
    unknown = await cli.done(
        *("warehouse", "receive-unannounced", "--found", "TEA=1:new:photo-1"),
        *("--location", "main", "--key", "dock-17"),
    )
    other = int(number) + 1
    assert unknown.out == f"parcel {other} is written down: nobody knows whose it is\n"
    await cli.done("returns", "settle-parcel", str(other), "--note", "sent back")
    await shop.until(
        lambda: _is_refunded(shop, f"{order_id}:R2"), "what came besides is counted, and paid back"
    )
    await shop.settled()


async def _is_refunded(shop: Shop, return_id: str) -> bool:
    return (await shop.returns.get(return_id)).state == "refunded"
