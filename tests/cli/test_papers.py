"""What a warehouse prints, by the command line: labels, pick lists, packing slips."""

from __future__ import annotations

import hashlib
from pathlib import Path

from domain.orders.order import Order
from tests.support.builders import a_policy, an_order, shipping
from tests.support.command_line import Cli
from tests.support.planted import CUSTOMER, found_in, planted
from tests.support.printed import barcodes, pages
from tests.support.shop import Shop

SKU = "TEE-größe-ü"


def a_gift() -> Order:
    to = shipping("5.00")
    return an_order(
        ("TEA", 2, "12.34"),
        (SKU, 1, "56.78"),
        customer={"id": "C-1", "name": "Jörg Müller", "locale": "de-DE"},
        shipping={**to, "address": {**to["address"], "name": "김민지", "city": "Łódź"}},
        gift_message="Alles Gute, Γιώργο!\n祝你好运",
    )


async def test_a_label_is_printed_and_printed_again_and_a_void_one_is_not(
    cli: Cli, shop: Shop, tmp_path: Path
) -> None:
    await shop.stocked("TEA", 5)
    order = an_order(("TEA", 1))
    part = await shop.placed(order)
    early = await cli("warehouse", "label", part)
    assert (early.code, "has no label" in early.err) == (1, True)
    await shop.drive(part, "labelled")
    first, second = tmp_path / "one.pdf", tmp_path / "two.pdf"
    told, again, listed, plain, other = await cli.many(
        ("warehouse", "label", part, "-o", str(first)),
        ("warehouse", "label", part, "-o", str(second), "--json"),
        ("warehouse", "label", part, "--json"),
        ("warehouse", "label", part),
        ("warehouse", "label", part, "-o", str(first), "--format", "zpl"),
    )
    assert told.out == f"label of {part} written to {first} (application/pdf)\n"
    assert first.read_bytes() == second.read_bytes()
    number = listed.json["tracking_number"]
    assert number in pages(first.read_bytes())[0]
    (file,) = listed.json["files"]
    assert file["digest"] == hashlib.sha256(first.read_bytes()).hexdigest()
    assert (again.json["written"], listed.json["written"]) == ("application/pdf", None)
    assert number in plain.out
    assert file["digest"] in plain.out
    assert (other.code, "there is pdf, and no zpl" in other.err) == (2, True)

    await cli.done("cancel", order.order_id, "--reason", "changed my mind")
    await shop.settled()
    void, said = await cli.many(
        ("warehouse", "label", part, "-o", str(tmp_path / "void.pdf")),
        ("warehouse", "label", part),
    )
    assert (void.code, "is void" in void.err) == (1, True)
    assert not (tmp_path / "void.pdf").exists()
    assert said.out.startswith(f"label of {part} is void")


async def test_a_pick_list_has_a_code_for_each_parcel_and_each_sku(
    cli: Cli, shop: Shop, tmp_path: Path
) -> None:
    await shop.stocked("TEA", 9)
    await shop.stocked(SKU, 3)
    parts = [await shop.placed(an_order(("TEA", 2))), await shop.placed(a_gift())]
    file = tmp_path / "picks.pdf"
    told = await cli.done("warehouse", "pick-list", "--location", "main", "-o", str(file))
    assert told.out == f"picks of {', '.join(parts)} written to {file}\n"
    read = barcodes(file.read_bytes())
    assert sorted(read) == sorted(["TEA", SKU, parts[0], "TEA", parts[1], "TEA", SKU])
    assert "4 ×" in pages(file.read_bytes())[0]

    one = await cli.done("warehouse", "pick-list", parts[0], "-o", str(file), "--json")
    assert one.json == {"fulfilments": [parts[0]], "written": str(file)}
    assert barcodes(file.read_bytes()) == [parts[0], "TEA"]

    await shop.drive(parts[0], "picked")
    late, nowhere, unknown = await cli.many(
        ("warehouse", "pick-list", parts[0], "-o", str(file)),
        ("warehouse", "pick-list", "--location", "moon", "-o", str(file)),
        ("warehouse", "pick-list", "web-none:1", "-o", str(file)),
    )
    assert (late.code, "is picked, and not to be picked" in late.err) == (1, True)
    assert (nowhere.code, "nothing is to be picked at moon" in nowhere.err) == (1, True)
    assert (unknown.code, "there is no fulfilment" in unknown.err) == (1, True)


