"""What a demo that stays up leaves to do: its shop is in the middle of a day.

Everything before has ended and was audited. These orders wait for whoever sits at the screens.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from temporalio.client import Client

from domain.errors import Conflict
from domain.money import Price
from domain.orders.hold_messages import HoldRequest
from domain.orders.order import Order
from starter.demo import company, shop
from starter.demo.stories.stage import Stage
from starter.service.service import Records, Service
from store.views.warehouse_tasks import Task

_WHO: Final = "the demo"
_ORDERS: Final = 24
_APART: Final = timedelta(minutes=7)
_UNDER_WAY: Final = 3
_PACKED: Final = 2
_HELD: Final = 1
_ENOUGH: Final = _UNDER_WAY + _PACKED + _HELD
_TO_CALL: Final = 2
"""The customer of every so many orders has told a phone number."""

_PHONES: Final = {"en": "+1 206 555 01{:02}", "de": "+49 30 23125 0{:02}"}
"""Numbers that are nobody's: both countries keep them free for stories."""

_WITHIN_S: Final = 60.0
_LOOK_S: Final = 0.3
_TO_APPROVE: Final = {"NW-38": 60, "NW-59": 200, "NW-51": 150, "NW-18": 120}
"""SKU → units that somebody wants to buy, which cost more than may be spent without approval."""


async def leave_open(service: Service, temporal: Client, home: Path, after: int) -> str:
    """Place the orders behind the first `after` ones, and begin with some. Returns a parcel's id.

    `service`: with the rules of a shop whose days are as long as anybody's.
    """
    orders = to_place(after)
    await _bring_goods(service, orders[: _ENOUGH + 1])
    await shop.place_all(service.orders, orders, lambda: None)
    stage = Stage(service, temporal, orders[0].payment, home)
    first, *rest = await _to_pick(service, orders)
    for task in (first, *rest[: _UNDER_WAY - 1]):
        await stage.send(task.order_id)
        await stage.scan(task.order_id, task.part_id, "in_transit")
    for task in rest[_UNDER_WAY : _UNDER_WAY + _PACKED]:
        await stage.pack(await stage.pick(task.order_id))
    await service.holds.hold(
        rest[-1].order_id,
        HoldRequest(
            request_id="left-open",
            by=_WHO,
            reason="fraud_review",
            note="paid with a card from one country, sent to another: call the customer",
        ),
    )
    for terms in await service.purchasing.terms(skus=list(_TO_APPROVE)):
        with suppress(Conflict):  # On order already, as it was sold out before.
            await service.purchasing.propose(
                terms.supplier,
                "main",
                {terms.sku: _TO_APPROVE[terms.sku]},
                who=_WHO,
                why="the winter sale begins next week",
            )
    await service.purchasing.replenish()
    await count_today(service)
    return first.part_id


def to_place(after: int) -> Sequence[Order]:
    """Orders of today, one every few minutes; a till's are gone before anybody sees them.

    Where the file has no more, it is read from its beginning: customers buy the same again, in
    orders whose numbers go on behind its last one.
    """
    file = shop.read_northwind_orders()
    found = company.shared_out([_numbered(file, n) for n in range(after, after + _ORDERS)])
    now = datetime.now(UTC)
    return [
        _with_phone(n, order).model_copy(update={"placed_at": now - (len(found) - n) * _APART})
        for n, order in enumerate(found)
        if order.channel != company.TILL
    ]


async def _bring_goods(service: Service, orders: Sequence[Order]) -> None:
    """What they want arrives before them: the day before may have sold all there was."""
    wanted = Counter[str]()
    for order in orders:
        for line in order.lines:
            wanted[line.sku] += line.quantity
    terms = await service.purchasing.terms(skus=list(wanted))
    costs = {one.sku: Price(each=one.unit_price, currency=one.currency) for one in terms}
    for sku, units in wanted.items():
        await service.stock.receive(
            *(f"left-open-{sku}", sku, "main", units),
            unit_cost=costs.get(sku),
            who=_WHO,
            why="the first delivery of the day",
        )


def _numbered(file: Sequence[Order], number: int) -> Order:
    """The order at this place of a file that begins again and again."""
    order = file[number % len(file)]
    if number < len(file):
        return order
    last = int(file[-1].channel_order_id)
    return order.model_copy(update={"channel_order_id": str(last + 1 + number - len(file))})


def _with_phone(number: int, order: Order) -> Order:
    if number % _TO_CALL:
        return order
    phone = _PHONES[order.customer.locale].format(number)
    return order.model_copy(update={"customer": order.customer.model_copy(update={"phone": phone})})


async def count_today(records: Records) -> None:
    """Count each seller's day as it is now: what was counted last may be from the day's beginning.

    Goods are sold out by what was measured last, as each look at all levels does.
    """
    for one in await records.days.todays():
        await records.days.count(one.today, one.today, seller=one.seller)


async def _to_pick(service: Service, orders: Sequence[Order]) -> Sequence[Task]:
    """The tasks of those of them whose goods are there, once there are enough of them."""
    ours = {order.order_id for order in orders}
    found: list[Task] = []
    async with asyncio.timeout(_WITHIN_S):
        while len(found) <= _ENOUGH:
            await asyncio.sleep(_LOOK_S)
            tasks = await service.warehouse.tasks(task="pick")
            found = [task for task in tasks if task.order_id in ours]
    return found
