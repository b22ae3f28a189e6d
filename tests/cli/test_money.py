"""Paying, charging and refunding by the command line: real processes on real servers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest_asyncio
from temporalio.client import Client

from store.database import Pool
from store.sandbox import companies
from store.sandbox.companies import FaultKind
from tests.support.builders import a_policy, an_order
from tests.support.command_line import Cli
from tests.support.shop import Shop


@pytest_asyncio.fixture(loop_scope="session")
async def shop(pool: Pool, temporal_client: Client) -> AsyncIterator[Shop]:
    """A shop with a worker."""
    shop = Shop(pool, temporal_client, a_policy(give_up_after=60, return_window=60))
    async with shop.working():
        yield shop


async def test_a_held_order_is_shown_so_and_paid_with_a_new_token(cli: Cli, shop: Shop) -> None:
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2), token="tok_action_required")
    placed = await cli.done("place", "-", stdin=order.model_dump_json())
    assert f"{order.order_id}  held" in placed.out
    assert "held: payment: " in (await cli.done("show", order.order_id)).out
    assert order.order_id in (await cli.done("orders", "--state", "held")).out
    refused = await cli("pay", order.order_id, "tok_decline")
    assert (refused.code, "declined the card" in refused.err) == (1, True)
    assert "is authorized" in (await cli.done("pay", order.order_id, "tok_ok")).out
    again = await cli("pay", order.order_id, "tok_ok")
    assert (again.code, "waits for no payment" in again.err) == (1, True)
    bad = await cli("pay", order.order_id, "4111 1111")
    assert (bad.code, "token" in bad.err) == (2, True)


async def test_an_order_is_charged_by_hand_once(cli: Cli, shop: Shop) -> None:
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2))
    await shop.placed(order, a_policy(give_up_after=60, charge="manual"))
    charged = await cli.done("charge", order.order_id, "--note", "credit is good", "--json")
    assert charged.json["outcome"] == "accepted"
    again = await cli("charge", order.order_id, "--note", "again")
    assert (again.code, "told so before" in again.err) == (1, True)


async def test_refunds_are_asked_for_and_refused_with_a_reason(cli: Cli, shop: Shop) -> None:
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2))
    first = await shop.placed(order)
    await shop.drive(first, "delivered")
    await shop.heard(order.order_id, "delivered", 2)
    await shop.told(order.order_id, "charged")
    goodwill = ("refund", order.order_id, "--amount", "2.00", "--reason", "sorry")
    assert (await cli.done(*goodwill)).out == f"{order.order_id}:G1: 2.00 USD paid back\n"
    for wrong, code, why in (
        (("--amount", "99.00"), 1, "more than the 23.00 USD"),
        (("--amount", "-1"), 2, "amount"),
        (("--amount", "0"), 2, "more than zero"),
        (("--amount", "1.00", "--shipping"), 2, "goodwill goes without"),
        ((), 2, "say what to pay back"),
    ):
        ended = await cli("refund", order.order_id, *wrong, "--reason", "x")
        assert (ended.code, why in ended.err) == (code, True), (wrong, ended.err)
    unknown = await cli("refund", "web-none", "--amount", "1.00", "--reason", "x")
    assert (unknown.code, "there is no order web-none" in unknown.err) == (1, True)
    kept = await cli.done("refund", order.order_id, "--line", "1=1", "--reason", "x", "--json")
    assert (kept.json["outcome"], kept.json["amount"]) == ("refunded", "10.00 USD")


async def test_calls_without_a_known_outcome_are_listed_with_their_age(
    cli: Cli, shop: Shop, pool: Pool
) -> None:
    assert (await cli.done("payments", "--unknown")).out == "every outcome is known\n"
    async with pool.acquire() as conn:
        for operation in ("capture", "lookup"):
            await companies.set_fault(conn, "payment", operation, FaultKind.TIMEOUT_BEFORE, 1.0)
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2))
    await shop.drive(await shop.placed(order), "shipped")

    async def unknown() -> bool:
        return "unknown" in (await cli.done("payments", "--unknown")).out

    await shop.until(unknown, "the charge has no known outcome")
    (listed,) = json.loads((await cli.done("payments", "--unknown", "--json")).out)["payments"]
    assert listed["payment_key"] == f"{order.order_id}:1:capture"
    assert listed["age_seconds"] >= 0
    neither = await cli("payments")
    assert (neither.code, "--unknown or --owed" in neither.err) == (2, True)
