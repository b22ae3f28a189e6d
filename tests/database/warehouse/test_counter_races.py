"""At the counter: what is collected or given up is decided at the row, whoever comes first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from activities.fulfilment.carriers import Carriers
from activities.fulfilment.contracts import Part
from activities.fulfilment.fulfilments import Fulfilments
from activities.warehouse.till import Till
from domain.errors import IllegalTransition
from domain.orders.order import Order
from domain.orders.policy import Policy
from domain.stock.items import Item
from domain.stock.licences import Licence
from starter.service.codes import Codes
from store.database import Pool
from store.fulfilment import fulfilments, pick_ups
from store.orders import holds
from store.payments import cover
from store.warehouse import counter
from tests.support.bench import Bench, NoWorkshops, sending
from tests.support.builders import an_order

LATER = "update fulfilment set changed_at = moment() - interval '2 minutes', woken_at = null"


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    return Bench(pool)


async def ready(bench: Bench) -> tuple[str, str]:
    """Goods that lie ready, and their code."""
    await bench.stocked("TEA", 1)
    order = an_order(("TEA", 1), shipping={"service": "collect"})
    part = await bench.at(order, "labelled")
    async with bench.pool.acquire() as conn:
        (one,) = await pick_ups.of_order(conn, order.order_id)
    return part, one.code


async def test_a_customer_who_collects_first_keeps_the_goods_that_were_to_be_given_up(
    bench: Bench,
) -> None:
    part, code = await ready(bench)
    await bench.warehouse.collect(part, code, who="counter")
    assert (await bench.fulfilment.recall(Part(fulfilment_id=part))).caught is None
    assert await bench.state(part) == "delivered"
    assert await bench.level("TEA") == (0, 0)


async def test_goods_that_were_given_up_first_are_not_collected_any_more(bench: Bench) -> None:
    part, code = await ready(bench)
    assert (await bench.fulfilment.recall(Part(fulfilment_id=part))).caught == "labelled"
    with pytest.raises(IllegalTransition) as late:
        await bench.warehouse.collect(part, code, who="counter")
    assert late.value.reason == "given_up"
    assert await bench.state(part) == "cancelled"


class HeldJustThen(Till):
    """A till at which the order is held between the label and the hand-over."""

    def __init__(self, pool: Pool, order: Order) -> None:
        super().__init__(pool)
        self._of, self._order = pool, order
        self.is_held = False

    async def handed_over(self, fulfilment_id: str) -> None:
        if not self.is_held:
            self.is_held = True
            async with self._of.acquire() as conn, conn.transaction():
                await fulfilments.locked(conn, fulfilment_id)
                order_id = self._order.order_id
                await holds.place(
                    *(conn, order_id),
                    reason="fraud_review",
                    note="two names",
                    owner="risk",
                    who="anna",
                )
        await super().handed_over(fulfilment_id)


@pytest.mark.parametrize("handling", ["digital", "counter"])
async def test_what_is_held_between_its_label_and_its_hand_over_goes_on_by_itself_when_released(
    bench: Bench, handling: str
) -> None:
    order = an_order(("APP", 1))
    if handling == "digital":
        await bench.catalogue.set_items([Item(sku="APP", handling="digital")])
        await Codes(bench.pool).take_in([Licence(sku="APP", code="A")], "digital", who="test")
    else:
        await bench.stocked("APP", 1)
        order = an_order(("APP", 1), channel="pos", shipping={"service": "collect"})
        await bench.take_in(order, Policy(over_the_counter=True))
    part = await bench.at(order, "confirmed")
    till = HeldJustThen(bench.pool, order)
    bench.fulfilment = Fulfilments(
        *(bench.pool, Carriers.only(bench.carrier), cover.cover_of, till, NoWorkshops())
    )

    async def woken() -> list[str]:
        """What the relay has run again, a minute later."""
        async with bench.pool.acquire() as conn:
            await conn.execute(LATER)
            await conn.execute("update shipment set asked_at = moment() - interval '2 minutes'")
            rows = await fulfilments.to_label(conn, timedelta(minutes=1), 10)
        return [row["fulfilment_id"] for row in rows]

    assert await bench.waiting(bench.fulfilment.pick_pack_ship(sending(part))) is None
    assert await bench.state(part) == "labelled"
    with pytest.raises(IllegalTransition) as held:
        async with bench.pool.acquire() as conn:
            await counter.hand_over(conn, part, at=datetime.now(UTC), who="till")
    assert held.value.reason == "order_held"
    assert await woken() == []
    async with bench.pool.acquire() as conn, conn.transaction():
        await fulfilments.locked(conn, part)
        await holds.release(conn, order.order_id, ["H1"], who="anna")
    assert await woken() == [part]
    assert await bench.waiting(bench.fulfilment.pick_pack_ship(sending(part))) is None
    assert await bench.state(part) == "delivered"
