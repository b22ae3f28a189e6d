"""What a plain order asks of PostgreSQL, step by step: no number goes up unseen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from activities.orders.order_records import CloseOrder
from activities.relay import BATCH
from domain.fulfilment.tracking import CarrierStatus
from domain.ids import fulfilment_id
from domain.stock.reservations import ReserveStock
from starter.service.order_records import OrderRecords
from store import waits
from store.fulfilment import fulfilments, shipments
from tests.support.bench import Bench, a_part, authorizing, charging, sending
from tests.support.builders import an_order
from tests.support.round_trips import RoundTrips, counting_pool

STEPS = {
    "place": 1,
    "reserve": 5,
    "authorize": 5,
    "wait for the warehouse": 2,
    "pick": 1,
    "pack": 1,
    "relay the packing": 1,
    "buy the label and wait": 6,
    "hand over": 4,
    "relay the hand-over": 2,
    "charge": 7,
    "wait for the delivery": 1,
    "status page": 1,
    "watch": 1,
    "list": 1,
    "scan: in transit": 1,
    "scan: out for delivery": 1,
    "scan: delivered": 1,
    "relay the delivery": 2,
    "close": 1,
}
"""Step → round trips of an order of two lines in one parcel."""

ALL_STEPS = 45
"""As docs/performance.md tells it."""


@pytest.fixture
async def trips(database_url: str) -> AsyncIterator[RoundTrips]:
    async with counting_pool(database_url) as trips:
        yield trips


class Life:
    """A plain order, with all that its workflow, the outside and people do about it in sequence."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._records = OrderRecords(bench.pool)
        self.order = an_order(("TEA", 2), ("CUP", 1))
        self._part = fulfilment_id(self.order.order_id, 1)
        self._parcel: shipments.Parcel | None = None

    def steps(self) -> dict[str, Callable[[], Awaitable[Any]]]:
        """Every step, by the names in `STEPS`."""
        bench, order, part = self._bench, self.order, self._part
        waiting, warehouse = bench.waiting, bench.warehouse
        ask = sending(part)
        wanted = ReserveStock(order_id=order.order_id)
        closing = CloseOrder(order_id=order.order_id, decision="closed", reason="")
        return {
            "place": lambda: bench.take_in(order),
            "reserve": lambda: bench.inventory.reserve_stock(wanted),
            "authorize": lambda: bench.authorizations.authorize_payment(authorizing(order)),
            "wait for the warehouse": lambda: waiting(bench.fulfilment.pick_pack_ship(ask)),
            "pick": lambda: warehouse.pick(part, who="picker"),
            "pack": lambda: warehouse.pack(part, who="packer"),
            "relay the packing": self._relay_packed,
            "buy the label and wait": lambda: waiting(bench.fulfilment.pick_pack_ship(ask)),
            "hand over": lambda: warehouse.hand_over(part, who="packer"),
            "relay the hand-over": self._relay,
            "charge": lambda: bench.payments.charge_payment(charging(part)),
            "wait for the delivery": lambda: waiting(bench.delivery.await_delivery(a_part(part))),
            "status page": lambda: self._records.get(order.order_id),
            "watch": lambda: self._records.news(order.order_id),
            "list": lambda: self._records.list(customer_id=order.customer.id),
            "scan: in transit": lambda: self._scan("in_transit"),
            "scan: out for delivery": lambda: self._scan("out_for_delivery"),
            "scan: delivered": lambda: self._scan("delivered"),
            "relay the delivery": self._relay,
            "close": lambda: bench.records.close_order(closing),
        }

    async def learn_the_number(self) -> None:
        """Read the parcel's tracking number, which a carrier knows."""
        self._parcel = await self._bench.parcel(self._part)

    async def _scan(self, status: CarrierStatus) -> None:
        assert self._parcel is not None
        assert self._parcel.carrier is not None
        assert self._parcel.tracking_number is not None
        await self._bench.carriers.event(
            carrier=self._parcel.carrier,
            tracking_number=self._parcel.tracking_number,
            event_id=status,
            status=status,
        )

    async def _relay(self) -> None:
        """What the relay asks about one report: alone, as if no other report came meanwhile."""
        async with self._bench.pool.acquire() as conn:
            claimed = await waits.claim_pending(conn, BATCH)
            await waits.handed_over(conn, [(report, "arrived") for report in claimed])

    async def _relay_packed(self) -> None:
        async with self._bench.pool.acquire() as conn:
            await fulfilments.to_label(conn, timedelta(minutes=1), BATCH)


async def test_a_plain_order_takes_so_many_round_trips(trips: RoundTrips) -> None:
    bench = Bench(trips.pool)
    await bench.stocked("TEA", 1000)
    await bench.stocked("CUP", 1000)
    counts: dict[str, int] = {}
    sent_by: dict[str, list[str]] = {}
    for _ in range(2):  # The first order's connection still has to learn the types of columns.
        life = Life(bench)
        for name, step in life.steps().items():
            if name == "status page":
                await life.learn_the_number()
            with trips.counted() as sent:
                await step()
            counts[name], sent_by[name] = len(sent), sent
    changed = [name for name in STEPS if counts[name] != STEPS[name]]
    assert counts == STEPS, "\n".join(line for name in changed for line in (name, *sent_by[name]))
    assert sum(counts.values()) == ALL_STEPS
