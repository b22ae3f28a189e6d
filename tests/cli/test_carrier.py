"""Carriers' scans by the command line."""

from __future__ import annotations

from pathlib import Path

from store.database import Pool
from tests.support.bench import Bench
from tests.support.builders import an_order
from tests.support.command_line import Cli


async def test_a_scan_that_is_typed_twice_delivers_one_of_two_parcels_of_a_number(
    database_url: str, pool: Pool, tmp_path: Path
) -> None:
    home = str(tmp_path)
    cli = Cli({"HOME": home, "ORDERLOOM_HOME": f"{home}/none", "DATABASE_URL": database_url})
    bench = Bench(pool)
    await bench.stocked("TEA", 2)
    parts = [await bench.at(an_order(("TEA", 1)), "shipped") for _ in range(2)]
    await pool.execute("update shipment set tracking_number = 'SBX1'")
    scan = ("carrier", "event", "SBX1", "delivered")
    assert (await cli.done(*scan)).out == "SBX1: delivered\n"
    assert (await cli.done(*scan)).out == "SBX1: known already\n"
    assert sorted([await bench.state(part) for part in parts]) == ["delivered", "shipped"]
    # The other one is named by something else that is said of it.
    assert (await cli.done(*scan, "--detail", "with the porter")).out == "SBX1: delivered\n"
    assert [await bench.state(part) for part in parts] == ["delivered", "delivered"]
