"""Where goods come back to, if nobody says another place."""

from __future__ import annotations

from typing import Any

import pytest

from activities.aftersales.returns import ApproveReturn
from domain.aftersales.return_rules import ReturnRule
from domain.orders.order import Order
from domain.stock.items import Item
from domain.stock.licences import Licence
from starter.service.codes import Codes
from store.aftersales import return_rules
from store.database import Pool
from tests.database.stock.test_edits import applied, apply
from tests.support.bench import Bench, authorizing
from tests.support.builders import an_order


@pytest.fixture
def bench(pool: Pool) -> Bench:
    return Bench(pool)


async def parts_of(bench: Bench, order: Order) -> dict[str, str]:
    """Location → the parcel that leaves it, of an order that is paid for."""
    await bench.reserve(order)
    await bench.authorizations.authorize_payment(authorizing(order))
    rows = await bench.pool.fetch("select location, fulfilment_id from fulfilment")
    return {row["location"]: row["fulfilment_id"] for row in rows}


async def sent(bench: Bench, part: str) -> None:
    await bench.warehouse.pick(part, who="picker")
    await bench.warehouse.pack(part, who="packer")
    await bench.send(part)
    await bench.warehouse.hand_over(part, who="packer")


async def comes_back(bench: Bench, order: Order, **fields: Any) -> str:
    ask = ApproveReturn.model_validate(
        {
            "order_id": order.order_id,
            "request_id": "r1",
            "reason": "test",
            "who": "customer",
            **fields,
        }
    )
    return (await bench.returns.approve_return(ask)).return_id


async def test_what_could_not_be_delivered_is_back_where_it_left(bench: Bench) -> None:
    await bench.stocked("TEA", 1, "main")
    await bench.stocked("POT", 1, "west")
    order = an_order(("TEA", 1), ("POT", 1))
    parts = await parts_of(bench, order)
    for part in parts.values():
        await sent(bench, part)
    await bench.scan(parts["west"], "return_to_sender")
    back = await comes_back(
        bench, order, kind="undeliverable", fulfilment_id=parts["west"], units={"2": 1}
    )
    await bench.warehouse.receive_return(back, who="dock")
    assert await bench.level("POT", "west") == (1, 0)


async def test_goods_never_come_back_to_where_codes_are(bench: Bench) -> None:
    await bench.catalogue.set_items([Item(sku="APP", handling="digital")])
    await Codes(bench.pool).take_in([Licence(sku="APP", code="A")], "digital", who="test")
    await bench.stocked("TEA", 1, "main")
    async with bench.pool.acquire() as conn:
        await return_rules.save(conn, [ReturnRule(label="free")])
    order = an_order(("APP", 1))
    code = (await parts_of(bench, order))["digital"]
    gift = {"sku": "TEA", "quantity": 1, "unit_price": "0.00"}
    (part,) = applied(await apply(bench.pool, order, "e1", add=[gift])).fulfilments
    await bench.send(code)
    await sent(bench, part.fulfilment_id)
    await bench.scan(part.fulfilment_id, "delivered")
    back = await comes_back(bench, order, units={"2": 1})
    assert await bench.pool.fetchval("select location from return_label") == "main"
    await bench.warehouse.receive_return(back, who="dock")
    assert await bench.level("TEA", "main") == (1, 0)
