"""Starts the workflows of orders on record. The door does it, and a worker's relay does it again.

An id has one running workflow at most: a second start, or one whose answer was lost, changes
nothing. After a run that ended by itself there is no other one. After one that Temporal has lost,
that failed or was terminated, there is another one only where somebody asks for it; and after the
end of a closed order, for what comes late.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, Final

from temporalio.client import Client, WithStartWorkflowOperation
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
from domain.orders.continuation import OrderInput
from domain.orders.starts import OrderStart
from domain.words import count_of

ORDER_NUMBER = SearchAttributeKey.for_keyword("OrderNumber")
ORDER_CHANNEL = SearchAttributeKey.for_keyword("OrderChannel")
ORDER_STATUS = SearchAttributeKey.for_keyword("OrderStatus")
ORDER_AMOUNT = SearchAttributeKey.for_float("OrderAmount")
ORDER_ATTENTION = SearchAttributeKey.for_bool("OrderAttention")

EXPRESS, USUAL, BULK = 1, 3, 5
"""Temporal's priority keys: work of a lower number is taken first where work has to wait."""

START_SECONDS_MAX: Final = 10.0
"""Temporal is given this long to take an order."""


async def start_order(client: Client, task_queue: str, start: OrderStart) -> bool:
    """Start the order's workflow. False: it had one, which has ended.

    Raises Unreachable when Temporal does not take it in time.
    """
    return await _start(
        client,
        task_queue,
        start,
        OrderInput(order_id=start.order_id, policy=start.policy),
        WorkflowIDReusePolicy.REJECT_DUPLICATE,
        WorkflowIDConflictPolicy.USE_EXISTING,
    )


async def start_again(
    client: Client, task_queue: str, start: OrderStart, *, begun: bool, settle: timedelta
) -> bool:
    """Start another run for an order that has none any more. False: one runs, or ended by itself.

    `begun`: an earlier run has done the first step, so this one goes on from the rows, which it
    reads after `settle`. Raises Unreachable when Temporal does not take it in time.
    """
    given = OrderInput(order_id=start.order_id, policy=start.policy)
    if begun:
        given = given.model_copy(update={"goes_on": True, "settle": settle})
    return await _start(
        client,
        task_queue,
        start,
        given,
        WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
        # Of several who start it at the same time, one learns that it was him.
        WorkflowIDConflictPolicy.FAIL,
    )


def late_run(task_queue: str, start: OrderStart) -> WithStartWorkflowOperation[Any, Any]:
    """What begins a run for a closed order, with a message that comes late for it."""
    given = OrderInput(order_id=start.order_id, policy=start.policy, goes_on=True)
    return WithStartWorkflowOperation(
        "Order",
        given,
        id=ids.workflow_id(start.order_id),
        task_queue=task_queue,
        # Several messages may come at once, and again later.
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        search_attributes=_search_attributes(start),
        static_summary=_headline(start),
        priority=_priority(start),
    )


async def _start(
    client: Client,
    task_queue: str,
    start: OrderStart,
    given: OrderInput,
    after_end: WorkflowIDReusePolicy,
    while_running: WorkflowIDConflictPolicy,
) -> bool:
    try:
        async with asyncio.timeout(START_SECONDS_MAX):
            await client.start_workflow(
                "Order",
                given,
                id=ids.workflow_id(start.order_id),
                task_queue=task_queue,
                id_conflict_policy=while_running,
                id_reuse_policy=after_end,
                search_attributes=_search_attributes(start),
                static_summary=_headline(start),
                priority=_priority(start),
            )
    except WorkflowAlreadyStartedError:
        return False
    except TimeoutError as error:
        raise Unreachable(f"Temporal did not answer within {START_SECONDS_MAX:.0f} s") from error
    except (RPCError, RuntimeError) as error:  # The latter: there is no connection to it.
        told = error.message if isinstance(error, RPCError) else "no connection"
        raise Unreachable(f"Temporal does not answer ({told})") from error
    return True


def _priority(start: OrderStart) -> Priority:
    """Express overtakes everything, and bulk nothing; channels of one kind take turns."""
    express = start.service.casefold().startswith("express")
    return Priority(
        priority_key=EXPRESS if express else BULK if start.bulk else USUAL,
        fairness_key=start.channel,
    )


def _search_attributes(start: OrderStart) -> TypedSearchAttributes:
    amount = float(to_decimal(start.total.minor, start.total.currency))
    return TypedSearchAttributes(
        [
            SearchAttributePair(ORDER_NUMBER, start.channel_order_id),
            SearchAttributePair(ORDER_CHANNEL, start.channel),
            SearchAttributePair(ORDER_STATUS, "open"),
            SearchAttributePair(ORDER_AMOUNT, amount),
            SearchAttributePair(ORDER_ATTENTION, False),
        ]
    )


def _headline(start: OrderStart) -> str:
    lines = count_of(start.lines, "line")
    return f"Order {start.channel_order_id} from {start.channel}: {lines}, {start.total}"
