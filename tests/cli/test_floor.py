"""What the floor of a warehouse needs, by the command line: places, codes, commands, manifests."""

from __future__ import annotations

from pathlib import Path

from domain.warehouse.manifests import Loaded
from store.database import Pool
from store.warehouse import bins, parcel_runs
from tests.support.bench import Bench
from tests.support.command_line import Cli
from tests.support.printed import barcodes, pages


async def test_places_and_codes_come_from_files(cli: Cli, pool: Pool, tmp_path: Path) -> None:
    bench = Bench(pool)
    for sku in ("TEA", "POT"):
        await bench.stocked(sku, 5)
    places = tmp_path / "places.csv"
    places.write_text(
        "location,sku,place,walk,zone,rank\n"
        "main,TEA,B-2,20,Tea,0\n"
        "main,TEA,Z-9,90,,5\n"
        "main,POT,A-1,10,,0\n"
        "main,NONE,A-1,10,,0\n"
        "moon,TEA,A-1,10,,0\n",
        encoding="utf-8",
    )
    codes = tmp_path / "codes.csv"
    codes.write_text("code,sku,units\n0800000000017,TEA,1\nTWELVE,POT,12\n", encoding="utf-8")
    first, second = await cli.many(
        ("warehouse", "import-places", str(places), "--json"),
        ("warehouse", "import-barcodes", str(codes)),
    )
    assert (first.code, first.json["saved"]) == (2, 3)
    assert "no moon" not in first.err
    assert "moon" in first.out
    assert second.out == "codes: 2 saved\n"
    async with pool.acquire() as conn:
        assert await bins.places_of(conn, "main", ["TEA", "POT"]) == {
            "POT": ("A-1",),
            "TEA": ("B-2", "Z-9"),
        }
        read = await bins.read_code(conn, "main", "800000000017")
        assert (read.sku, read.units) == ("TEA", 1)
    places.write_text("location,sku,place\nmain,TEA,\n", encoding="utf-8")
    codes.write_text("code,sku,units\nTWELVE,POT,0\n", encoding="utf-8")
    await cli.done("warehouse", "import-places", str(places))
    await cli.done("warehouse", "import-barcodes", str(codes))
    async with pool.acquire() as conn:
        assert list(await bins.places_of(conn, "main", ["TEA", "POT"])) == ["POT"]
        assert (await bins.read_code(conn, "main", "TWELVE")).sku is None


async def test_commands_and_manifests_are_printed(cli: Cli, pool: Pool, tmp_path: Path) -> None:
    await Bench(pool).stocked("TEA", 5)
    async with pool.acquire() as conn:
        loaded = [Loaded(part_id="web-1:1", tracking_number="SBX1")]
        await parcel_runs.write_manifest(conn, 7, "main", "bike", loaded, who="anna")
    sheet, paper = tmp_path / "sheet.pdf", tmp_path / "manifest.pdf"
    told, _, none = await cli.many(
        ("warehouse", "sheet", "-o", str(sheet), "--language", "de"),
        ("warehouse", "manifest", "7", "-o", str(paper)),
        ("warehouse", "manifest", "8", "-o", str(paper)),
    )
    assert told.out == f"commands written to {sheet}\n"
    assert "OL:SHORT" in barcodes(sheet.read_bytes())
    (page,) = pages(paper.read_bytes())
    for part in ("Manifest 7", "Parcels: 1", "web-1:1", "Carrier: bike"):
        assert part in page, part
    assert barcodes(paper.read_bytes()) == ["SBX1"]
    assert (none.code, "there is no manifest 8" in none.err) == (1, True)
