"""The fake is asked to stop parcels as the real activity is; see test_contract.py."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from activities.aftersales.returns import ApproveReturn, ReturnPart
from activities.aftersales.sending_anew import SendAnew, ToBeSent
from activities.fulfilment.contracts import Part
from activities.fulfilment.interceptions import Intercept, InterceptAnswer
from activities.stock.contracts import ReserveAgain
from domain.orders.interception_messages import SendAnewRequest
from domain.orders.order import Order
from tests.simulation.both_worlds import World
from tests.simulation.test_contract import confirmed, left, twice, world
from tests.support.bench import charging
from tests.support.builders import an_order

__all__ = ["world"]


async def stop(
    world: World, order: Order, request_id: str, part_id: str, **fields: Any
) -> InterceptAnswer:
    content = {"fulfilment_id": part_id, "way": "return", "reason": "no", "request_id": request_id}
    ask = Intercept.model_validate(
        {
            "order_id": order.order_id,
            "request_id": request_id,
            "request": {**content, **fields},
        }
    )
    answer: InterceptAnswer = await twice(world, "intercept_parcel", ask)
    return answer


def reason(answer: InterceptAnswer) -> str:
    assert answer.refused is not None
    return answer.refused.reason or answer.refused.kind


async def anew(world: World, order: Order, part_id: str, request_id: str) -> ToBeSent:
    request = SendAnewRequest(fulfilment_id=part_id, reason="was away", request_id=request_id)
    ask = SendAnew(
        order_id=order.order_id, request_id=request_id, request=request, turn=uuid4().hex
    )
    answer: ToBeSent = await twice(world, "send_anew", ask)
    return answer


async def test_a_parcel_is_stopped_while_its_carrier_has_it(world: World) -> None:
    order = an_order(("TEA", 3))
    part = await confirmed(world, order)
    assert reason(await stop(world, order, "i1", part)) == "not_found"
    await left(world, order, part)
    assert reason(await stop(world, order, "i2", part, way="redirect")) == "not_kept"
    accepted = await stop(world, order, "i3", part)
    assert accepted.fee is not None
    assert (accepted.refused, accepted.fee.minor) == (None, 750)
    await world.arrive(part, "undeliverable")
    assert reason(await stop(world, order, "i4", part)) == "not_on_its_way"
    assert (await stop(world, order, "i3", part)).refused is None


async def test_what_comes_back_goes_out_once_more_and_is_not_paid_back(world: World) -> None:
    order = an_order(("TEA", 3))
    part = await left(world, order, await confirmed(world, order, 3))
    await world.do("charge_payment", charging(part))
    assert (await anew(world, order, part, "a1")).refused is not None
    await world.arrive(part, "undeliverable")
    await world.do("await_delivery", Part(fulfilment_id=part))
    expected = ApproveReturn(
        order_id=order.order_id,
        request_id=part,
        kind="undeliverable",
        fulfilment_id=part,
        units={"1": 3},
        reason="x",
        who="orderloom",
    )
    return_id = (await world.do("approve_return", expected)).return_id
    assert (await anew(world, order, part, "a2")).return_id == return_id
    before = await world.sums(order)
    await world.count(return_id, {"1": 3})
    received = await world.do("receive_return", ReturnPart(return_id=return_id))
    assert (received.anew, received.refund) == (True, None)
    assert (await anew(world, order, part, "a3")).refused is not None
    assert (await anew(world, order, part, "a2")).return_id == return_id
    again = ReserveAgain(
        order_id=order.order_id,
        fulfilment_id=part,
        units={"1": 3},
        source="shipped",
        replace=True,
        reason="could not be delivered",
    )
    reserved = await twice(world, "reserve_again", again)
    assert [each.units for each in reserved.fulfilments] == [{"1": 3}]
    assert await world.sums(order) == before
    assert await world.shelf("TEA") == (3, 3)
