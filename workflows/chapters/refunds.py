"""Refunds that do not come with a return: of units that stay, of shipping, or as goodwill."""

from __future__ import annotations

import asyncio

from temporalio import workflow

from workflows.chapters.line_requests import requested_units
from workflows.chapters.payments import OrderPayments
from workflows.engine.refusals import refuse, refused
from workflows.engine.runs import broken
from workflows.engine.steps import Steps
from workflows.state.charges import Owed
from workflows.state.order_book import OrderBook

with workflow.unsafe.imports_passed_through():
    from activities.payments.contracts import MayRefund
    from activities.payments.payments import Payments
    from domain import ids
    from domain.errors import InvalidInput
    from domain.money import to_minor
    from domain.orders.messages import RefundKind, RefundOutcome, RefundRequest
    from domain.orders.policy import Policy
    from domain.orders.quantities import LineId, LineUnits


class OrderRefunds:
    """Grants refunds and pays them back, any number at once."""

    def __init__(
        self, steps: Steps, book: OrderBook, payments: OrderPayments, policy: Policy, numbered: int
    ) -> None:
        self._steps = steps
        self._book = book
        self._payments = payments
        self._policy = policy
        self.numbered = numbered
        self._tasks: list[asyncio.Task[None]] = []

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
        """Raises ApplicationError where the rules do not allow this refund."""
        if request.lines:
            self._units(request)
        elif request.amount is not None:
            self._amount(request)
        elif not self._book.charges.refundable.only_shipping.total:
            raise refused("no shipping is charged that could be paid back")

    async def request(self, request: RefundRequest, request_id: str) -> RefundOutcome:
        """Grant a refund and pay it back, or say why it stays owed."""
        ask = MayRefund(order_id=self._book.order_id)
        may = await self._steps.record(
            Payments.may_refund, ask, self._book.order_id, "May it be paid back?"
        )
        if may.why_not:
            raise refused(may.why_not)
        self.check(request)  # again: other requests came meanwhile
        owed, kind = self._grant(request)
        self.numbered += 1
        refund_id = ids.refund_id(self._book.order_id, self.numbered)
        paying = asyncio.create_task(
            self._payments.refund(
                refund_id, owed, request.reason, kind=kind, to=request.to, who=request.by
            )
        )
        self._tasks.append(paying)
        await workflow.wait_condition(
            lambda: paying.done() or self._payments.owes(refund_id) is not None
        )
        parked = self._payments.owes(refund_id)
        if parked is None:
            await paying
        return RefundOutcome(
            request_id=request_id,
            outcome="refunded" if parked is None else "owed",
            refund_id=refund_id,
            amount=self._book.money(owed.worth.total),
            message="" if parked is None else f"still owed: {parked.reason}",
        )

    def _grant(self, request: RefundRequest) -> tuple[Owed, RefundKind]:
        """Count it at once, before anything is awaited: two requests never get the same."""
        if request.lines:
            owed = self._book.charges.concede(self._units(request), shipping=request.shipping)
            return owed, "units"
        if request.amount is not None:
            return self._book.charges.refund_amount(self._amount(request)), "goodwill"
        return self._book.charges.refund_shipping(), "shipping"

    def _amount(self, request: RefundRequest) -> int:
        """The goodwill asked for, in minor units."""
        assert request.amount is not None
        try:
            amount = to_minor(request.amount, self._book.terms.currency)
        except InvalidInput as error:
            raise refuse(InvalidInput(str(error), where="amount")) from None
        money, charges = self._book.money, self._book.charges
        left = charges.refundable.total
        if amount > left:
            raise refused(f"{money(amount)} is more than the {money(left)} that can be paid back")
        most = charges.charged.total * self._policy.goodwill_percent_max // 100
        if charges.goodwill + amount > most:
            given = f", {money(charges.goodwill)} of it given" if charges.goodwill else ""
            raise refused(
                f"{money(amount)} is more than goodwill may come to: {money(most)} "
                f"({self._policy.goodwill_percent_max} % of what was charged){given}"
            )
        return amount

    def _units(self, request: RefundRequest) -> LineUnits:
        lines = self._book.lines

        def check(_: int, line_id: LineId, quantity: int) -> None:
            most = lines[line_id].concedable
            if not 0 < quantity <= most:
                raise refused(
                    f"line {line_id}: {quantity} cannot be paid back; {most} can: "
                    "the customer has them, is not sending them back, and has not been paid back"
                )

        return requested_units(request.lines, lines, can=lambda line: line.concedable, check=check)
