"""Places orders, and reads about them.

    async with service() as here:  # starter.service.connection
        placement = await here.orders.place(order)

Placing starts the order's workflow. All reads come from PostgreSQL, and so does the decision on an
order that was just placed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import (
    Priority,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from domain import ids
from domain.errors import Unreachable
from domain.money import to_decimal
from domain.orders.messages import (
    AttentionAnswer,
    Placement,
)
from domain.orders.order import Order
from domain.orders.policy import Policy
from starter.service.decisions import Decisions
from starter.service.updates import OrderRequests, unreachable
from store.database import Pool
from store.views import decisions, reads
from store.views.decisions import Sourced
from workflows.order import OrderWorkflow
from workflows.state.contracts import OrderInput

_A_DAY = timedelta(days=1)

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


class OrderRecords:
    """Reads about orders. They need the database alone."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def get(self, order_id: str) -> reads.OrderDetail:
        """Everything about an order. Raises NotFound."""
        async with self._pool.acquire() as conn:
            return await reads.detail(conn, order_id)

    async def list(
        self,
        *,
        channel: str | None = None,
        state: reads.OrderState | None = None,
        customer_id: str | None = None,
        attention: bool | None = None,
        placed_from: datetime | None = None,
        placed_to: datetime | None = None,
        at_most: int = 100,
    ) -> Sequence[reads.OrderSummary]:
        """Orders, newest first, that match every filter that is given."""
        async with self._pool.acquire() as conn:
            return await reads.summaries(
                conn,
                channel=channel,
                state=state,
                customer_id=customer_id,
                attention=attention,
                placed_from=placed_from,
                placed_to=placed_to,
                at_most=at_most,
            )

    async def events(self, order_id: str) -> Sequence[reads.EventRow]:
        """An order's story: its events, oldest first. Raises NotFound."""
        async with self._pool.acquire() as conn:
            return await reads.story(conn, order_id)

    async def news(self, order_id: str, *, after: int = 0) -> reads.News:
        """An order's state, and its events since the one with this number. Raises NotFound."""
        async with self._pool.acquire() as conn:
            return await reads.news(conn, order_id, after=after)

    async def states(self) -> Mapping[str, int]:
        """State → how many orders are in it. Of the finished ones, those of the last day.

        A shop has finished millions of orders: nobody who looks at today counts them all.
        """
        async with self._pool.acquire() as conn:
            return await reads.states(conn, finished_since=datetime.now(UTC) - _A_DAY)

    async def attention(self, order_ids: Sequence[str]) -> Sequence[reads.AttentionRow]:
        """The steps of these orders that need attention."""
        async with self._pool.acquire() as conn:
            return await reads.needing_attention(conn, order_ids)

    async def sourcing(self, order_id: str) -> Sequence[Sourced]:
        """Each choice of locations for an order, oldest first, with what spoke for it."""
        async with self._pool.acquire() as conn:
            return await decisions.sourcing(conn, order_id)


class Orders(OrderRecords):
    """Orders, with placing them and answering their steps. Safe to share between tasks.

    Every method may raise Unreachable when a server does not answer; nothing is lost by that, and
    the same call may be made again.
    """

    def __init__(
        self,
        pool: Pool,
        temporal: Client,
        requests: OrderRequests,
        *,
        task_queue: str,
        policy: Policy | None = None,
        channel_policies: Mapping[str, Policy] | None = None,
    ) -> None:
        super().__init__(pool)
        self._temporal = temporal
        self._requests = requests
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
        """The recorded decision on an order whose workflow is closed."""
        known = await self._decisions.on_record(order)
        if known is None:
            raise Unreachable(
                f"order {order.order_id} ended without a record; see its workflow "
                f"{ids.workflow_id(order.order_id)} in Temporal"
            )
        return known

    async def resolve_attention(self, order_id: str, answer: AttentionAnswer) -> None:
        """Tell a step that needs attention what to do. Raises Refused."""
        await self._requests.send(order_id, "resolve_attention", answer, type(None))


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
