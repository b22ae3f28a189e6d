"""The client through which channels and customer service work with orders.

    async with service() as here:  # starter.service.service
        placement = await here.orders.place(order)

Placing starts the order's workflow, cancelling and returning go to it; reads come from PostgreSQL,
the decision on a placed order included.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from pydantic import TypeAdapter
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.common import (
    Priority,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from domain import ids
from domain.errors import Conflict, NotFound, Refused, Unreachable
from domain.money import to_decimal
from domain.orders.messages import (
    AttentionAnswer,
    CancelOutcome,
    CancelRequest,
    ChargeRequest,
    PayOutcome,
    PayRequest,
    Placement,
    RefundOutcome,
    RefundRequest,
    ReturnOutcome,
    ReturnRequest,
    digest_of,
)
from domain.orders.order import Order
from domain.orders.policy import Policy
from starter.service.decisions import Decisions
from starter.service.updates import unreachable, update
from store.database import Pool
from store.orders.answers import find as find_answer
from store.views import reads
from workflows.order import OrderWorkflow
from workflows.state.contracts import OrderInput

Request = TypeVar(
    "Request",
    CancelRequest,
    ReturnRequest,
    RefundRequest,
    PayRequest,
    ChargeRequest,
    AttentionAnswer,
)
Answer = TypeVar("Answer")

ORDER_NUMBER = SearchAttributeKey.for_keyword("OrderNumber")
ORDER_CHANNEL = SearchAttributeKey.for_keyword("OrderChannel")
ORDER_STATUS = SearchAttributeKey.for_keyword("OrderStatus")
ORDER_AMOUNT = SearchAttributeKey.for_float("OrderAmount")
ORDER_ATTENTION = SearchAttributeKey.for_bool("OrderAttention")

EXPRESS, USUAL, BULK = 1, 3, 5
"""Temporal's priority keys: work of a lower number is taken first where work has to wait."""

ANSWER_WITHIN = timedelta(seconds=10)
"""Placing waits this long for the decision; then the order goes on by itself, in progress."""

START_WITHIN = timedelta(seconds=10)
"""Temporal is given this long to take an order."""

NOT_READY_TRIES, NOT_READY_PAUSE_S = 10, 0.1
"""A message that came as its order went over into a new run was not taken, and is sent again."""


