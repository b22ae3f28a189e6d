"""Carriers' scans by the command line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from domain.ids import order_of
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


async def test_a_scan_from_before_the_label_is_on_the_list_of_a_person(
    database_url: str, pool: Pool, tmp_path: Path
) -> None:
    home = str(tmp_path)
    cli = Cli({"HOME": home, "ORDERLOOM_HOME": f"{home}/none", "DATABASE_URL": database_url})
    bench = Bench(pool)
    await bench.stocked("TEA", 1)
    part = await bench.at(an_order(("TEA", 1)), "labelled")
    number = (await bench.parcel(part)).tracking_number
    earlier = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    scan = ("carrier", "event", str(number), "delivered", "--at", earlier)
    assert (
        "nothing was changed: this was before the number was in use" in (await cli.done(*scan)).out
    )
    assert await bench.state(part) == "labelled"
    (task,) = (await cli.done("attention", "--json")).json["tasks"]
    assert (task["subject"], task["name"]) == (order_of(part), f"late_scan {part}")
    assert "ask it which parcel it means" in (await cli.done("attention")).out.replace("\n", " ")


async def test_what_carriers_have_sent_is_listed_and_settled(
    database_url: str, pool: Pool, tmp_path: Path
) -> None:
    home = str(tmp_path)
    cli = Cli({"HOME": home, "ORDERLOOM_HOME": f"{home}/none", "DATABASE_URL": database_url})
    await pool.execute(
        "insert into carrier_message (sender, message_id, body, last_error) "
        "values ('dhl', 'm1', '{', 'body: is not JSON')"
    )
    listed = await cli.done("carrier", "messages", "--failed")
    assert "waits: body: is not JSON" in listed.out
    number = (await cli.done("carrier", "messages", "--json")).json["messages"][0]["message_no"]
    assert f"orderloom carrier settle {number}" in (await cli.done("attention")).out
    settle = ("carrier", "settle", str(number), "--note", "asked them")
    assert (await cli.done(*settle)).out == f"message {number} is settled\n"
    assert (await cli(*settle)).code == 1
    assert (await cli.done("attention")).out == "nothing waits for a person\n"
