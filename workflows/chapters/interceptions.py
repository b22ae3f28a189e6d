"""Parcels that are stopped on their way, or come back and go out once more.

Rows decide whether a parcel is on its way, so this chapter remembers nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from temporalio import workflow

from workflows.chapters.deliveries import OrderDeliveries
from workflows.chapters.return_answers import said_no
from workflows.engine.outcomes import Done
from workflows.engine.refusals import refusal, refused
from workflows.engine.steps import Steps
from workflows.state.fulfilment import Fulfilment
from workflows.state.order_book import OrderBook

with workflow.unsafe.imports_passed_through():
    from activities.aftersales.sending_anew import SendAnew, SendingAnew
    from activities.fulfilment.interceptions import Intercept, Interceptions
    from domain.orders.interception_messages import (
        InterceptOutcome,
        InterceptRequest,
        SendAnewOutcome,
        SendAnewRequest,
    )


class OrderInterceptions:
    """Asks carriers to stop parcels."""

    def __init__(
        self,
        steps: Steps,
        book: OrderBook,
        deliveries: OrderDeliveries,
        on_record: Callable[[], Awaitable[None]],
    ) -> None:
        self._steps = steps
        self._book = book
        self._deliveries = deliveries
        self._on_record = on_record  # waits until the order's terms are known

    def check(self, request: InterceptRequest | SendAnewRequest) -> None:
        """Raises ApplicationError where this order has no such fulfilment."""
        if request.fulfilment_id not in self._book.fulfilments:
            raise refused(
                f"{request.fulfilment_id} is no fulfilment of order {self._book.order_id}",
                reason="other_order",
            )

    async def send_anew(self, request: SendAnewRequest, request_id: str) -> SendAnewOutcome:
        """Have a parcel sent once more when it is back."""
        await self._on_record()
        self.check(request)
        part_id = request.fulfilment_id
        await self._deliveries.heard()
        await self._return_is_there(self._book.fulfilments[part_id])
        ask = SendAnew(
            order_id=self._book.order_id,
            request_id=request_id,
            request=request,
            turn=workflow.uuid4().hex,
        )
        answer = await self._steps.record(
            SendingAnew.send_anew, ask, part_id, f"Have {part_id} sent anew when it is back"
        )
        no = answer.refused
        if no is not None:
            raise said_no(no)
        return SendAnewOutcome(
            request_id=request_id, fulfilment_id=part_id, return_id=answer.return_id
        )

    async def _return_is_there(self, fulfilment: Fulfilment) -> None:
        """One that turns back has a return, which is written down when the order has heard."""
        await workflow.wait_condition(
            lambda: (
                fulfilment.ended
                or bool(fulfilment.return_id)
                or fulfilment.outcome != "undeliverable"
            )
        )

    async def meet(self, request: InterceptRequest, request_id: str) -> InterceptOutcome:
        """Have the carrier asked. A person is told when it does not answer, and may give it up.

        Once the parcel's way has ended, nobody needs the answer any more.
        """
        await self._on_record()
        self.check(request)
        part_id, fulfilment = request.fulfilment_id, self._book.fulfilments[request.fulfilment_id]
        ask = Intercept(
            order_id=self._book.order_id,
            request_id=request_id,
            request=request,
            turn=workflow.uuid4().hex,
        )
        outcome = await self._steps.call(
            Interceptions.intercept_parcel,
            lambda _: ask,
            part_id,
            f"Stop {part_id} on its way",
            allowed=("retry", "cancel"),
            unless=lambda: bool(fulfilment.outcome or fulfilment.return_id),
        )
        if isinstance(outcome, Done):
            answer = outcome.result
        else:
            answer = await self._steps.record(
                Interceptions.intercept_parcel,
                ask.model_copy(update={"given_up": True}),
                part_id,
                f"Nobody waits any more for whether {part_id} is stopped",
            )
        no = answer.refused
        if no is not None:
            raise refusal(no.kind, no.message, reason=no.reason, instead=no.instead)
        return InterceptOutcome(
            request_id=request_id,
            fulfilment_id=part_id,
            way=request.way,
            fee=answer.fee,
        )
