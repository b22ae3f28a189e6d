"""The messages to an order: updates, which are answered, and signals, which are not."""

from __future__ import annotations

from collections.abc import Sequence

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from workflows.chapters.cancellations import OrderCancellations, tell_asked
from workflows.chapters.payments import OrderPayments
from workflows.chapters.refunds import OrderRefunds
from workflows.chapters.returns import OrderReturns
from workflows.engine.inbox import NOTHING, Inbox, SignalMessage, parse_signal, parse_update
from workflows.engine.refusals import refuse, refused
from workflows.engine.runs import Runs
from workflows.engine.steps import Steps
from workflows.state.contracts import OrderEnd, OrderView
from workflows.state.order_book import OrderBook

with workflow.unsafe.imports_passed_through():
    from activities.orders.order_records import Notice, OrderRecords
    from domain.errors import Ending, InvalidInput
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
    )


class OrderMessages:
    """The messages to an order. A request is met once; the story goes on meanwhile."""

    order_id: str
    phase: str
    placement: Placement | None
    never_began: OrderEnd
    over_before = False  # it had ended before this run began
    book: OrderBook
    steps: Steps
    runs: Runs
    inbox: Inbox
    payments: OrderPayments
    returns: OrderReturns
    refunds: OrderRefunds
    cancellations: OrderCancellations
    unwanted = False  # somebody asked to cancel the whole order
    cancels_open = 0

    # Updates are taken raw, too: the SDK's words for a message that does not fit help nobody.

    @workflow.update
    async def cancel_order(self, given: RawValue = NOTHING) -> CancelOutcome:
        """Cancel all or some units; answers with what became of each."""
        return await self.cancel(parse_update(CancelRequest, given))

    @cancel_order.validator
    def _may_cancel(self, given: RawValue = NOTHING) -> None:
        self.check_cancel(parse_update(CancelRequest, given))

    @workflow.update
    async def return_items(self, given: RawValue = NOTHING) -> ReturnOutcome:
        """Ask to send units back; answers with the return's id, or refuses with the reason."""
        return await self.take_back(parse_update(ReturnRequest, given))

    @return_items.validator
    def _may_return(self, given: RawValue = NOTHING) -> None:
        request = parse_update(ReturnRequest, given)
        if not self.inbox.knows(request):
            self.check_open()
            if self.book.known:
                self.returns.check(request)

    @workflow.update
    async def refund_order(self, given: RawValue = NOTHING) -> RefundOutcome:
        """Pay something back that comes with no return; answers with what became of it."""
        return await self.pay_back(parse_update(RefundRequest, given))

    @refund_order.validator
    def _may_refund(self, given: RawValue = NOTHING) -> None:
        self.check_refund(parse_update(RefundRequest, given))

    @workflow.update
    async def pay_order(self, given: RawValue = NOTHING) -> PayOutcome:
        """The customer comes with a new token for an order that is held for payment."""
        return await self.pay(parse_update(PayRequest, given))

    @pay_order.validator
    def _may_pay(self, given: RawValue = NOTHING) -> None:
        request = parse_update(PayRequest, given)
        if not self.inbox.knows(request):
            self.payments.offers.check_pay()

    @workflow.update
    async def charge_order(self, given: RawValue = NOTHING) -> PayOutcome:
        """Charge an order that waits for somebody to say so."""
        return await self.charge(parse_update(ChargeRequest, given))

    @charge_order.validator
    def _may_charge(self, given: RawValue = NOTHING) -> None:
        request = parse_update(ChargeRequest, given)
        if not self.inbox.knows(request):
            self.check_open()
            self.payments.check_charge()

    @workflow.update
    async def resolve_attention(self, given: RawValue = NOTHING) -> None:
        """An operator's decision about a step that needs attention."""
        self.steps.attention.answer(parse_update(AttentionAnswer, given))

    @resolve_attention.validator
    def _may_resolve(self, given: RawValue = NOTHING) -> None:
        self.steps.attention.check_answer(parse_update(AttentionAnswer, given))

    @workflow.signal(dynamic=True)
    async def on_signal(self, name: str, payloads: Sequence[RawValue]) -> None:
        """`cancel`, `request_return`, `refund` and the others, without waiting for an answer.

        Taken raw: one that does not fit its type would vanish. Its refusal is in the order's story.
        """
        try:
            message = parse_signal(name, payloads)
        except InvalidInput as error:
            await self.report_refusal(name, str(error))
        else:
            await self.heed(name, message)

    @workflow.query
    def view(self) -> OrderView:
        """Where the workflow stands, for debugging."""
        return OrderView(
            phase=self.phase,
            lines={line_id: line.model_dump() for line_id, line in self.book.lines.items()},
            fulfilments={p.id: p.outcome or p.stage for p in self.book.fulfilments.values()},
            attention={parked.step: parked.reason for parked in self.steps.attention.unanswered},
        )

    async def heed(self, name: str, message: SignalMessage) -> None:
        """Do what a signal asks for, or tell in the order's story why not."""
        try:
            await self.obey(message)
        except ApplicationError as error:
            await self.report_refusal(name, error.message)

    async def obey(self, message: SignalMessage) -> None:
        """Do what a signal asks for, in the same way as the update of that kind."""
        match message:
            case CancelRequest():
                self.check_cancel(message)
                outcome = await self.cancel(message)
                if outcome.outcome != "cancelled":
                    await self.report_refusal("cancel", outcome.message)
            case ReturnRequest():
                if not self.inbox.knows(message):
                    self.check_open()
                await self.take_back(message)
            case RefundRequest():
                self.check_refund(message)
                await self.pay_back(message)
            case PayRequest():
                await self.pay(message)
            case ChargeRequest():
                charged = await self.charge(message)
                if charged.outcome != "accepted":
                    await self.report_refusal("charge", charged.message)
            case AttentionAnswer():
                self.steps.attention.answer(message)

    async def cancel(self, request: CancelRequest) -> CancelOutcome:
        """Cancel once per request id. Waits until the order is placed: its money is then known."""
        self.runs.look()

        async def act(request_id: str) -> CancelOutcome:
            self.cancels_open += 1
            self.unwanted = self.unwanted or not request.lines
            try:
                await workflow.wait_condition(lambda: self.book.known or self.placement is not None)
                if self.placement is None:
                    await tell_asked(self.steps, self.order_id, request, request_id)
                await workflow.wait_condition(lambda: self.placement is not None)
                if self.over_before:
                    self.check_open()
                placed = self.placement
                if placed is not None and placed.outcome == "rejected":
                    return self.cancellations.too_early(request_id, self.never_began, placed)
                return await self.cancellations.cancel(request, request_id)
            finally:
                self.cancels_open -= 1

        return await self.inbox.once(request, act)

    async def take_back(self, request: ReturnRequest) -> ReturnOutcome:
        """Approve a return once per request id."""
        self.runs.look()

        async def act(request_id: str) -> ReturnOutcome:
            # Before the order's terms are known, nobody can say what of it can be sent back.
            await workflow.wait_condition(lambda: self.book.known or self.placement is not None)
            self.check_open()  # again: it may have ended between the validator and here
            return await self.returns.request(request, request_id)

        return await self.inbox.once(request, act)

    async def pay_back(self, request: RefundRequest) -> RefundOutcome:
        """Grant and pay a refund once per request id."""
        self.runs.look()

        async def act(request_id: str) -> RefundOutcome:
            # A charge that is under way may yet be refused: nothing of it can be paid back before.
            await workflow.wait_condition(lambda: self.placement is not None)
            self.check_open()  # again: it may have ended between the validator and here
            return await self.refunds.request(request, request_id)

        return await self.inbox.once(request, act)

    async def pay(self, request: PayRequest) -> PayOutcome:
        """Try a new token once per request id."""

        async def act(request_id: str) -> PayOutcome:
            # A run that goes on may be about to hold the order again.
            await workflow.wait_condition(
                lambda: self.placement is not None or self.payments.holds.open is not None
            )
            return await self.payments.offers.pay(request, request_id)

        return await self.inbox.once(request, act)

    async def charge(self, request: ChargeRequest) -> PayOutcome:
        """Charge the order once somebody says so, as soon as it is placed."""

        async def act(request_id: str) -> PayOutcome:
            await workflow.wait_condition(lambda: self.placement is not None)
            self.check_open()
            return await self.payments.charge_now(request, request_id)

        return await self.inbox.once(request, act)

    async def report_refusal(self, name: str, why: str) -> None:
        """Tell in the order's story that a message was refused and changed nothing."""
        await workflow.wait_condition(lambda: self.placement is not None)
        if not self.book.known:
            return  # There is no such order, and so no story.
        await self.steps.record(
            OrderRecords.tell,
            Notice(
                order_id=self.order_id,
                effect=f"refused:{workflow.uuid4().hex[:12]}",
                what=f"{name if name.isidentifier() else 'signal'} refused"[:100],
                why=why[:1000],
            ),
            self.order_id,
            f"Refused: {name[:40]}",
        )

    def check_cancel(self, request: CancelRequest) -> None:
        """Raises where the request cannot be meant, as far as is known now; `cancel` looks again.

        Until its terms are known, the order knows of no line.
        """
        if not self.inbox.knows(request):
            self.check_open()
            if self.book.known:
                self.cancellations.check(request)

    def check_refund(self, request: RefundRequest) -> None:
        """Raises where nothing can be paid back, as far as is known now; `pay_back` looks again."""
        if not self.inbox.knows(request):
            self.check_open()
            if self.book.known:
                self.refunds.check(request)

    def check_open(self) -> None:
        """Raises where the order has come to its end."""
        if self.phase in ("ending", "closed"):
            raise refuse(Ending(f"order {self.order_id} is {self.phase}; nothing can be changed"))
        if self.phase in ("cancelled", "rejected"):
            raise refused(f"order {self.order_id} is {self.phase}; nothing can be changed")

    async def cancelled_in_ui(self) -> None:
        """An operator cancelled the workflow: the same as asking to cancel the whole order."""
        await self.heed("cancel", CancelRequest(reason="cancelled in Temporal", by="operator"))

    @property
    def owes_an_answer(self) -> bool:
        """A request has no answer yet, or something that follows from one is not done."""
        return not workflow.all_handlers_finished() or self.returns.pending or self.refunds.pending

    async def all_answered(self) -> None:
        """Wait until every request has its answer, and its consequences are done."""
        await workflow.wait_condition(lambda: not self.owes_an_answer)
        await self.runs.ui.heeded()  # it is not a handler, and a step of it may wait for a person
