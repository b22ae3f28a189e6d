"""Refunds that do not come with a return: of units that stay, of shipping, or as goodwill."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from temporalio import workflow

from workflows.chapters.line_requests import requested_units
from workflows.chapters.payments import OrderPayments
from workflows.engine.refusals import refusal
from workflows.engine.runs import broken
from workflows.engine.steps import Steps
from workflows.state.order_book import OrderBook

with workflow.unsafe.imports_passed_through():
    from activities.payments.contracts import GrantRefund
    from activities.payments.payments import Payments
    from domain.orders.messages import LineRequest, RefundOutcome, RefundRequest
    from domain.orders.price_match_messages import PriceMatchRequest
    from domain.orders.refund_rules import Granted


class OrderRefunds:
    """Has refunds granted and pays them back, any number at once."""

    def __init__(self, steps: Steps, book: OrderBook, payments: OrderPayments) -> None:
        self._steps = steps
        self._book = book
        self._payments = payments
        self._tasks: list[asyncio.Task[None]] = []

    def take_up(self, owed: Iterable[Granted]) -> None:
        """Pay back what an earlier run has left owed."""
        self._tasks += [asyncio.create_task(self._payments.pay_back(each)) for each in owed]

    @property
    def pending(self) -> bool:
        """Money is on its way back, or owed."""
        return any(not task.done() for task in self._tasks)

    @property
    def idle(self) -> bool:
        """Nothing is under way."""
        return not self.pending and not any(broken(task) for task in self._tasks)

    async def all_ended(self) -> None:
        """Wait until nothing is owed for a request any more."""
        await workflow.wait_condition(lambda: not self.pending)
        for task in self._tasks:
            task.result()  # a fault of ours comes to light here, and can be mended

    def check(self, request: RefundRequest) -> None:
        """Raises ApplicationError where the request cannot be meant for this order.

        Whether the rules allow it is decided where it is granted, by rows.
        """
        requested_units(
            request.lines,
            self._book.lines,
            can=lambda line: line.returnable,
            check=lambda index, line_id, quantity: None,
        )

    def check_match(self, request: PriceMatchRequest) -> None:
        """The same of a lower price that is to be met."""
        requested_units(
            [LineRequest(line_id=request.line_id)],
            self._book.lines,
            can=lambda line: line.returnable,
            check=lambda index, line_id, quantity: None,
        )

    async def request(
        self, request: RefundRequest | PriceMatchRequest, request_id: str
    ) -> RefundOutcome:
        """Have a refund granted and pay it back, or say why it stays owed."""
        ask = GrantRefund(
            order_id=self._book.order_id,
            request_id=request_id,
            request=request,
            turn=workflow.uuid4().hex,
        )
        answer = await self._steps.record(
            Payments.grant_refund, ask, self._book.order_id, "Grant a refund"
        )
        if answer.refused is not None:
            no = answer.refused
            raise refusal(no.kind, no.message, reason=no.reason, instead=no.instead)
        if answer.asked is not None:
            return RefundOutcome(
                request_id=request_id,
                outcome="asked",
                refund_id="",
                amount=answer.asked,
                message="somebody in a role that may give it decides",
            )
        granted = answer.granted
        assert granted is not None  # it was not refused
        owed = await self.pay(granted)
        return RefundOutcome(
            request_id=request_id,
            outcome="owed" if owed else "refunded",
            refund_id=granted.refund_id,
            amount=granted.amount,
            message=owed,
        )

    async def pay(self, granted: Granted) -> str:
        """Pay back what was granted. Returns why it stays owed; empty where it is paid."""
        paying = asyncio.create_task(self._payments.pay_back(granted))
        self._tasks.append(paying)
        await workflow.wait_condition(
            lambda: paying.done() or self._payments.owes(granted.refund_id) is not None
        )
        parked = self._payments.owes(granted.refund_id)
        if parked is None:
            await paying
        return "" if parked is None else f"still owed: {parked.reason}"
