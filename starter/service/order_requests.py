"""Requests to orders: sent to their workflows, or answered from what an ended one has answered."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.service import RPCError

from domain import ids
from domain.errors import Conflict, Ending, NotFound, OrderloomError, Refused, Unreachable
from domain.orders.messages import AttentionAnswer, OrderRequest, digest_of
from domain.orders.request_kinds import ALSO_LATE, BY_REQUEST, RESOLVE
from domain.orders.return_messages import ReturnRequest
from runtime.order_starts import late_run
from runtime.retries import retry_context
from starter.service.updates import (
    Starts,
    Taken,
    UnderWay,
    is_missing,
    not_ready,
    refusal_of,
    unreachable,
    update,
)
from store.aftersales import return_rules
from store.clock import now
from store.database import Pool
from store.orders import answers, open_orders
from store.views import reads

Request = OrderRequest | AttentionAnswer
Answer = TypeVar("Answer")

LATE_TRIES, ENDS_WITHIN_S = 3, 5.0
"""A message that came just as a run ended is for the next one."""

REFUSED_WITHIN: Final = timedelta(seconds=0.5)
"""A request is taken to be under way where nothing is said of it for so long."""

NOT_READY_TRIES, NOT_READY_PAUSE_S = 10, 0.1
"""A message that came as its order went over into a new run was not taken, and is sent again."""


class OrderRequests:
    """Sends requests to the workflows of orders, and finds the answers of those that have ended."""

    def __init__(self, pool: Pool, temporal: Client, *, task_queue: str) -> None:
        self._pool = pool
        self._temporal = temporal
        self._task_queue = task_queue

    async def send(
        self,
        order_id: str,
        request: Request,
        result: type[Answer],
        *,
        taken: Taken | None = None,
        update_id: str | None = None,
    ) -> Answer:
        """Send a request to an order and return its answer, also of an order that has ended.

        `update_id`: by which a run of the order knows a repeat of what has no request id.
        `taken` is called once the order has it: then it is met, whoever waits for the answer.
        Raises NotFound, Refused, Conflict where the request id was used for other content, and
        Unreachable.
        """
        handle = self._temporal.get_workflow_handle(ids.workflow_id(order_id))
        try:
            return await self._sent(
                handle, request, result, f"order {order_id}", taken=taken, update_id=update_id
            )
        except Ending:
            if not await self._may_come_late(order_id, request):
                raise
            await _at_its_end(handle)
            return await self._ended(order_id, request, result)
        except RPCError as error:
            if is_missing(error):
                return await self._ended(order_id, request, result)
            raise unreachable(error, f"order {order_id}") from error

    async def _sent(
        self,
        handle: WorkflowHandle[Any, Any],
        request: Request,
        result: type[Answer],
        subject: str,
        starts: Starts | None = None,
        taken: Taken | None = None,
        update_id: str | None = None,
    ) -> Answer:
        """Send an update until the workflow takes it. The server says so where it did not."""
        update_id = update_id or uuid.uuid4().hex
        if isinstance(request, OrderRequest) and request.request_id is None:
            # The library may send it again, and the order may be in its next run by then: there a
            # request is known by its own id, and no longer by that of the update.
            request = request.model_copy(update={"request_id": update_id})
        async for attempt in retry_context(
            on=not_ready,
            attempts=NOT_READY_TRIES,
            timeout=None,
            wait_initial=NOT_READY_PAUSE_S,
            wait_exp_base=1,
            wait_jitter=0,
        ):
            with attempt:
                answer = await update(
                    *(handle, _update_of(request), request, result),
                    subject=subject,
                    update_id=update_id,
                    starts=starts,
                    taken=taken,
                )
        return answer

    async def refusal_of(self, order_id: str, request: UnderWay) -> OrderloomError | None:
        """Why an order has refused a request that it had. None: it did not, or not yet.

        Raises Unreachable where Temporal does not answer.
        """
        handle = self._temporal.get_workflow_handle(ids.workflow_id(order_id))
        return await refusal_of(handle, request, within=REFUSED_WITHIN)

    async def _ended(self, order_id: str, request: Request, result: type[Answer]) -> Answer:
        """The answer that was given while the order was open, or one of a closed order.

        Raises Refused where there is none.
        """
        request_id = request.request_id if isinstance(request, OrderRequest) else None
        async with self._pool.acquire() as conn:
            summary = await reads.find_summary(conn, order_id)
            kept = await answers.find(conn, order_id, request_id) if request_id else None
        if summary is None:
            raise NotFound(f"there is no order {order_id}; `orderloom orders` lists what is there")
        if kept is not None and not isinstance(request, AttentionAnswer):
            if kept.digest != digest_of(request):
                raise Conflict(f"request {request_id} was made before with other content")
            return TypeAdapter(result).validate_python(kept.outcome)
        if summary.decision in ("received", "confirmed"):
            raise Unreachable(
                f"order {order_id} has no workflow in Temporal: where it was just placed, a worker "
                f"starts one within seconds, so try again; else `orderloom resume {order_id}` does"
            )
        closed = summary.decision == "closed"
        if closed and await self._may_come_late(order_id, request):
            return await self._late(order_id, request, result)
        late = closed and isinstance(request, ReturnRequest)
        but = ", but for a late return (--late)" if late else ""
        raise Refused(
            f"order {order_id} is {summary.state} since {summary.decided_at:%Y-%m-%d %H:%M %Z}"
            f"{f' ({summary.reason})' if summary.reason else ''}; nothing can be changed{but}",
            reason=f"order_{summary.decision}",
        )

    async def _may_come_late(self, order_id: str, request: Request) -> bool:
        """Whether a closed order takes it, too.

        The rules of returns can have a longer window than the order's policy, by which it closes.
        """
        if not isinstance(request, ReturnRequest) or request.late:
            return isinstance(request, ALSO_LATE)
        async with self._pool.acquire() as conn:
            ends = await return_rules.window_of(conn, order_id)
        return ends is not None and now() < ends

    async def _late(self, order_id: str, request: Request, result: type[Answer]) -> Answer:
        """Have a closed order meet a request, in a run of its own."""
        async with self._pool.acquire() as conn:
            standing = (await open_orders.of_ids(conn, [order_id]))[order_id]
        starts = self._temporal, partial(late_run, self._task_queue, standing.start)
        handle = self._temporal.get_workflow_handle(ids.workflow_id(order_id))
        try:
            async for attempt in retry_context(
                on=Ending, attempts=LATE_TRIES, timeout=None, wait_initial=0, wait_jitter=0
            ):
                with attempt:
                    if attempt.num > 1:
                        await _at_its_end(handle)
                    answer = await self._sent(handle, request, result, f"order {order_id}", starts)
        except RPCError as error:
            raise unreachable(error, f"order {order_id}") from error
        return answer


def _update_of(request: Request) -> str:
    return RESOLVE if isinstance(request, AttentionAnswer) else BY_REQUEST[type(request)].update


async def _at_its_end(handle: WorkflowHandle[Any, Any]) -> None:
    """Wait until the workflow has ended, for some seconds at most."""
    with suppress(TimeoutError, WorkflowFailureError):
        await asyncio.wait_for(handle.result(), ENDS_WITHIN_S)
