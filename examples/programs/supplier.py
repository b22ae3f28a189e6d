"""The suppliers, and the dock where their goods arrive."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from orderloom_client.api.purchasing import (
    acknowledge_purchase_order,
    dispatch_purchase_order,
    list_purchase_orders,
    receive_purchase_order,
    refuse_purchase_order,
)
from orderloom_client.models import Acknowledgement, Delivery, Dispatch, PurchaseRefusal

from .door import Door, Refused
from .plan import Plan, draw

_LOOKS_EVERY_S: Final = 0.5
_SENT: Final = ("sent", "acknowledged", "shipped", "partly_received")
_SHORTEST: Final = timedelta(hours=12)
_ANSWERS_AFTER: Final = timedelta(hours=4)
_LATE: Final = timedelta(days=2)
_SUPPLIER: Final = {"by": "supplier"}
_DOCK: Final = {"by": "dock"}


class Suppliers:
    """All of them, until they are cancelled."""

    def __init__(self, door: Door, plan: Plan) -> None:
        self._door = door
        self._plan = plan
        self._reported: dict[str, set[str]] = {}

    async def run(self) -> None:
        """Look for purchase orders and serve them, again and again."""
        while True:
            orders = await self._door.all(list_purchase_orders, open_=True)
            await asyncio.gather(*(self._serve(order) for order in orders))
            await asyncio.sleep(_LOOKS_EVERY_S)

    async def all_served(self) -> None:
        """Wait until none is open; the last parcels may have caused more of them."""
        while (await self._door.ask(list_purchase_orders, open_=True, limit=1)).items:
            await asyncio.sleep(_LOOKS_EVERY_S)

    async def _serve(self, order: Any) -> None:
        """The next report, if it is due."""
        open_lines = [line for line in order.lines if line.outstanding]
        if order.state.value not in _SENT or not open_lines:
            return
        if order.order_id and self._plan.holds("supply", order.order_id):
            return
        po_id = order.po_id
        age = (datetime.now(UTC) - order.created_at) * self._plan.speed
        lead = max(_SHORTEST, timedelta(days=max(line.lead_time_days for line in order.lines)))
        lead *= 0.7 + 0.5 * draw(po_id, "lead time")
        steps: list[tuple[str, timedelta, Callable[[Any], Awaitable[None]]]]
        if self._plan.happens("refused_order", po_id):
            steps = [("refuse", _ANSWERS_AFTER, self._refuse)]
        else:
            steps = [
                ("acknowledge", _ANSWERS_AFTER, self._acknowledge),
                ("dispatch", lead * 0.5, self._dispatch),
                ("receive", lead, self._receive),
            ]
        said = self._reported.setdefault(po_id, set())
        due = [one for one in steps if one[0] not in said and one[1] <= age]
        if due:
            name, _, report = due[0]
            said.add(name)
            try:
                await report(order)
            except Refused:  # what was on order when the shop opened needs no acknowledgement
                self._plan.counts["refused"] += 1

    async def _acknowledge(self, order: Any) -> None:
        late = _LATE if self._plan.happens("late_supply", order.po_id) else timedelta(0)
        lines = [
            {
                "sku": line.sku,
                "quantity": line.quantity,
                "due_on": (line.due_on + late).isoformat(),
            }
            for line in order.lines
        ]
        if self._plan.happens("short_supply", order.po_id) and lines[0]["quantity"] > 1:
            lines[0]["quantity"] -= 1
        await self._door.ask(
            acknowledge_purchase_order,
            po_id=order.po_id,
            body=Acknowledgement.from_dict({"lines": lines, **_SUPPLIER}),
            idempotency_key=f"acknowledge {order.po_id}",
        )
        self._plan.counts["orders_acknowledged"] += 1

    async def _refuse(self, order: Any) -> None:
        await self._door.ask(
            refuse_purchase_order,
            po_id=order.po_id,
            body=PurchaseRefusal.from_dict({"reason": "cannot serve it", **_SUPPLIER}),
            idempotency_key=f"refuse {order.po_id}",
        )
        self._plan.counts["orders_refused"] += 1

    async def _dispatch(self, order: Any) -> None:
        await self._door.ask(
            dispatch_purchase_order,
            po_id=order.po_id,
            body=Dispatch.from_dict(_SUPPLIER),
            idempotency_key=f"dispatch {order.po_id}",
        )
        self._plan.counts["dispatches"] += 1

    async def _receive(self, order: Any) -> None:
        """All that is outstanding: in two deliveries, and one of them told twice, now and then."""
        units = {line.sku: line.outstanding for line in order.lines if line.outstanding}
        parts = [units]
        if self._plan.happens("part_delivery", order.po_id):
            half = {sku: -(-number // 2) for sku, number in units.items()}
            rest = {sku: number - half[sku] for sku, number in units.items()}
            parts = [half, {sku: number for sku, number in rest.items() if number}]
        for number, part in enumerate(part for part in parts if part):
            for _ in range(2 if self._plan.happens("repeated_report", order.po_id) else 1):
                await self._door.ask(
                    receive_purchase_order,
                    po_id=order.po_id,
                    body=Delivery.from_dict({"units": part, **_DOCK}),
                    idempotency_key=f"receive {order.po_id} {number}",
                )
            self._plan.counts.update(receipts=1, units_received=sum(part.values()))
