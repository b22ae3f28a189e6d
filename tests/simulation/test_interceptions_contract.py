"""The fake is asked to stop parcels as the real activity is; see test_contract.py."""

from __future__ import annotations

from typing import Any

from activities.fulfilment.interceptions import Intercept, InterceptAnswer
from domain.orders.order import Order
from tests.simulation.both_worlds import World
from tests.simulation.test_contract import confirmed, left, twice, world
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
