"""What commands say: true, short, and in no library's words."""

from __future__ import annotations

import json
from pathlib import Path

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


async def test_what_is_long_is_told_by_its_beginning_and_once(cli: Cli, shop: Shop) -> None:
    long = {**a_document(("TEA", 1)), "channel_order_id": "x" * 10_000}
    many = a_document(*((f"NONE-{number}", 1) for number in range(500)))
    told = await cli("place", "-", stdin=json.dumps(long))
    assert "channel_order_id: must have 100 characters at most (order xxx" in told.err
    assert len(told.err) < 400
    refused = await cli("place", "-", "--all-or-nothing", stdin=json.dumps(many))
    order_id = refused.out.split()[0]
    first = ", ".join(f"1 of 1 NONE-{number}" for number in range(5))
    assert refused.out == (
        f"{order_id}  rejected: not available: {first} and 495 more lines\n1 order: 1 rejected\n"
    )
    assert refused.err == f"orderloom: {order_id} rejected; the reason is beside it\n"
    unknown = await cli("credit", "show", "y" * 10_000)
    assert len(unknown.out + unknown.err) < 400


async def test_a_number_that_python_does_not_read_is_told_in_our_words(
    cli: Cli, tmp_path: Path
) -> None:
    text = json.dumps(a_document(("TEA", 1))).replace('"quantity": 1', f'"quantity": {"9" * 5000}')
    assert "9" * 5000 in text
    placed = await cli("place", "-", stdin=text)
    policy = tmp_path / "policy.json"
    policy.write_text(f'{{"give_up_after": {"9" * 5000}}}', encoding="utf-8")
    told = await cli("place", "-", "--policy", str(policy), stdin="{}")
    for ended in (placed, told):
        assert ended.code == 2
        assert "holds a number of thousands of digits, which nothing here has" in ended.err
        assert "set_int_max" not in ended.err


async def test_a_parcel_that_waits_for_its_payment_says_so_at_the_hand_over(
    cli: Cli, shop: Shop
) -> None:
    await shop.stocked("TEA", 1)
    order = an_order(("TEA", 1))
    part = await shop.placed(order, a_policy(charge="manual"))
    await shop.drive(part, "packed")
    await shop.told(order.order_id, "held: payment")
    early = await cli("warehouse", "handover", part)
    assert early.code == 1
    assert early.err == (
        f"orderloom: {part} waits for its payment (waits to be charged): keep it; it gets its "
        "label, and can be handed over, when the order is paid\n"
    )


async def test_a_parcel_that_became_smaller_is_closed_when_the_rest_is_put_back(
    cli: Cli, shop: Shop
) -> None:
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2))
    part = await shop.placed(order)
    await shop.drive(part, "picked")
    await cli.done("cancel", order.order_id, "--reason", "x", "--line", "1=1")
    told = await cli("warehouse", "pack", part)
    assert told.code == 1
    assert told.err == (
        f"orderloom: {part} has become smaller: first put back 1 × TEA ({part}:P1) (`orderloom "
        "warehouse put-back`), then close the box\n"
    )
    (task,) = (await cli.done("warehouse", "tasks", "--json")).json["tasks"]
    assert (task["task"], task["part_id"], task["opens_box"]) == ("put-back", f"{part}:P1", False)
    assert task["lines"] == [{"line_id": "1", "sku": "TEA", "quantity": 1}]
    for _ in range(2):  # it may be reported twice
        said = await cli.done("warehouse", "put-back", f"{part}:P1", "--by", "anna")
        assert said.out == f"{part}:P1 put back\n"
    await cli.done("warehouse", "pack", part)
    assert "put back (" in (await cli.done("events", order.order_id)).out
    await cli.done("cancel", order.order_id, "--reason", "x")
    told = await cli("warehouse", "handover", part)
    assert told.err.endswith("put the goods back\n")
    unknown = await cli("warehouse", "put-back", f"{part}:P9")
    assert unknown.code == 1
    assert f"there is nothing to put back as {part}:P9" in unknown.err


async def test_an_order_that_was_not_paid_in_time_does_not_read_released(
    cli: Cli, shop: Shop
) -> None:
    await shop.stocked("TEA", 1)
    order = an_order(("TEA", 1), token="tok_action_required")
    assert (await shop.orders.place(order, policy=a_policy(pay_within=1))).outcome == "held"
    await shop.result(order.order_id)
    told = (await cli.done("events", order.order_id)).out
    assert "hold ended, by orderloom: not paid within 1 second\n" in told
    assert "released, by" not in told
    late = await cli("pay", order.order_id, "tok_visa")
    assert late.code == 1
    assert "nothing" in late.err
