"""Kits by the command line."""

from __future__ import annotations

from pathlib import Path

from tests.support.command_line import EXAMPLES, Cli
from tests.support.shop import Shop

KITS = """kit,part,units
BOX,TEA,2
TWIN,CUP,1.5
BOX,CUP,1
SELF,SELF,1
LOT,NONE,1
TWIN,TEA,1
NIL,TEA,0
"""
WRONG = (
    "3: units: ",
    "5: part: a kit cannot contain itself",
    "6: kit: LOT has the part NONE, which nobody knows",
    "7: kit: TWIN was left as it is, because of line 3",
    "8: units: ",
)


async def test_kits_are_imported_and_a_wrong_row_costs_only_its_kit(
    cli: Cli, shop: Shop, tmp_path: Path
) -> None:
    await shop.stocked("TEA", 9)
    await shop.stocked("CUP", 3)
    file = tmp_path / "kits.csv"
    file.write_text(KITS, encoding="utf-8")
    none, partly, listed, stock, table, refused, promised, gone, again = await cli.many(
        ("kits", "list"),
        ("kits", "import", str(file)),
        ("kits", "list", "--json"),
        ("stock", "list", "--sku", "BOX", "--json"),
        ("stock", "list", "--sku", "BOX"),
        ("stock", "receive", "BOX", "1"),
        ("promise", "BOX", "5", "--country", "DE", "--json"),
        ("kits", "remove", "BOX"),
        ("kits", "remove", "BOX", "--json"),
    )
    assert "no kits" in none.out
    assert (partly.code, partly.out) == (2, "1 kit set\n")
    *told, last = partly.err.splitlines()
    for line, wrong in zip(told, WRONG, strict=True):
        assert line.startswith(f"{file}:{wrong}")
    assert "is wrong in 5 places" in last
    box = {"sku": "BOX", "parts": {"CUP": 1, "TEA": 2}, "available": {"main": 3}}
    assert listed.json == {"kits": [box]}
    assert stock.json["kits"] == [box]
    assert [level["sku"] for level in stock.json["stock"]] == ["CUP", "TEA"]
    assert "3 at main" in table.out
    assert (refused.code, "do this with its parts" in refused.err) == (1, True)
    assert (promised.json["promised"][0]["quantity"], promised.json["missing"]) == (3, 2)
    assert (gone.code, again.code) == (0, 1)
    assert again.error["error"] == "not_found"


async def test_the_example_holds_for_the_example_stock(cli: Cli) -> None:
    _, told, table = await cli.many(
        ("stock", "import", str(EXAMPLES / "stock.csv")),
        ("kits", "import", str(EXAMPLES / "kits.csv")),
        ("kits", "list"),
    )
    assert (told.out, told.err) == ("2 kits set\n", "")
    assert "30 at main, 12 at outlet" in table.out
