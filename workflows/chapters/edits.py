"""Changes of a placed order: more is authorized first, and then all of it is applied, or nothing.

What can be changed is decided where it is written, by rows. Between the bank's yes and that the
order may have changed once more: then the look begins again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Container, Mapping
from typing import Final

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from workflows.chapters.backorders import OrderBackorders
from workflows.chapters.cancellations import OrderCancellations
from workflows.chapters.fulfilments import OrderFulfilments
from workflows.chapters.payments import OrderPayments
from workflows.engine.outcomes import Abandoned
from workflows.engine.outcomes import Refused as SaidNo
from workflows.engine.refusals import refused
from workflows.engine.steps import Steps
from workflows.state.order_book import OrderBook

with workflow.unsafe.imports_passed_through():
    from activities.orders.order_records import Notice, OrderRecords
    from activities.stock.edits import Edits
    from domain.orders.continuation import BegunRequest
    from domain.orders.edit_messages import EditOutcome, EditRequest
    from domain.orders.quantities import LineId, LineUnits
    from domain.stock.edit_answers import Applied, ApplyEdit, EditAnswer

LOOKS_MAX: Final = 4
"""An authorization that ends at once, or an order that changes each time, ends the edit."""


class OrderEdits:
    """Changes one order, one request at a time, and never while units are being cancelled."""

    def __init__(
        self,
        steps: Steps,
        book: OrderBook,
        fulfilments: OrderFulfilments,
        backorders: OrderBackorders,
        cancellations: OrderCancellations,
        payments: OrderPayments,
        on_record: Callable[[], Awaitable[None]],
    ) -> None:
        """`on_record`: waits until the order's terms are known; raises where it has ended."""
        self.open = 0  # requests that are being met: the order does not end meanwhile
        self._on_record = on_record
        self._steps = steps
        self._book = book
        self._payments = payments
        self._fulfilments = fulfilments
        self._backorders = backorders
        self._cancellations = cancellations
        self._before: Container[str] = ()

    def take_up(self, begun: Mapping[str, BegunRequest]) -> None:
        """Earlier runs have changed the order for these requests, and not answered them."""
        self._before = {request_id for request_id, each in begun.items() if each.edited}

    async def meet(self, request: EditRequest, request_id: str) -> EditOutcome:
        """Change the order. An ApplicationError says why not, and it is as it was then."""
        self.open += 1
        try:
            await self._on_record()
            return await self._edit(request, request_id)
        finally:
            self.open -= 1

    async def _edit(self, request: EditRequest, request_id: str) -> EditOutcome:
        async with self._cancellations.one_at_a_time:
            applied = await self._whole_or_not_at_all(request, request_id)
        if request_id not in self._before:  # or else what follows is taken up from rows
            await self._settle(applied)
        return applied.outcome

    async def _whole_or_not_at_all(self, request: EditRequest, request_id: str) -> Applied:
        """Look, do what has to be done first, and look again, until it is applied or refused.

        Refused, what was authorized for it is released.
        """
        asked = self._book.authorizations_asked
        try:
            return await self._looked_at(request, request_id)
        except ApplicationError:
            if self._book.authorizations_asked > asked:
                await self._payments.authorizations.release_beyond_need(
                    request_id, "the order was not changed after all"
                )
            raise

    async def _looked_at(self, request: EditRequest, request_id: str) -> Applied:
        called_back: frozenset[LineId] = frozenset()
        for _ in range(LOOKS_MAX):
            answer = await self._apply(request, request_id, called_back)
            if answer.applied is not None:
                return answer.applied
            if answer.refused is not None:
                no = answer.refused
                raise ApplicationError(
                    no.message,
                    {"reason": no.reason, "instead": list(no.instead)},
                    type=no.kind,
                    non_retryable=True,
                )
            if answer.to_call_back:
                await self._call_back(answer.to_call_back, request)
                called_back |= answer.to_call_back.keys()
            else:
                await self._authorize(answer, request, request_id)
        raise refused(
            "what is authorized does not last until the order is changed: ask again",
            reason="not_authorized",
            instead=("edit_order",),
        )

    async def _settle(self, applied: Applied) -> None:
        """What is paid back, and labels that are given back, may need a person."""
        found = self._book.fulfilments
        await asyncio.gather(
            *(self._fulfilments.left_alone(found[each], "taken away") for each in applied.emptied),
            *(
                self._fulfilments.recalls.give_label_back(found[each])
                for each in applied.labels_unused
            ),
            *(self._payments.pay_back(granted) for granted in applied.refunds),
        )

    async def _apply(
        self, request: EditRequest, request_id: str, called_back: frozenset[LineId]
    ) -> EditAnswer:
        """Have it applied. The book follows at once: nothing else looks at it in between."""
        async with self._book.allocating:
            self._book.being_edited = True
            try:
                answer = await self._steps.record(
                    Edits.apply_edit,
                    ApplyEdit(
                        order_id=self._book.order_id,
                        request_id=request_id,
                        request=request,
                        fulfilments={k: p.units for k, p in self._book.fulfilments.items()},
                        waiting=self._book.waiting,
                        round=self._book.round,
                        called_back=called_back,
                        turn=workflow.uuid4().hex,
                    ),
                    self._book.order_id,
                    "Change the order",
                )
                if answer.applied is not None and request_id not in self._before:
                    self._note(answer.applied)
            finally:
                self._book.being_edited = False
        return answer

    def _note(self, applied: Applied) -> None:
        for part_id in applied.emptied:
            self._book.fulfilments[part_id].recalled = True
        self._book.taken_away(applied.waited_for, applied.taken)
        self._book.edited(applied.terms)
        self._book.backordered(applied.backordered)
        for planned in applied.fulfilments:
            self._fulfilments.start(self._book.allocated(planned))

    async def _call_back(self, units: LineUnits, request: EditRequest) -> None:
        """Have suppliers stop what they were asked for. Raises where one of them does not."""
        kept = await self._backorders.call_back(units, request.reason, request.by)
        if kept:
            raise refused(
                f"units of line {', '.join(sorted(kept))} were bought for this order, and their "
                "supplier does not stop them any more",
                reason="with_supplier",
                instead=("return_items",),
            )

    async def _authorize(self, answer: EditAnswer, request: EditRequest, request_id: str) -> None:
        """Have more authorized. Raises where the bank says no."""
        assert answer.to_authorize is not None  # it is neither applied nor refused
        stopped = await self._payments.authorizations.authorize_edit(
            answer.to_authorize, unless=self._cancellations.one_waits
        )
        match stopped:
            case SaidNo(message=why):
                await self._steps.record(
                    OrderRecords.tell,
                    Notice(
                        order_id=self._book.order_id,
                        effect=f"edit_declined:{request_id}",
                        what="edit refused",
                        why=f"no more is authorized: {why}",
                        who=request.by,
                    ),
                    self._book.order_id,
                    "No more is authorized",
                )
                raise refused(
                    f"no more is authorized: {why}; the order is as it was",
                    reason="declined",
                    instead=("edit_order",),
                )
            case Abandoned(message=why):
                raise refused(
                    f"nothing was changed: {why}", reason="given_up", instead=("edit_order",)
                )
