"""The life of one order: reserve, authorize, fulfil, await returns, close."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Literal

from temporalio import workflow
from temporalio.common import RawValue, SearchAttributeKey
from temporalio.exceptions import ApplicationError

from workflows import operator_page
from workflows.chapters.backorders import OrderBackorders
from workflows.chapters.cancellations import OrderCancellations
from workflows.chapters.fulfilments import OrderFulfilments
from workflows.chapters.payments import OrderPayments
from workflows.chapters.refunds import OrderRefunds
from workflows.chapters.returns import OrderReturns
from workflows.engine.continuing import Continuing, broken
from workflows.engine.inbox import Inbox, SignalMessage, parse_signal
from workflows.engine.refusals import refused
from workflows.engine.saga import Step
from workflows.engine.steps import GivenUp, StepRefused, Steps
from workflows.state.contracts import OrderInput, OrderResult, OrderView
from workflows.state.order_book import OrderBook

with workflow.unsafe.imports_passed_through():
    from activities.authorizations import Authorizations
    from activities.delivery import Delivery
    from activities.fulfilment import Fulfilments
    from activities.inventory import Inventory, ReleaseStock
    from activities.payments import Payments
    from activities.records import CloseOrder, KeepAnswers, Notice, Records
    from domain.continuation import OrderState
    from domain.errors import InvalidInput
    from domain.messages import (
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
    from domain.reservations import ReserveStock

SAGA = (
    Step(Inventory.reserve_stock, undo=Inventory.release_stock),
    Step(Authorizations.authorize_payment, undo=Authorizations.void_payment),
    # For each fulfilment, side by side:
    Step(Fulfilments.pick, undo=Fulfilments.put_back),
    Step(Fulfilments.pack, undo=Fulfilments.put_back),
    Step(Fulfilments.ship, undo=Fulfilments.void_label),  # until it is handed over
    Step(Payments.capture_payment, undo=Payments.refund_payment),  # by a return or a loss
    Step(
        Delivery.await_delivery,
        because="a parcel on its way cannot be called back; undeliverable, the carrier returns it",
    ),
)

ORDER_STATUS = SearchAttributeKey.for_keyword("OrderStatus")


@workflow.defn(name="Order")
class OrderWorkflow:
    """One order. The only one that decides about it."""

    @workflow.init
    def __init__(self, start: OrderInput) -> None:
        self.continuing = Continuing(start.continue_after_events)
        state = start.state or OrderState()  # as an earlier run left it, or of a new order
        self.start = start.model_copy(update={"state": None})
        self.order = start.order
        self.policy = start.policy
        self.book = OrderBook(start.order, state.book)
        self.steps = Steps(start.order.order_id, start.policy, self.show, state.steps)
        self.payments = OrderPayments(self.steps, self.book, start.policy, state.payments)
        self.refunds = OrderRefunds(
            self.steps, self.book, self.payments, start.policy, state.refunds_numbered
        )
        self.returns = OrderReturns(
            self.steps, self.book, self.payments, start.policy, state.returns
        )
        self.fulfilments = OrderFulfilments(
            self.steps, self.book, self.payments, start.policy, SAGA, self.returns.next_return_id
        )
        self.backorders = OrderBackorders(
            self.steps, self.book, self.payments, self.fulfilments, start.policy
        )
        self.cancellations = OrderCancellations(
            self.book, self.fulfilments, self.backorders, state.cancelled_because
        )
        self.inbox = Inbox(state.inbox)
        self.phase = state.phase
        self.placement = state.placement
        self.never_began: Literal["rejected", "cancelled"] = "rejected"
        self.unwanted = False  # somebody asked to cancel the whole order
        self.cancels_open = 0
        self.cancellation: asyncio.Task[None] | None = None  # from the Temporal UI
        self.refusals = state.refusals

    # The story ------------------------------------------------------------------------------------

    @workflow.run
    async def run(self, start: OrderInput) -> OrderResult:
        """The order's life. A cancellation from the Temporal UI is a request like any other."""
        del start  # taken by __init__, before any message can arrive
        self.show()
        story = asyncio.create_task(self.live_in_runs())
        while True:
            try:
                result = await asyncio.shield(story)
                break
            except asyncio.CancelledError:
                # A worker that forgets the order cancels it too, and asks for nothing.
                if self.cancellation is not None or workflow.cancellation_reason() is None:
                    raise
                request = CancelRequest(reason="cancelled in Temporal", by="operator")
                self.cancellation = asyncio.create_task(self.heed("cancel", request))
        if self.cancellation is not None:
            await self.cancellation
        return result

    async def live_in_runs(self) -> OrderResult:
        """Live on; in a new run, from where it stands, when the history of this one is long."""
        life = asyncio.create_task(self.live())
        await self.continuing.watch(life, self.idle, self.onward)
        return await life

    async def live(self) -> OrderResult:
        """From intake, or from where an earlier run came to, to the end, in plain steps."""
        placement = self.placement or await self.begin()
        if placement.outcome == "rejected":
            return await self.end(self.never_began, placement.reason)
        self.returns.resume(self.fulfilments)
        if self.phase != "return window":
            await self.fulfil()
            await self.void_what_is_not_charged()
        if self.book.nothing_shipped:
            why = self.cancellations.why or self.book.given_up or "nothing could be sent"
            return await self.end("cancelled", why)
        await self.await_returns()
        return await self.end("closed", self.why_closed)

    @property
    def why_closed(self) -> str:
        """The reason of an order's end after something of it was sent."""
        if self.book.last_delivery is None:
            return "nothing was delivered; what was paid for it is paid back"
        if self.book.all_returned:
            return "everything came back, and is paid back"
        return "delivered, and the return window is over"

    async def begin(self) -> Placement:
        """Place it, unless its id is another's."""
        try:
            return await self.place()
        except StepRefused as refusal:
            # The id was taken long ago, by an order that Temporal has forgotten: not ours to touch.
            self.decide("rejected", refusal.message)
            await workflow.wait_condition(workflow.all_handlers_finished)
            raise ApplicationError(
                refusal.message, type=refusal.kind, non_retryable=True
            ) from refusal

    async def place(self) -> Placement:
        """Reserve the stock, then authorize the money; undo the first if the second fails."""
        reserved = await self.steps.local(
            Inventory.reserve_stock,
            ReserveStock(
                order=self.order,
                run_id=workflow.info().first_execution_run_id,
                partly_available=self.policy.partly_available,
                backorder=self.policy.backorder,
                sourcing=self.policy.sourcing,
            ),
            self.order.order_id,
            "Reserve stock",
            refusable=("conflict",),
        )
        if not reserved.fulfilments and not reserved.backordered:
            return self.decide("rejected", "not available")
        for planned in reserved.fulfilments:
            self.book.allocated(planned)
        self.book.backordered(reserved.backordered)
        self.book.cancelled(reserved.missing, allocated=False)
        try:
            await self.payments.authorizations.authorize(unless=lambda: self.unwanted)
        except StepRefused as refusal:
            # Another tender, or the same one for another part, may have paid before.
            if self.order.tenders or len(self.book.parts_to_authorize()) > 1:
                await self.payments.void(f"not paid: {refusal.message}")
            await self.release_all("rejected", refusal.message)
            return self.decide("rejected", refusal.message)
        except GivenUp:
            await self.payments.void("given up before the payment was authorized")
            await self.release_all("cancelled", "cancelled before the payment was authorized")
            return self.decide("rejected", "cancelled before the payment was authorized")
        if self.policy.charge == "at_confirmation":
            with suppress(StepRefused):  # confirmed it is; what is not paid is cancelled
                await self.payments.charge_to_begin()
        return self.decide("confirmed")

    async def fulfil(self) -> None:
        """All fulfilments side by side, until every unit is delivered, cancelled or paid back.

        What is not there yet is waited for meanwhile, and becomes fulfilments as it comes.
        """
        if self.phase != "in fulfilment":
            # Those that were sent before it was placed come first.
            await workflow.wait_condition(lambda: self.cancels_open == 0)
            if self.policy.charge == "at_confirmation" and not self.book.charged_ahead:
                unpaid = CancelRequest(reason="the charge was refused", by="orderloom")
                await self.cancellations.cancel(unpaid, "unpaid")
            self.enter("in fulfilment")
        for fulfilment in list(self.book.fulfilments.values()):
            if fulfilment.task is None and not fulfilment.ended:
                self.fulfilments.start(fulfilment)
        self.backorders.start()
        while True:
            await self.backorders.all_ended()
            await self.fulfilments.all_ended()
            await workflow.wait_condition(lambda: self.cancels_open == 0)
            if self.fulfilled:
                return

    @property
    def fulfilled(self) -> bool:
        """No fulfilment is on its way or to come."""
        return self.backorders.ended and all(p.ended for p in self.book.fulfilments.values())

    async def void_what_is_not_charged(self) -> None:
        """Release what was authorized and is not going to be charged.

        Where all of one single authorization was charged, there is nothing, and it costs no step.
        """
        not_all = self.book.charges.charged.total < self.book.authorized
        by_hand = self.payments.charged_by_hand
        # A second authorization may exist that no capture used.
        more = self.book.reauthorized
        # The sums do not tell which of several tenders paid.
        several = self.payments.authorizations.several
        if not_all or by_hand or more or several or self.book.nothing_shipped:
            await self.payments.void("not everything was sent")

    async def await_returns(self) -> None:
        """Until the window is over and no return is under way; sooner if everything came back."""
        ends = self.returns.window_ends
        self.enter("return window" if ends else "ending")
        if ends is not None and workflow.now() < ends:
            with suppress(TimeoutError):
                await workflow.wait_condition(
                    lambda: (
                        self.book.all_returned
                        and not self.returns.pending
                        and not self.refunds.pending
                    ),
                    timeout=ends - workflow.now(),
                    timeout_summary=f"Return window, until {ends:%Y-%m-%d %H:%M %Z}",
                )
        await self.returns.all_ended()
        await self.refunds.all_ended()

    async def end(
        self, outcome: Literal["closed", "cancelled", "rejected"], reason: str
    ) -> OrderResult:
        """Answer whoever still waits, record the end, and stop."""
        self.enter("ending")
        await self.all_answered()
        answers = self.inbox.answers()
        began = self.placement is not None and self.placement.outcome == "confirmed"
        if began and outcome != "rejected":  # else its end was recorded as it was undone
            await self.steps.local(
                Records.close_order,
                CloseOrder(
                    order_id=self.order.order_id, decision=outcome, reason=reason, answers=answers
                ),
                self.order.order_id,
                f"Record: {outcome}",
            )
        elif answers:
            await self.steps.record(
                Records.keep_answers,
                KeepAnswers(order_id=self.order.order_id, answers=answers),
                self.order.order_id,
                "Record what was answered",
            )
        if outcome != "closed":
            workflow.upsert_search_attributes([ORDER_STATUS.value_set(outcome)])
        await self.all_answered()
        self.enter(outcome)
        return OrderResult(order_id=self.order.order_id, outcome=outcome, reason=reason)

    async def all_answered(self) -> None:
        """Wait until every request has its answer, and what it led to is done."""
        await workflow.wait_condition(
            lambda: (
                workflow.all_handlers_finished()
                and not self.returns.pending
                and not self.refunds.pending
            )
        )

    # Undo -----------------------------------------------------------------------------------------

    async def release_all(self, decision: Literal["rejected", "cancelled"], why: str) -> None:
        """Undo of the reservation: all of it, before anything was picked."""
        self.never_began = decision
        fulfilments = [
            fulfilment for fulfilment in self.book.fulfilments.values() if not fulfilment.ended
        ]
        await self.steps.record(
            Inventory.release_stock,
            ReleaseStock(
                order_id=self.order.order_id,
                effect="release_stock",
                units={fulfilment.id: fulfilment.units for fulfilment in fulfilments},
                backordered=self.book.waiting,
                decision=decision,
                what=decision,
                why=why,
            ),
            self.order.order_id,
            "Release stock",
        )
        for fulfilment in fulfilments:
            self.book.cancelled(fulfilment.units, allocated=True)
            fulfilment.stage = "ended"
        self.book.not_waited_for(self.book.waiting)

    # Continue -------------------------------------------------------------------------------------

    def idle(self) -> bool:
        """Nothing is under way but waits for the outside."""
        return (
            self.phase in ("in fulfilment", "return window")
            and workflow.all_handlers_finished()
            and (self.cancellation is None or self.cancellation.done())
            and not broken(self.cancellation)
            and self.steps.only_waits
            and self.fulfilments.idle
            and self.backorders.idle
            and self.payments.idle
            and self.returns.idle
            and self.refunds.idle
        )

    def onward(self) -> OrderInput:
        """All that the next run must know."""
        state = OrderState(
            phase=self.phase,
            placement=self.placement,
            refusals=self.refusals,
            cancelled_because=self.cancellations.why,
            book=self.book.state(),
            steps=self.steps.state(),
            returns=self.returns.state(),
            payments=self.payments.state(),
            refunds_numbered=self.refunds.numbered,
            inbox=self.inbox.state(),
        )
        return self.start.model_copy(update={"state": state})

    # Messages -------------------------------------------------------------------------------------

    @workflow.update
    async def cancel_order(self, request: CancelRequest) -> CancelOutcome:
        """Cancel all or some units; answers with what became of each."""
        return await self.cancel(request)

    @cancel_order.validator
    def _may_cancel(self, request: CancelRequest) -> None:
        if not self.inbox.knows(request):
            self.check_open()
            self.cancellations.check(request)

    @workflow.update
    async def return_items(self, request: ReturnRequest) -> ReturnOutcome:
        """Ask to send units back; answers with the return's id, or refuses with the reason."""
        return await self.take_back(request)

    @return_items.validator
    def _may_return(self, request: ReturnRequest) -> None:
        if not self.inbox.knows(request):
            self.check_open()
            self.returns.check(request)

    @workflow.update
    async def refund_order(self, request: RefundRequest) -> RefundOutcome:
        """Pay something back that comes with no return; answers with what became of it."""
        return await self.pay_back(request)

    @refund_order.validator
    def _may_refund(self, request: RefundRequest) -> None:
        if not self.inbox.knows(request):
            self.check_open()
            self.refunds.check(request)

    @workflow.update
    async def pay_order(self, request: PayRequest) -> PayOutcome:
        """The customer comes with a new token for an order that is held for payment."""
        return await self.inbox.once(
            request, lambda i: self.payments.authorizations.pay(request, i)
        )

    @pay_order.validator
    def _may_pay(self, request: PayRequest) -> None:
        if not self.inbox.knows(request):
            self.payments.authorizations.check_pay()

    @workflow.update
    async def charge_order(self, request: ChargeRequest) -> PayOutcome:
        """Charge an order that waits for somebody to say so."""
        return await self.charge(request)

    @charge_order.validator
    def _may_charge(self, request: ChargeRequest) -> None:
        if not self.inbox.knows(request):
            self.check_open()
            self.payments.check_charge()

    @workflow.update
    async def resolve_attention(self, answer: AttentionAnswer) -> None:
        """An operator's decision about a step that needs attention."""
        self.steps.answer(answer)

    @resolve_attention.validator
    def _may_resolve(self, answer: AttentionAnswer) -> None:
        self.steps.check_answer(answer)

    @workflow.signal(dynamic=True)
    async def on_signal(self, name: str, payloads: Sequence[RawValue]) -> None:
        """`cancel`, `request_return`, `refund` and the others, without waiting for an answer.

        Taken raw, because a signal that does not fit its type would otherwise vanish: whoever typed
        it at a terminal finds the refusal in the order's story.
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
            attention={step: parked.reason for step, parked in self.steps.parked.items()},
        )

    async def heed(self, name: str, message: SignalMessage) -> None:
        """Do what a signal asks for, or tell in the order's story why not."""
        try:
            await self.obey(message)
        except ApplicationError as error:
            await self.report_refusal(name, error.message)

    async def obey(self, message: SignalMessage) -> None:
        """What a signal asks for, on the same path as the update of that kind."""
        match message:
            case CancelRequest():
                if not self.inbox.knows(message):
                    self.check_open()
                    self.cancellations.check(message)
                outcome = await self.cancel(message)
                if outcome.outcome != "cancelled":
                    await self.report_refusal("cancel", outcome.message)
            case ReturnRequest():
                if not self.inbox.knows(message):
                    self.check_open()
                await self.take_back(message)
            case RefundRequest():
                if not self.inbox.knows(message):
                    self.check_open()
                    self.refunds.check(message)
                await self.pay_back(message)
            case PayRequest():
                await self.inbox.once(
                    message, lambda i: self.payments.authorizations.pay(message, i)
                )
            case ChargeRequest():
                charged = await self.charge(message)
                if charged.outcome != "accepted":
                    await self.report_refusal("charge", charged.message)
            case AttentionAnswer():
                self.steps.answer(message)

    async def cancel(self, request: CancelRequest) -> CancelOutcome:
        """Cancel once per request id. Waits until the order is placed: its money is then known."""
        self.continuing.look()

        async def act(request_id: str) -> CancelOutcome:
            self.cancels_open += 1
            self.unwanted = self.unwanted or not request.lines
            try:
                await workflow.wait_condition(lambda: self.placement is not None)
                if self.placement and self.placement.outcome == "rejected":
                    return self.cancellations.too_early(
                        request_id, self.never_began, self.placement
                    )
                return await self.cancellations.cancel(request, request_id)
            finally:
                self.cancels_open -= 1

        return await self.inbox.once(request, act)

    async def take_back(self, request: ReturnRequest) -> ReturnOutcome:
        """Approve a return once per request id."""
        self.continuing.look()

        async def act(request_id: str) -> ReturnOutcome:
            self.check_open()  # again: it may have ended between the validator and here
            return await self.returns.request(request, request_id, self.fulfilments)

        return await self.inbox.once(request, act)

    async def pay_back(self, request: RefundRequest) -> RefundOutcome:
        """Grant and pay a refund once per request id."""
        self.continuing.look()

        async def act(request_id: str) -> RefundOutcome:
            self.check_open()  # again: it may have ended between the validator and here
            return await self.refunds.request(request, request_id)

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
        self.refusals += 1
        number = self.refusals  # others may be refused while this one waits
        await workflow.wait_condition(lambda: self.placement is not None)  # the order is recorded
        await self.steps.record(
            Records.tell,
            Notice(
                order_id=self.order.order_id,
                effect=f"refused:{number}",
                what=f"{name if name.isidentifier() else 'signal'} refused"[:100],
                why=why[:1000],
            ),
            self.order.order_id,
            f"Refused: {name[:40]}",
        )

    def check_open(self) -> None:
        """Raises where the order has come to its end."""
        if self.phase in ("ending", "closed", "cancelled", "rejected"):
            raise refused(f"order {self.order.order_id} is {self.phase}; nothing can be changed")

    def enter(self, phase: str) -> None:
        """Another chapter of the story."""
        self.phase = phase
        self.show()

    def show(self) -> None:
        """Something is about to be different: refresh the page that operators read."""
        self.continuing.look()
        workflow.set_current_details(
            operator_page.page(self.order, self.phase, self.placement, self.book, self.steps)
        )

    def decide(self, outcome: Literal["confirmed", "rejected"], reason: str = "") -> Placement:
        """The answer to placing the order."""
        self.placement = Placement(order_id=self.order.order_id, outcome=outcome, reason=reason)
        self.enter(outcome)
        return self.placement
