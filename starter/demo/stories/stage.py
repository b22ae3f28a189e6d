"""Everybody that a story needs: the customer, the desk, the warehouse, the carrier."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, TypeVar

from temporalio.client import Client

from domain import ids
from domain.fulfilment.tracking import CarrierStatus
from domain.money import Money
from domain.orders.order import Payment
from domain.orders.return_messages import ReturnRequest
from starter.demo import shop
from starter.demo.stories import goods
from starter.service.service import Service
from store.purchasing.purchase_reads import PurchaseOrder
from store.views.reads import EventRow, FulfilmentRow, OrderSummary
from store.views.warehouse_tasks import Task, TaskKind
from workflows.order import OrderWorkflow

T = TypeVar("T")

WHO: Final = "service desk"
_WAREHOUSE: Final = "warehouse"
_POLL_S: Final = 0.3
_AT_MOST_S: Final = 300.0
_ENDED: Final = ("rejected", "cancelled", "closed")


class WentWrong(Exception):
    """A story did not go as it is told."""


def expect(fact: object, text: str) -> None:
    """Raises WentWrong where a fact is none."""
    if not fact:
        raise WentWrong(text)


class Stage:
    """Plays one story's people, through the doors that shops use."""

    def __init__(self, service: Service, temporal: Client, paid: Payment, home: Path) -> None:
        """`home`: the demo's folder."""
        self.service = service
        self.home = home.resolve()
        self._temporal = temporal
        self.paid = paid

    # The customer and the desk --------------------------------------------------------------------

    async def place(self, name: str, *lines: dict[str, Any], **fields: Any) -> str:
        """Place an order, which must be taken. Returns its id."""
        order = goods.order(name, *lines, paid=self.paid, **fields)
        placed = await shop.place(self.service.orders, order)
        expect(placed.outcome in ("confirmed", "held"), f"{order.order_id} was {placed}")
        return order.order_id

    async def summary(self, order_id: str) -> OrderSummary:
        """The order as it stands."""
        return (await self.service.orders.get(order_id)).summary

    async def send_back(self, order_id: str, *, reason: str, **fields: Any) -> str:
        """Ask to send goods back. Returns the return's id, which the rules have approved."""
        request = {"reason": reason, "by": WHO, **fields}
        answer = await self.service.aftersales.request_return(
            order_id, ReturnRequest.model_validate(request)
        )
        expect(answer.return_id and answer.outcome == "approved", f"{order_id}: {answer}")
        return str(answer.return_id)

    # The warehouse --------------------------------------------------------------------------------

    async def task(self, order_id: str, kind: TaskKind) -> Task:
        """The order's task of this kind, once it is there."""

        async def found() -> Task | None:
            tasks = await self.service.warehouse.tasks(order_id=order_id, task=kind)
            return tasks[0] if tasks else None

        return await self.until(found, f"{order_id} has a task to {kind}")

    async def pick(self, order_id: str) -> str:
        """Pick all that the next task lists. Returns the fulfilment's id."""
        task = await self.task(order_id, "pick")
        await self.service.warehouse.pick(task.part_id, who=_WAREHOUSE)
        return task.part_id

    async def pack(self, part_id: str) -> None:
        """Close the parcel."""
        await self.service.warehouse.pack(part_id, who=_WAREHOUSE)

    async def send(self, order_id: str) -> str:
        """Pick, pack and hand over the next parcel. Returns its id."""
        part_id = await self.pick(order_id)
        await self.pack(part_id)
        await self.hand_over(part_id)
        return part_id

    async def hand_over(self, part_id: str) -> None:
        """Give the parcel to the carrier, once it has its label."""
        await self.service.warehouse.hand_over(part_id, who=_WAREHOUSE, label_within_s=_AT_MOST_S)

    async def receive(self, order_id: str, **counted: Any) -> str:
        """Count the return parcel that is expected: all of it, where nothing is said."""
        task = await self.task(order_id, "receive-return")
        await self.service.warehouse.receive_return(task.part_id, who=_WAREHOUSE, **counted)
        return task.part_id

    # Carriers and suppliers -----------------------------------------------------------------------

    async def part(self, order_id: str, part_id: str) -> FulfilmentRow:
        """One fulfilment as it stands."""
        detail = await self.service.orders.get(order_id)
        return next(each for each in detail.fulfilments if each.fulfilment_id == part_id)

    async def scan(self, order_id: str, part_id: str, status: CarrierStatus) -> None:
        """The carrier says where the parcel is."""
        part = await self.part(order_id, part_id)
        expect(part.carrier and part.tracking_number, f"{part_id} has not left")
        await self.service.carriers.event(
            carrier=str(part.carrier),
            tracking_number=str(part.tracking_number),
            event_id=f"{part_id} {status}",
            status=status,
        )

    async def deliver(self, order_id: str, part_id: str) -> None:
        """The carrier delivers it, and the order's workflow has heard of it."""
        await self.scan(order_id, part_id, "delivered")
        order = self._temporal.get_workflow_handle(ids.workflow_id(order_id))

        async def heard() -> bool | None:
            view = await order.query(OrderWorkflow.view)
            return view.fulfilments.get(part_id) == "delivered" or None

        await self.until(heard, f"{order_id} hears that {part_id} is delivered")

    async def bought(self, order_id: str, sku: str) -> PurchaseOrder:
        """The purchase order for this SKU of an order, once its supplier has it."""

        async def found() -> PurchaseOrder | None:
            orders = await self.service.purchasing.orders(sku=sku)
            sent = (one for one in orders if (one.order_id, one.state) == (order_id, "sent"))
            return next(sent, None)

        return await self.until(found, f"something is bought for {order_id}")

    # What comes of it -----------------------------------------------------------------------------

    async def told(self, order_id: str, what: str) -> EventRow:
        """The first line of the order's story that begins so, once it is there."""

        async def found() -> EventRow | None:
            story = await self.service.orders.events(order_id)
            return next((event for event in story if event.what.startswith(what)), None)

        return await self.until(found, f"{order_id} tells {what!r}")

    async def ended(self, order_id: str, decision: str = "closed") -> OrderSummary:
        """The order as it has ended; another end than this one is wrong."""

        async def found() -> OrderSummary | None:
            summary = await self.summary(order_id)
            return summary if summary.decision in _ENDED else None

        summary = await self.until(found, f"{order_id} ends")
        expect(summary.decision == decision, f"{order_id} is {summary.decision}: {summary.reason}")
        return summary

    async def until(self, look: Callable[[], Awaitable[T | None]], what: str) -> T:
        """What a look finds, once it finds something."""
        try:
            async with asyncio.timeout(_AT_MOST_S):
                while (found := await look()) is None:
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            raise WentWrong(f"not seen within {_AT_MOST_S:.0f} s: {what}") from None
        return found


def dollars(minor: int) -> str:
    """An amount for people."""
    return str(Money(minor=minor, currency=goods.CURRENCY))
