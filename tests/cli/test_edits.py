"""Changes of a placed order by the command line: previewed, applied, and read again."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from temporalio.client import Client

from store.database import Pool
from tests.support.builders import a_policy, an_order
from tests.support.command_line import Cli
from tests.support.shop import Shop


@pytest_asyncio.fixture(loop_scope="session")
async def shop(pool: Pool, temporal_client: Client) -> AsyncIterator[Shop]:
    """A shop with a worker."""
    shop = Shop(pool, temporal_client, a_policy(give_up_after=60, return_window=60))
    async with shop.working():
        yield shop


async def test_a_change_is_previewed_applied_and_told(cli: Cli, shop: Shop, tmp_path: Path) -> None:
    await shop.stocked("TEA", 9)
    order = an_order(("TEA", 2))
    await shop.placed(order)
    assert order.shipping.address is not None
    moved = tmp_path / "address.json"
    address = {**order.shipping.address.model_dump(mode="json"), "line1": "9 Moon Street"}
    moved.write_text(json.dumps(address), encoding="utf-8")
    asked = (
        *("edit", order.order_id, "--line", "1=3", "--add", "TEA=1@2.00@10"),
        *("--address", str(moved), "--reason", "wants more"),
    )
    seen = await cli.done(*asked, "--preview")
    assert "quantity of line 1: 2 → 3" in seen.out
    assert "to be authorized first: 12.20 USD" in seen.out
    assert "Moon" not in seen.out
    apply = seen.out.splitlines()[-1]
    assert apply == "apply it with --version 1 --total 37.20 and without --preview"
    other = await cli(*asked, "--version", "1", "--total", "37.19", "--json")
    assert (other.code, other.error["reason"]) == (1, "changed_meanwhile")
    done = await cli.done(*asked, "--version", "1", "--total", "37.20", "--json")
    assert (done.json["outcome"], done.json["version"]) == ("edited", 2)
    late = await cli(*asked, "--version", "1", "--json")
    assert (late.code, late.error["reason"]) == (1, "changed_meanwhile")
    found = (await cli.done("versions", order.order_id, "--json")).json["versions"]
    assert [one["document"]["shipping"]["address"]["line1"] for one in found] == [
        "1 Sejong-daero",
        "9 Moon Street",
    ]
    told = await cli.done("versions", order.order_id)
    assert "changed by customer service: wants more" in told.out
    misused = await cli.many(
        ("edit", order.order_id, "--reason", "x", "--add", "TEA"),
        ("edit", order.order_id, "--reason", "x", "--price", "9.00"),
        ("edit", order.order_id, "--reason", "x"),
    )
    assert [each.code for each in misused] == [2, 2, 2]


async def test_a_cancellation_and_a_refund_are_previewed(cli: Cli, shop: Shop) -> None:
    await shop.stocked("TEA", 9)
    order = an_order(("TEA", 2, "10.00"))
    await shop.placed(order)
    asked = ("cancel", order.order_id, "--line", "1=1", "--reason", "one too many", "--preview")
    seen = await cli.done(*asked)
    assert "line 1: 1 would be cancelled" in seen.out
    assert f"{order.order_id}:1, picking: less of it would be picked" in seen.out
    assert "less would be charged: 12.50 USD" in seen.out
    told = (await cli.done(*asked, "--json")).json
    assert told["not_charged"] == {"minor": 1250, "currency": "USD"}
    assert (await shop.orders.get(order.order_id)).lines[0].cancelled == 0
    refund = ("refund", order.order_id, "--amount", "1.00", "--reason", "sorry", "--preview")
    refused = await cli(*refund, "--json")
    assert (refused.code, refused.error["reason"]) == (1, "more_than_charged")
    await shop.drive(f"{order.order_id}:1", "shipped")
    await shop.idle(order.order_id)
    paid = await cli.done(*refund)
    assert paid.out.splitlines() == ["would be paid back: 1.00 USD", "  by sandbox: 1.00 USD"]
