"""The fakes change an order as the real activity does; see test_contract.py."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from activities.fulfilment.contracts import Part
from activities.payments.contracts import Void
from domain.ids import fulfilment_id
from domain.orders.edit_messages import EditRequest
from domain.orders.order import Order
from domain.orders.policy import Policy
from domain.orders.quantities import LineUnits
from domain.stock.edit_answers import Applied, ApplyEdit, EditAnswer
from domain.stock.reservations import ReserveStock
from tests.simulation.both_worlds import WAITS, Sums, World
from tests.simulation.test_contract import company, confirmed, left, stage, twice, world
from tests.support.bench import authorizing, charging, sending
from tests.support.builders import an_order, shipping

__all__ = ["world"]


async def edit(
    world: World,
    order: Order,
    name: str,
    heard: dict[str, LineUnits] | None = None,
    **changes: Any,
) -> EditAnswer:
    """Have an edit applied. `heard`: what the workflow knows of fulfilments that are under way."""
    answer: EditAnswer = await twice(world, "apply_edit", asking(order, name, heard, **changes))
    return answer


def asking(
    order: Order, name: str, heard: dict[str, LineUnits] | None = None, **changes: Any
) -> ApplyEdit:
    """An edit as the workflow asks for it, in a turn of its own."""
    return ApplyEdit(
        order_id=order.order_id,
        request_id=name,
        request=EditRequest.model_validate({"reason": "the customer called", **changes}),
        fulfilments=heard or {},
        turn=uuid4().hex,
    )


async def done(world: World, order: Order, name: str, **changes: Any) -> Applied:
    answer = await edit(world, order, name, **changes)
    assert answer.applied is not None, answer
    return answer.applied


async def refused(world: World, order: Order, name: str, **changes: Any) -> str:
    answer = await edit(world, order, name, **changes)
    assert answer.refused is not None, answer
    return answer.refused.reason


def line(line_id: str = "1", **changes: Any) -> dict[str, Any]:
    return {"lines": [{"line_id": line_id, **changes}]}


async def test_more_is_authorized_first_and_fewer_and_cheaper_is_charged_less(world: World) -> None:
    order = an_order(("TEA", 3), ("CUP", 2))
    part = await confirmed(world, order)
    asked = await edit(world, order, "r1", **line(quantity=5))
    assert asked.to_authorize is not None
    assert await world.shelf("TEA") == (9, 3)
    edited = authorizing(order, edit=asked.to_authorize)
    assert await twice(world, "authorize_payment", edited) is None
    assert (await world.sums(order)).standing == 75_00
    more = await done(world, order, "r1", **line(quantity=5))
    assert [(x.fulfilment_id, x.units) for x in more.fulfilments] == [
        (fulfilment_id(order.order_id, 2), {"1": 2})
    ]
    assert await world.shelf("TEA") == (9, 5)
    second = more.fulfilments[0].fulfilment_id
    heard = {part: {"1": 3, "2": 2}, second: {"1": 2}}
    less = await done(world, order, "r2", heard=heard, **line(quantity=2))
    assert (less.taken, less.emptied) == ({second: {"1": 2}, part: {"1": 1}}, (second,))
    assert await world.shelf("TEA") == (9, 2)
    gone = await done(world, order, "r3", heard={part: {"1": 2, "2": 2}}, **line("2", quantity=0))
    assert str(gone.outcome.total) == "25.00 USD"
    cheaper = await done(world, order, "r4", **line(unit_price="9.00"))
    assert (str(cheaper.outcome.total), cheaper.refunds) == ("23.00 USD", ())
    assert {x.line_id: x.quantity for x in cheaper.terms.lines} == {"1": 2, "2": 2}
    await left(world, order, part)
    await twice(world, "charge_payment", charging(part))
    assert (await world.sums(order)).captured == 23_00


async def test_a_parcel_with_its_label_is_made_smaller_and_sent_elsewhere(world: World) -> None:
    order = an_order(("TEA", 3))
    part = await confirmed(world, order)
    await world.pick(part)
    await world.pack(part)
    assert await world.do("pick_pack_ship", sending(part)) == WAITS
    less = await done(world, order, "r1", heard={part: {"1": 3}}, **line(quantity=2))
    assert (less.labels_unused, await stage(world, part)) == ((part,), "picked")
    await world.put_back(f"{part}:P1")
    await world.pack(part)
    assert await world.do("pick_pack_ship", sending(part)) == WAITS
    away = await done(world, order, "r2", shipping={"service": "express"})
    assert (away.labels_unused, await stage(world, part)) == ((part,), "packed")
    await twice(world, "void_label", Part(fulfilment_id=part))
    assert await world.do("pick_pack_ship", sending(part)) == WAITS
    await world.hand_over(part)
    left_ = await world.do("pick_pack_ship", sending(part))
    assert (left_.outcome, left_.units, left_.due_minor) == ("shipped", {"1": 2}, 25_00)
    assert await refused(world, order, "r3", shipping={"service": "standard"}) == "handed_over"
    assert await refused(world, order, "r4", **line(quantity=1)) == "handed_over"


async def test_once_it_is_charged_more_is_a_line_fewer_are_paid_back_and_so_is_a_lower_price(
    world: World,
) -> None:
    order = an_order(("TEA", 4), ("CUP", 2))
    for sku in ("TEA", "CUP"):
        await world.stocked(sku, 9)
    await world.on_record(order, Policy(charge="at_confirmation"))
    part = await confirmed_ahead(world, order)
    whole = f"{order.order_id}:prepaid"
    await twice(world, "charge_payment", charging(whole))
    assert (await world.sums(order)).captured == 65_00
    changes: dict[str, Any] = {
        "lines": [{"line_id": "1", "quantity": 5}, {"line_id": "2", "quantity": 1}],
        "heard": {part: {"1": 4, "2": 2}},
    }
    asked = await edit(world, order, "r1", **changes)
    assert asked.to_authorize is not None
    edited = authorizing(order, ahead=True, edit=asked.to_authorize)
    assert await twice(world, "authorize_payment", edited) is None
    assert (await world.sums(order)).standing == 10_00
    made = await done(world, order, "r1", **changes)
    assert [(x.line_id, x.quantity) for x in made.outcome.added] == [("3", 1)]
    assert [granted.amount.minor for granted in made.refunds] == [10_84]
    lower = await done(world, order, "r2", **line(unit_price="9.50"))
    assert [granted.amount.minor for granted in lower.refunds] == [2_00]
    assert await refused(world, order, "r3", **line(unit_price="9.50")) == "price_not_lower"
    assert await refused(world, order, "r4", **line(unit_price="11.00")) == "charged"
    new = made.fulfilments[0].fulfilment_id
    for each, due in ((part, 0), (new, 10_00)):
        await world.pick(each)
        await world.pack(each)
        assert await world.do("pick_pack_ship", sending(each, ahead=True)) == WAITS
        await world.hand_over(each)
        sent = await world.do("pick_pack_ship", sending(each, ahead=True))
        assert (sent.outcome, sent.due_minor) == ("shipped", due)


@company(captures="once")
async def test_s13_where_each_parcel_is_paid_alone_one_is_made_smaller_and_charged_less(
    world: World,
) -> None:
    order = an_order(("TEA", 2), ("CUP", 2), shipping=shipping("0.00"))
    await world.stocked("TEA", 9)
    await world.stocked("CUP", 9, "outlet")
    await world.on_record(order, Policy())
    reserved = await twice(world, "reserve_stock", ReserveStock(order_id=order.order_id))
    assert await twice(world, "authorize_payment", authorizing(order)) is None
    assert sorted(await world.authorized(order)) == [20_00, 20_00]
    parts = {next(iter(x.units)): x.fulfilment_id for x in reserved.fulfilments}
    heard = {part: {line_id: 2} for line_id, part in parts.items()}
    await world.pick(parts["2"])
    less = await done(world, order, "r1", heard=heard, **line("2", quantity=1))
    assert less.taken == {parts["2"]: {"2": 1}}
    await world.put_back(f"{parts['2']}:P1")
    for line_id, picked in (("1", False), ("2", True)):
        await left(world, order, parts[line_id], picked=picked)
        await twice(world, "charge_payment", charging(parts[line_id]))
    assert await world.sums(order) == Sums(captured=30_00, refunded=0, standing=0)
    assert len(await world.authorized(order)) == 2


async def test_a_fulfilment_is_not_emptied_before_it_is_known_that_others_of_it_are_missing(
    world: World,
) -> None:
    order = an_order(("TEA", 3), ("CUP", 2))
    part = await confirmed(world, order)
    await world.pick(part, {"1": 3})
    before: dict[str, LineUnits] = {part: {"1": 3, "2": 2}}
    none_left = line("2", quantity=0)
    assert await refused(world, order, "r1", heard=before, **none_left) == "units_moving"


async def confirmed_ahead(world: World, order: Order) -> str:
    reserved = await twice(world, "reserve_stock", ReserveStock(order_id=order.order_id))
    assert await twice(world, "authorize_payment", authorizing(order, ahead=True)) is None
    part: str = reserved.fulfilments[0].fulfilment_id
    return part


async def test_what_cannot_be_changed_changes_nothing_and_what_was_authorized_is_released(
    world: World,
) -> None:
    order = an_order(("TEA", 3))
    part = await confirmed(world, order, 4)
    assert await refused(world, order, "r1", version=2, **line(quantity=2)) == "changed_meanwhile"
    assert await refused(world, order, "r2", **line(quantity=9)) == "not_available"
    assert await refused(world, order, "r3", **line(quantity=2)) == "units_moving"
    assert await refused(world, order, "r4", **line(quantity=0)) == "no_line_left"
    assert await world.shelf("TEA") == (4, 3)
    asked = await edit(world, order, "r5", **line(quantity=4))
    edited = authorizing(order, edit=asked.to_authorize)
    assert await twice(world, "authorize_payment", edited) is None
    beyond = Void(order_id=order.order_id, why="not changed after all", beyond=True)
    assert await twice(world, "void_payment", beyond) is None
    assert (await world.sums(order)).standing == 35_00
    unchanged = await done(world, order, "r6", heard={part: {"1": 3}}, **line(quantity=3))
    assert unchanged.outcome.outcome == "unchanged"


async def test_what_changed_nothing_stays_so_for_an_attempt_that_comes_late(world: World) -> None:
    order = an_order(("TEA", 3))
    await confirmed(world, order)
    ask = asking(order, "r1", **line(quantity=99))
    refused = await world.do("apply_edit", ask)
    assert refused.refused is not None
    await world.goods_come("TEA", 200)
    assert await world.do("apply_edit", ask) == refused
    again = await world.do("apply_edit", ask.model_copy(update={"turn": "the next"}))
    assert again.to_authorize is not None
    as_it_is = asking(order, "r2", **line(quantity=3))
    nothing = await world.do("apply_edit", as_it_is)
    assert nothing.applied is not None
    assert nothing.applied.outcome.changes == ()
    edited = authorizing(order, edit=again.to_authorize)
    assert await twice(world, "authorize_payment", edited) is None
    await done(world, order, "r1", **line(quantity=99))
    assert await world.do("apply_edit", as_it_is) == nothing


async def test_what_an_edit_would_cost_is_not_authorized_of_an_order_that_has_changed_since(
    world: World,
) -> None:
    order = an_order(("TEA", 3))
    part = await confirmed(world, order)
    asked = await edit(world, order, "r1", **line(quantity=5))
    late = authorizing(order, edit=asked.to_authorize)
    await done(world, order, "r2", heard={part: {"1": 3}}, **line(quantity=2))
    before = (await world.sums(order)).standing
    assert await world.do("authorize_payment", late) is None
    assert (await world.sums(order)).standing == before
