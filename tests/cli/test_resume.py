"""`orderloom resume` as people and programs use it."""

from __future__ import annotations

from tests.support.bench import Bench
from tests.support.builders import an_order
from tests.support.command_line import Cli
from tests.support.shop import Shop

NOT_THERE = "Temporal had no workflow of it"


async def lost(shop: Shop, count: int) -> list[str]:
    """Orders that Temporal has taken, and has forgotten before their first step."""
    orders = [an_order(("TEA", 1)) for _ in range(count)]
    for order in orders:
        await Bench(shop.pool).take_in(order)
    await shop.pool.execute(
        "update order_to_start set start_after = start_after + interval '1 hour'"
    )
    return [order.order_id for order in orders]


async def test_a_lost_order_is_resumed_once_and_its_end_is_told(cli: Cli, shop: Shop) -> None:
    await shop.stocked("TEA", 5)
    one, other = await lost(shop, 2)
    resumed = await cli.done("resume", one)
    assert resumed.out == f"{one}  resumed: {NOT_THERE}\n"
    as_json = await cli.done("resume", other, "--json")
    assert as_json.json == {"order_id": other, "outcome": "resumed", "reason": NOT_THERE}
    await shop.all_decided(2)
    again, unknown, neither, both = await cli.many(
        ("resume", one),
        ("resume", "web-none", "--json"),
        ("resume",),
        ("resume", one, "--all-lost"),
    )
    assert (again.code, again.out) == (0, f"{one} has a running workflow; nothing was done\n")
    assert (unknown.code, unknown.error["error"]) == (1, "not_found")
    assert (neither.code, both.code) == (2, 2)
    assert "name an order, or say --all-lost" in neither.err
    for order_id in (one, other):
        await shop.pool.execute(
            "update customer_order set decision = 'cancelled' where order_id = $1", order_id
        )
    ended = await cli("resume", one)
    assert (ended.code, ended.out) == (1, "")
    assert "it needs no workflow" in ended.err


async def test_all_lost_orders_are_resumed_with_a_line_each_and_a_sum(cli: Cli, shop: Shop) -> None:
    await shop.stocked("TEA", 5)
    one, other = await lost(shop, 2)
    first = await cli.done("resume", "--all-lost")
    assert sorted(first.out.splitlines()[:-1]) == sorted(
        f"{order_id}  resumed: {NOT_THERE}" for order_id in (one, other)
    )
    assert first.out.splitlines()[-1] == "2 open orders: 2 resumed"
    second = await cli.done("resume", "--all-lost")
    assert second.out == "2 open orders: 2 running\n"
    assert (await cli.done("resume", "--all-lost", "--json")).lines == [
        {"summary": {"orders": {"running": 2}, "purchase_orders": {}}}
    ]


async def test_where_temporal_is_away_nothing_is_resumed(cli: Cli, shop: Shop) -> None:
    await lost(shop, 1)
    cli.environment["TEMPORAL_ADDRESS"] = "127.0.0.1:1"
    away = await cli("resume", "--all-lost", "--json")
    assert (away.code, away.error["error"]) == (3, "unreachable")