class OrderClient:
    """Places orders, speaks to them, and reads about them. Safe to share between tasks.

    Every method may raise Unreachable when a server does not answer; nothing is lost by that, and
    the same call may be made again.
    """

    def __init__(
        self,
        temporal: Client,
        pool: Pool,
        *,
        task_queue: str = "orderloom",
        policy: Policy | None = None,
        channel_policies: Mapping[str, Policy] | None = None,
    ) -> None:
        self._temporal = temporal
        self._pool = pool
        self._task_queue = task_queue
        self._policy = policy or Policy()
        self._channel_policies = channel_policies or {}
        self._decisions = Decisions(pool)

    async def place(
        self,
        order: Order,
        *,
        policy: Policy | None = None,
        answer_within: timedelta = ANSWER_WITHIN,
        bulk: bool = False,
    ) -> Placement:
        """Place an order, once however often it is placed.

        `bulk`: it is one of many, and lets others pass while work is waiting for workers.
        Answers confirmed, rejected or held with the reason, or in_progress when the decision takes
        longer than `answer_within`. Raises Conflict when the id was used for other content.
        """
        known = await self._decisions.on_record(order)
        if known is not None:
            return known
        try:
            await self._temporal.start_workflow(
                OrderWorkflow.run,
                OrderInput(order=order, policy=policy or self._policy_of(order)),
                id=ids.workflow_id(order.order_id),
                task_queue=self._task_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                search_attributes=_search_attributes(order),
                static_summary=_headline(order),
                priority=_priority(order, bulk=bulk),
                rpc_timeout=START_WITHIN,
            )
        except WorkflowAlreadyStartedError:
            return await self._ended_as(order)  # meanwhile, or long ago
        except RPCError as error:
            raise unreachable(error) from error
        try:
            return await asyncio.wait_for(self._decisions.of(order), answer_within.total_seconds())
        except TimeoutError:
            return await self._undecided(order)

    def _policy_of(self, order: Order) -> Policy:
        return self._channel_policies.get(order.channel, self._policy)

    async def _undecided(self, order: Order) -> Placement:
        handle = self._temporal.get_workflow_handle(ids.workflow_id(order.order_id))
        try:
            description = await handle.describe(rpc_timeout=START_WITHIN)
        except RPCError as error:
            raise unreachable(error) from error
        if description.status != WorkflowExecutionStatus.RUNNING:
            return await self._ended_as(order)
        return Placement(
            order_id=order.order_id,
            outcome="in_progress",
            reason="accepted; no decision yet",
        )

    async def _ended_as(self, order: Order) -> Placement:
        """What is on record of an order whose workflow is closed."""
        known = await self._decisions.on_record(order)
        if known is None:
            raise Unreachable(
                f"order {order.order_id} ended without a record; see its workflow "
                f"{ids.workflow_id(order.order_id)} in Temporal"
            )
        return known

    async def cancel(self, order_id: str, request: CancelRequest) -> CancelOutcome:
        """Cancel an order or some of its units; says what became of each. Raises Refused."""
        return await self._update(order_id, "cancel_order", request, CancelOutcome)

    async def request_return(self, order_id: str, request: ReturnRequest) -> ReturnOutcome:
        """Ask to send units back. Raises Refused with the reason."""
        return await self._update(order_id, "return_items", request, ReturnOutcome)

    async def refund(self, order_id: str, request: RefundRequest) -> RefundOutcome:
        """Pay something back that comes with no return. Raises Refused with the reason."""
        return await self._update(order_id, "refund_order", request, RefundOutcome)

    async def pay(self, order_id: str, request: PayRequest) -> PayOutcome:
        """The customer pays an order that is held for it, with a new token. Raises Refused."""
        return await self._update(order_id, "pay_order", request, PayOutcome)

    async def charge(self, order_id: str, request: ChargeRequest) -> PayOutcome:
        """Charge an order that waits for somebody to say so. Raises Refused."""
        return await self._update(order_id, "charge_order", request, PayOutcome)

    async def resolve_attention(self, order_id: str, answer: AttentionAnswer) -> None:
        """Tell a step that needs attention what to do. Raises Refused."""
        await self._update(order_id, "resolve_attention", answer, type(None))

    async def get(self, order_id: str) -> reads.OrderDetail:
        """All there is about an order. Raises NotFound."""
        async with self._pool.acquire() as conn:
            return await reads.detail(conn, order_id)

    async def list(self, **filters: Any) -> Sequence[reads.OrderSummary]:
        """Orders, newest first; filters as `store.views.reads.summaries` takes them."""
        async with self._pool.acquire() as conn:
            return await reads.summaries(conn, **filters)

    async def events(self, order_id: str) -> Sequence[reads.EventRow]:
        """What happened to an order, oldest first. Raises NotFound."""
        async with self._pool.acquire() as conn:
            return await reads.story(conn, order_id)

    async def _update(
        self, order_id: str, name: str, request: Request, result: type[Answer]
    ) -> Answer:
        handle = self._temporal.get_workflow_handle(ids.workflow_id(order_id))
        try:
            return await self._sent(handle, name, request, result, f"order {order_id}")
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return await self._ended(order_id, request, result)
            raise unreachable(error) from error

    async def _sent(
        self,
        handle: WorkflowHandle[Any, Any],
        name: str,
        request: Request,
        result: type[Answer],
        subject: str,
    ) -> Answer:
        """Send an update until the workflow takes it. The server says so where it did not."""
        update_id = uuid.uuid4().hex
        if getattr(request, "request_id", update_id) is None:
            # The library may send it again, and the order may be in its next run by then: there a
            # request is known by its own id, and no longer by that of the update.
            request = request.model_copy(update={"request_id": update_id})
        tries = 1
        while True:
            try:
                return await update(
                    handle, name, request, result, subject=subject, update_id=update_id
                )
            except RPCError as error:
                not_ready = error.status == RPCStatusCode.FAILED_PRECONDITION
                if not not_ready or tries == NOT_READY_TRIES:
                    raise
                tries += 1
                await asyncio.sleep(NOT_READY_PAUSE_S)

    async def _ended(self, order_id: str, request: Request, result: type[Answer]) -> Answer:
        """The answer that was given while the order was open. Raises Refused where none was."""
        request_id = getattr(request, "request_id", None)
        async with self._pool.acquire() as conn:
            summary = await reads.find_summary(conn, order_id)
            kept = await find_answer(conn, order_id, request_id) if request_id else None
        if summary is None:
            raise NotFound(f"there is no order {order_id}; `orderloom orders` lists what is there")
        if kept is not None and not isinstance(request, AttentionAnswer):
            if kept.digest != digest_of(request):
                raise Conflict(f"request {request_id} was made before with other content")
            return TypeAdapter(result).validate_python(kept.outcome)
        raise Refused(
            f"order {order_id} is {summary.state} since {summary.decided_at:%Y-%m-%d %H:%M %Z}"
            f"{f' ({summary.reason})' if summary.reason else ''}; nothing can be changed"
        )


def _priority(order: Order, *, bulk: bool) -> Priority:
    """Express overtakes everything, and bulk nothing; channels of one kind take turns."""
    express = order.shipping.service.casefold().startswith("express")
    return Priority(
        priority_key=EXPRESS if express else BULK if bulk else USUAL, fairness_key=order.channel
    )


def _search_attributes(order: Order) -> TypedSearchAttributes:
    amount = float(to_decimal(order.total_minor, order.currency))
    return TypedSearchAttributes(
        [
            SearchAttributePair(ORDER_NUMBER, order.channel_order_id),
            SearchAttributePair(ORDER_CHANNEL, order.channel),
            SearchAttributePair(ORDER_STATUS, "open"),
            SearchAttributePair(ORDER_AMOUNT, amount),
            SearchAttributePair(ORDER_ATTENTION, False),
        ]
    )


def _headline(order: Order) -> str:
    amount = to_decimal(order.total_minor, order.currency)
    lines = "1 line" if len(order.lines) == 1 else f"{len(order.lines)} lines"
    return f"{order.channel} {order.channel_order_id}: {lines}, {amount} {order.currency}"