async def test_a_packing_slip_has_no_prices_and_tells_the_gift_message(
    cli: Cli, shop: Shop, tmp_path: Path
) -> None:
    await shop.stocked("TEA", 9)
    await shop.stocked(SKU, 3)
    order = a_gift()
    part = await shop.placed(order)
    file = tmp_path / "slip.pdf"
    await cli.done("warehouse", "packing-slip", part, "-o", str(file))
    (page,) = pages(file.read_bytes())
    for shown in ("Packzettel", "김민지", "Łódź", "Γιώργο", SKU, "2 ×", order.channel_order_id):
        assert shown in page
    for hidden in ("12.34", "56.78", "12,34", "56,78", "81,46", "5.00", "5,00", "USD"):
        assert hidden not in page
    assert barcodes(file.read_bytes()) == [part, "TEA", SKU]
    missing = await cli("warehouse", "packing-slip", "web-none:1", "-o", str(file))
    assert (missing.code, "there is no fulfilment" in missing.err) == (1, True)


async def test_papers_of_an_erased_order_name_nobody_or_say_why_there_are_none(
    cli: Cli, shop: Shop, tmp_path: Path
) -> None:
    await shop.stocked("TEA", 9)
    order = an_order(("TEA", 2), **planted())
    part = await shop.placed(order, a_policy(return_window=0.01))
    await shop.drive(part, "delivered")
    await shop.finish(order.order_id)
    (invoice,) = await shop.pool.fetch("select number from document")
    why = ("--reason", "asked for by letter")
    kept = await cli.done("customers", "erase", CUSTOMER["id"], *why)
    assert "1 document kept whole until" in kept.out
    file = str(tmp_path / "paper.pdf")
    slip, picks, label, told, bill = await cli.many(
        ("warehouse", "packing-slip", part, "-o", file),
        ("warehouse", "pick-list", part, "-o", file),
        ("warehouse", "label", part, "-o", file),
        ("warehouse", "label", part),
        ("invoice", invoice["number"], "--pdf", str(tmp_path / "invoice.pdf")),
    )
    assert slip.code == 0
    (page,) = pages(Path(file).read_bytes())
    assert ("[erased]" in page, "2 ×" in page, found_in(page)) == (True, True, [])
    assert (picks.code, "is delivered, and not to be picked" in picks.err) == (1, True)
    gone = "or with its customer (`orderloom customers erase`)"
    assert (label.code, gone in label.err, gone in told.out) == (1, True, True)
    assert bill.code == 0, bill.err
    (page,) = pages((tmp_path / "invoice.pdf").read_bytes())
    assert CUSTOMER["company"] in page


async def test_the_extensions_that_are_installed_are_listed(cli: Cli) -> None:
    listed, plain = await cli.many(("extensions", "--json"), ("extensions",))
    found = {one["name"]: one for one in listed.json["extensions"]}
    brings = ["payment", "events", "carrier", "supplier", "pay_pages"]
    assert found["sandbox"]["brings"] == brings
    assert found["stripe"]["distribution"] == "orderloom"
    assert "store_credit" in plain.out
    bad = Cli({**cli.environment, "ORDERLOOM_STRIPE__API_KEY": "pk_1234567"})
    failed = await bad("extensions")
    assert failed.code == 1
    assert "ORDERLOOM_STRIPE__API_KEY" in failed.out
    assert "1234567" not in failed.out + failed.err
