"""Stock work by the command line, and the story that the journal tells of it."""

from __future__ import annotations

import re

from domain.stock.items import Item
from domain.stock.locations import Location
from domain.stock.stock_levels import StockLevels
from starter.service.service import Records
from store.database import Pool
from tests.support.builders import an_order
from tests.support.command_line import Cli
from tests.support.shop import Shop

WRONG = {
    ("count", "TEA", "-1"): (2, "must be 0 or more"),
    ("receive", "TEA", "-1"): (2, "must be 1 or more"),
    ("write-off", "TEA", "-1", "--reason", "x"): (2, "must be 1 or more"),
    ("count", "TEA", "1.5"): (2, "must be a whole number"),
    ("count", "NONE", "1"): (1, "no stock is kept of NONE at main"),
    ("write-off", "TEA", "0", "--reason", "x"): (2, "must be 1 or more"),
    ("write-off", "TEA", "1"): (2, "--reason"),
    ("write-off", "TEA", "99", "--reason", "x"): (1, "only 5 TEA are on hand at main"),
    ("transfer", "main", "shop", "TEA"): (2, "write SKU=UNITS"),
    ("transfer", "main", "shop", "TEA=1", "TEA=2"): (2, "TEA is named twice"),
    ("transfer", "main", "shop", "TEA=0"): (2, "must be 1 or more"),
    ("transfer", "main", "main", "TEA=1"): (2, "leads elsewhere"),
    ("transfer", "main", "mars", "TEA=1"): (1, "there is no location mars"),
    ("transfer", "main", "shop", "TEA=1", "--expected", "soon"): (2, "expected_on"),
    ("receive-transfer", "T-0"): (1, "there is no transfer T-0"),
}


async def test_a_skus_history_reads_as_a_story(cli: Cli, shop: Shop) -> None:
    await shop.locations.save([Location(location="main"), Location(location="shop")])
    await shop.stocked("TEA", 20)
    order = an_order(("TEA", 2))
    part = await shop.placed(order)
    await shop.drive(part, "shipped")
    by = ("--by", "anna")
    counted, torn, gone, transfers, there, _, none, ended, told, only = await cli.many(
        ("stock", "count", "TEA", "17", *by),
        ("stock", "write-off", "TEA", "1", "--reason", "torn bag", *by),
        (
            *("stock", "transfer", "main", "shop", "TEA=6", "--id", "T-1"),
            *("--expected", "2026-12-01", "--reason", "window", *by),
        ),
        ("stock", "transfers"),
        ("stock", "list", "--location", "shop", "--json"),
        (
            *("stock", "receive-transfer", "T-1", "--count", "TEA=5"),
            *("--rest-is-lost", "--by", "ben"),
        ),
        ("stock", "transfers"),
        ("stock", "transfers", "--all", "--json"),
        ("stock", "history", "TEA"),
        ("stock", "history", "TEA", "--location", "shop", "--json"),
    )
    assert [counted.code, torn.code, gone.code] == [0, 0, 0]
    assert "2026-12-01" in transfers.out
    (level,) = there.json["stock"]
    assert (level["on_hand"], level["incoming"]) == (0, 6)
    assert none.out == "nothing is on its way\n"
    assert ended.json["transfers"][0]["lines"] == [
        {"sku": "TEA", "sent": 6, "arrived": 5, "lost": 1}
    ]
    of, handed = order.order_id, f"parcel {part} handed over"
    lost = "T-1: 1 TEA lost on the way from main"
    assert [re.sub(r"^\S+ \S+ \S+  ", "", line) for line in told.out.splitlines()] == [
        "main: 20 received, by test: test; then 20 on hand, 0 allocated",
        f"main: 2 claimed for {of}, by orderloom: ordered; then 20 on hand, 2 allocated",
        f"main: 2 shipped for {of}, by packer: {handed}; then 18 on hand, 0 allocated",
        "main: counted 17 (-1), by anna: cycle count; then 17 on hand, 0 allocated",
        "main: 1 written off, by anna: torn bag; then 16 on hand, 0 allocated",
        "main: -6 transferred, by anna: T-1 to shop: window; then 10 on hand, 0 allocated",
        "shop: +5 transferred, by ben: from main; then 5 on hand, 0 allocated",
        f"shop: 0 written off, by ben: {lost}; then 5 on hand, 0 allocated",
    ]
    assert [one["kind"] for one in only.json["movements"]] == ["transferred", "written_off"]
    await shop.scan(part, "delivered")
    await shop.settled()


async def test_what_cannot_be_says_so_and_changes_nothing(cli: Cli, shop: Shop) -> None:
    await shop.stocked("TEA", 5)
    answers = await cli.many(
        *(("stock", *arguments) for arguments in WRONG), ("stock", "history", "X")
    )
    for (arguments, (code, message)), ended in zip(WRONG.items(), answers, strict=False):
        assert (ended.code, message in ended.err) == (code, True), (arguments, ended)
    assert "nothing ever happened to X" in answers[-1].out
    assert (await shop.level("TEA")).on_hand == 5


async def test_long_lists_come_in_pages(cli: Cli, pool: Pool) -> None:
    desk = Records(pool)
    await desk.locations.save([Location(location="main"), Location(location="shop")])
    levels = [
        StockLevels(sku=sku, location=place, reorder_point=1, order_up_to=9)
        for sku in ("A/1", "B", "C")
        for place in ("main", "shop")
    ]
    await desk.stock.set_levels(levels)
    await desk.catalogue.set_items([Item(sku=sku) for sku in ("A/1", "B", "C")])
    for command, name, after in (
        (("stock", "list"), "stock", ["A/1@shop", "B@shop"]),
        (("stock", "levels"), "levels", ["A/1@shop", "B@shop"]),
        (("items", "list"), "items", ["B"]),
    ):
        rows = []
        more: tuple[str, ...] = ()
        behind = []
        while True:
            page = (await cli.done(*command, "--limit", "2", *more, "--json")).json
            rows += [(row["sku"], row.get("location")) for row in page[name]]
            assert page["more"] == (page["after"] is not None)
            if page["after"] is None:
                break
            behind.append(page["after"])
            more = ("--after", page["after"])
        assert behind == after
        assert rows == sorted(set(rows), key=lambda row: (row[0], row[1] or ""))
        assert len(rows) == (3 if name == "items" else 6)
    text, one, wrong = await cli.many(
        ("stock", "list", "--limit", "1", "--location", "shop"),
        ("stock", "list", "--location", "shop", "--sku", "B", "--json"),
        ("stock", "list", "--after", "B"),
    )
    assert "--after A/1@shop shows the next page" in text.out
    assert [row["sku"] for row in one.json["stock"]] == ["B"]
    assert (wrong.code, "write SKU@LOCATION" in wrong.err) == (2, True)
