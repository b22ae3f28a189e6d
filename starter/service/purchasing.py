"""Buys stock: decisions about purchase orders, and looks at the levels, which workflows make."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.service import RPCError

from domain import ids
from domain.errors import Refused, Unreachable
from domain.purchasing.purchase_orders import PurchasingPolicy
from runtime.retries import retry_context
from starter.service.purchase_records import PurchaseRecords
from starter.service.resuming import LostPurchases, Resumption
from starter.service.updates import is_missing, unreachable, update
from store.database import Pool

BEGUN_WITHIN_S = 5.0
"""A purchase order that was made a moment ago is given so long until its workflow is there."""

ANSWER_WITHIN = timedelta(seconds=30)

PATIENCE_S = 60.0
"""A look at all levels may take this long."""


class Purchasing(PurchaseRecords):
    """Purchase orders with the decisions about them, which go through their workflows."""

    def __init__(
        self,
        pool: Pool,
        temporal: Client,
        *,
        task_queue: str,
        policy: PurchasingPolicy | None = None,
    ) -> None:
        super().__init__(pool, policy)
        self._temporal = temporal
        self._task_queue = task_queue

    async def approve(
        self,
        po_id: str,
        *,
        by: str,
        reason: str = "",
        as_buyer: bool = False,
        seen_minor: int | None = None,
    ) -> None:
        """Have it sent. Approving again changes nothing. Raises NotFound, Refused, Unreachable.

        `as_buyer`, `seen_minor`: see `PurchasingPolicy.check_approval`.
        """
        told = {"as_buyer": as_buyer, "seen_minor": seen_minor}
        await self._update(po_id, "approve", by, reason, **told)

    async def cancel(self, po_id: str, *, by: str, reason: str) -> None:
        """Cancel the outstanding units. Raises Refused if the supplier does not agree."""
        await self._update(po_id, "cancel", by, reason)

    async def replenish(self, *, within_s: float = PATIENCE_S) -> list[str]:
        """Look at all levels now; returns the new purchase orders. Refused: some was left out.

        Raises Unreachable where that takes longer than `within_s`. It goes on by itself.
        """
        running: Awaitable[dict[str, list[str]]] = self._temporal.execute_workflow(
            "Replenishment",
            {},
            id=f"{ids.replenishment_id(self._task_queue)}:{uuid.uuid4().hex[:8]}",
            task_queue=self._task_queue,
            static_summary="All stock levels are looked at, by hand",
            result_type=dict[str, list[str]],
            rpc_timeout=ANSWER_WITHIN,
        )
        try:
            answer = await asyncio.wait_for(running, within_s)
        except TimeoutError:
            raise Unreachable(
                f"the levels were not looked at within {within_s:.0f} s: is a worker running? "
                "It goes on by itself"
            ) from None
        except RPCError as error:
            raise unreachable(error) from error
        if answer["left_out"]:
            raise Refused(f"bought {answer['ordered']}, but not {'; '.join(answer['left_out'])}")
        return answer["ordered"]

    def resume_lost(self) -> AsyncIterator[Resumption]:
        """Have a worker take up those that Temporal has lost; see `Orders.resume_lost`."""
        return LostPurchases(self._pool, self._temporal).take_up_all()

    async def _update(self, po_id: str, name: str, by: str, reason: str, **told: Any) -> None:
        order = await self.order(po_id)
        handle = self._temporal.get_workflow_handle(ids.purchase_workflow_id(po_id))
        decision: dict[str, Any] = {"po_id": po_id, "by": by, "reason": reason, **told}
        over = order.state in ("closed", "cancelled")
        try:
            async for attempt in retry_context(
                on=lambda error: is_missing(error) and not over,
                attempts=None,
                timeout=BEGUN_WITHIN_S,
                wait_initial=0.2,
                wait_exp_base=1,
                wait_jitter=0,
            ):
                with attempt:
                    await update(
                        handle, name, decision, type(None), subject=po_id, within=ANSWER_WITHIN
                    )
        except RPCError as error:
            if not is_missing(error):
                raise unreachable(error, f"purchase order {po_id}") from error
            if over:
                raise Refused(f"purchase order {po_id} is {order.state}") from None
            raise Unreachable(
                f"{po_id} has no workflow yet: is a worker running? If Temporal has lost it, "
                "`orderloom resume --all-lost` helps"
            ) from None
