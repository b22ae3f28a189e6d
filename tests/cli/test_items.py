"""What is said of SKUs, by the command line."""

from __future__ import annotations

from pathlib import Path

from tests.support.command_line import EXAMPLES, Cli


async def test_items_are_imported_and_a_wrong_row_costs_only_itself(
    cli: Cli, tmp_path: Path
) -> None:
    wrong = tmp_path / "items.csv"
    wrong.write_text("sku,backorder\nTEA-ASSAM-250,no\nTIN,perhaps\n", encoding="utf-8")
    none, told, table, partly, listed = await cli.many(
        ("items", "list"),
        ("items", "import", str(EXAMPLES / "items.csv")),
        ("items", "list"),
        ("items", "import", str(wrong)),
        ("items", "list", "--json"),
    )
    assert "nothing is said" in none.out
    assert told.out == "3 rows set\n"
    assert "Cast-iron pot, 0.8 l" in table.out
    assert (partly.code, partly.out) == (2, "1 row set\n")
    assert f"{wrong}:3: backorder" in partly.err
    assert {item["sku"]: item["backorder"] for item in listed.json["items"]} == {
        "POT-CAST-IRON-08": False,
        "TEA-ASSAM-250": False,
        "TEA-SENCHA-100": True,
    }
