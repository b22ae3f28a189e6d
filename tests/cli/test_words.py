"""What commands say: true, short, and in no library's words."""

from __future__ import annotations

import json

from store.aftersales.returns import Counted
from tests.support.builders import a_document, a_policy, an_order
from tests.support.command_line import Cli
from tests.support.shop import Shop


async def test_cancelling_a_part_is_said_to_be_that(cli: Cli, shop: Shop) -> None:
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2))
    await shop.placed(order)
    cancel = ("cancel", order.order_id, "--reason", "x")
    part = await cli.done(*cancel, "--line", "1=1")
    assert part.out.startswith(f"{order.order_id}: partly cancelled\n  line 1: 1 cancelled\n")
    rest = await cli.done(*cancel)
    assert rest.out.startswith(f"{order.order_id}: cancelled\n")


async def test_an_order_of_which_everything_came_back_is_not_said_to_have_waited(
    cli: Cli, shop: Shop
) -> None:
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2))
    await shop.drive(await shop.placed(order, a_policy(return_window=60)), "delivered")
    await shop.phase(order.order_id, "return window")
    await cli.done("return", order.order_id, "--reason", "x")
    await shop.task("receive-return", f"{order.order_id}:R1")
    await shop.warehouse.receive_return(
        f"{order.order_id}:R1", {"1": Counted(restocked=2)}, who="x"
    )
    await shop.result(order.order_id)
    told = (await cli.done("show", order.order_id)).out.splitlines()[0]
    assert told == f"Order {order.order_id}: closed (everything came back, and is paid back)"


async def test_an_order_that_was_lost_is_not_said_to_be_delivered(cli: Cli, shop: Shop) -> None:
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2))
    part = await shop.placed(order)
    await shop.drive(part, "shipped")
    await shop.told(order.order_id, "charged")
    await shop.scan(part, "failure")
    await shop.result(order.order_id)
    told = (await cli.done("show", order.order_id)).out.splitlines()[0]
    assert "delivered, and" not in told
    assert "nothing was delivered" in told


async def test_errors_are_short_and_in_plain_words(cli: Cli, shop: Shop) -> None:
    document = a_document(*(("TEA", 1) for _ in range(501)))
    many = await cli("place", "-", stdin=json.dumps(document))
    long, unknown = await cli.many(
        ("cancel", "web-1", "--reason", "x" * 501), ("show", "web-" + "x" * 10_000)
    )
    assert "lines: must be 500 at most; here are more" in many.out + many.err
    assert long.err == "orderloom: cancel: reason: must have 500 characters at most\n"
    assert len(unknown.err) < 200
    assert "should have" not in many.out + many.err + long.err
