"""The life of one order: reserve, authorize, fulfil, await returns, close.

The story, in plain steps. Each of them, beside its undo, is in the table of `order_steps.py`; the
parts of an order are in `chapters/`, what it knows is in `state/`, how a step runs in `engine/`.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Literal, NoReturn

from temporalio import workflow
from temporalio.common import SearchAttributeKey
from temporalio.exceptions import ApplicationError

from workflows.chapters.asked_holds import AskedHolds
from workflows.chapters.asked_returns import AskedReturns
from workflows.chapters.backorders import OrderBackorders
from workflows.chapters.cancellations import OrderCancellations
from workflows.chapters.claims import OrderClaims
from workflows.chapters.deliveries import OrderDeliveries
from workflows.chapters.edits import OrderEdits
from workflows.chapters.fulfilments import OrderFulfilments
from workflows.chapters.interceptions import OrderInterceptions
from workflows.chapters.late_requests import LateRequests
from workflows.chapters.messages import OrderMessages
from workflows.chapters.payments import OrderPayments
from workflows.chapters.refunds import OrderRefunds
from workflows.chapters.reservation import OrderReservation
from workflows.chapters.returns import OrderReturns
from workflows.engine.inbox import Inbox
from workflows.engine.outcomes import Abandoned, Done, Refused
from workflows.engine.runs import Runs
from workflows.engine.steps import Steps
from workflows.operator_page import Facts, page
from workflows.order_steps import STEPS
from workflows.state.contracts import OrderEnd, OrderResult
from workflows.state.order_book import OrderBook

with workflow.unsafe.imports_passed_through():
    from activities.orders.order_records import CloseOrder, KeepAnswer, OrderRecords
    from domain.orders.continuation import AnsweredRequest, OrderInput, OrderState
    from domain.orders.messages import CancelRequest, Placement

ORDER_STATUS = SearchAttributeKey.for_keyword("OrderStatus")


@workflow.defn(name="Order")
class OrderWorkflow(OrderMessages):
    """One order. The only one that decides about it."""

    @workflow.init
    def __init__(self, start: OrderInput) -> None:
        self.start, self.order_id, self.policy = start, start.order_id, start.policy
        self.runs = Runs(start.continue_after_events)
        self.book = book = OrderBook(start.order_id)
        self.steps = steps = Steps(STEPS, start.order_id, start.policy, self.show)
        self.reservation = OrderReservation(steps, book)
        self.payments = OrderPayments(steps, book, start.policy)
        self.refunds = OrderRefunds(steps, book, self.payments)
        self.returns = OrderReturns(steps, book, self.payments, start.policy)
        deliveries = OrderDeliveries(steps, book)
        self.asked_returns = AskedReturns(*(steps, book, self.returns, deliveries), self.on_record)
        self.fulfilments = OrderFulfilments(steps, book, self.payments, self.returns, start.policy)
        self.backorders = OrderBackorders(steps, book, self.payments, self.fulfilments, self.policy)
        self.cancellations = OrderCancellations(
            book, self.payments, self.fulfilments, self.backorders
        )
        self.claims = OrderClaims(
            *(steps, book, self.refunds, self.fulfilments, deliveries), start.policy, self.placed
        )
        self.asked_holds = AskedHolds(steps, book, self.on_record, self.cancel)
        self.edits = OrderEdits(
            *(steps, book, self.fulfilments, self.backorders),
            *(self.cancellations, self.payments, self.on_record),
        )
        self.interceptions = OrderInterceptions(steps, book, deliveries, self.on_record)
        self.late = LateRequests(steps, book, self.payments, self.returns, self.refunds)
        self.inbox = Inbox(self.keep_answer, knowing=not start.goes_on)
        self.phase, self.placement = "received", None
        self.never_began = "rejected"
        self.unpaid = ""  # why nothing is paid for what has been confirmed
        self.why = ""  # it has ended
        self.page_is_due = False
        self.prepare()

    @workflow.run
    async def run(self, start: OrderInput) -> OrderResult:
        """Live the story to its end, whatever comes between, in as many runs as it takes."""
        del start  # taken by __init__, before any message can arrive
        self.show()
        return await self.runs.live(
            self.story(), heed=self.cancelled_in_ui, idle=self.idle, onward=self.onward
        )

    # The story ------------------------------------------------------------------------------------

    async def story(self) -> OrderResult:
        """From intake, or from where its rows say that it stands, to the end."""
        placement = await (self.carry_on() if self.start.goes_on else self.place())
        if self.late.reopened:
            return await self.meet_what_came_late()
        if placement.outcome == "rejected":
            return await self.end(self.never_began, placement.reason)
        await self.fulfil()
        await self.void_what_is_not_charged()
        if self.book.nothing_shipped:
            return await self.end("cancelled")
        await self.await_returns()
        return await self.end("closed", self.book.why_closed)

    async def place(self) -> Placement:
        """Reserve the stock and authorize the payment, which confirms the order; or undo both."""
        match await self.reservation.reserve():
            case Refused() as conflict:
                await self.leave_alone(conflict)
            case False:
                return self.decide("rejected", "not available")
        authorizations = self.payments.authorizations
        match await authorizations.authorize_and_confirm(unless=lambda: self.unwanted):
            case Refused(message=why):
                # Another tender, or the same one for another part, may have been authorized.
                parts = len(self.book.fulfilments) + bool(self.book.waiting)
                if len(self.book.terms.tenders) > 1 or parts > 1:
                    await authorizations.void(f"not paid: {why}")
                return await self.undo_placing("rejected", why)
            case Abandoned():
                await authorizations.void("given up before the payment was authorized")
                why = "cancelled before the payment was authorized"
                return await self.undo_placing("cancelled", why)
        if self.policy.charge == "at_confirmation":
            await self.payments.charge_to_begin()  # The unpaid units are cancelled after that.
        return self.decide("confirmed")

    async def carry_on(self) -> Placement:
        """Go on where the rows say that the order stands. Messages wait until that is known."""
        if self.start.settle:
            await workflow.sleep(self.start.settle, summary="What the lost run had begun ends")
        state = await self.reservation.read_state()
        if isinstance(state, Refused):
            await self.leave_alone(state)
        return await self.take_up(state)

    async def take_up(self, state: OrderState) -> Placement:
        """Each part takes up its own. What the rows do not know is what nobody was answered."""
        if state.decision == "closed":
            await self.late.reopen(state)
        self.inbox.take_up(state.answered)
        await self.steps.attention.take_up(state.attention, state.waits)
        match state.decision:
            case "closed":
                self.runs.taken_up()
                return self.decide("confirmed")
            case "rejected" | "cancelled" as decision:
                return self.ended_before(state, decision)
        await self.payments.take_up(state)
        if state.decision == "received" and not state.is_undone:
            return await self.place()
        self.book.take_up(state)
        if state.is_undone:
            why = "the payment was refused or given up before it was confirmed"
            if state.authorized:
                await self.payments.authorizations.void(why)
            return await self.undo_placing("rejected", why)
        # A cancellation waits until it is known what becomes of what was stopped.
        self.fulfilments.start_all(("recalled",))
        await self.payments.charge_on(state)
        self.cancellations.take_up(state.begun)
        self.edits.take_up(state.begun)
        self.returns.take_up(state.returns, state.begun)
        self.refunds.take_up(state.owed)
        # No request holds up what has left: what is paid back of it waits for its charge.
        self.fulfilments.start_all(("to_charge", "await_delivery"))
        await self.backorders.take_up(state.waits_since)
        self.runs.taken_up()
        return self.decide("confirmed")

    async def meet_what_came_late(self) -> OrderResult:
        """It is closed, and is closed again when every late request is answered and done."""
        self.enter("late requests")
        await self.late.all_met(self.all_answered, lambda: self.owes_an_answer)
        self.enter("closed")
        return OrderResult(order_id=self.order_id, outcome="closed", reason=self.why)

    def ended_before(self, state: OrderState, decision: OrderEnd) -> Placement:
        """Its rows have ended: by an attempt that came late, or before its run was lost.

        What still needs a person by then is all that is left to see to.
        """
        self.book.take_up(state)
        self.never_began, self.over_before = decision, True
        placement = self.decide("rejected", "it had ended when its run was lost")
        self.enter(decision)
        return placement

    async def fulfil(self) -> None:
        """All fulfilments side by side, until every unit is delivered, cancelled or paid back.

        Backordered units are awaited meanwhile, and become fulfilments when they arrive.
        """
        # Cancellations that were sent before it was placed come first.
        await workflow.wait_condition(lambda: self.cancels_open == self.edits.open == 0)
        if self.policy.charge == "at_confirmation" and not self.payments.charged:
            self.unpaid = self.unpaid or "the charge was refused"
        if self.unpaid:
            everything = CancelRequest(reason=self.unpaid, by="orderloom")
            await self.cancellations.cancel(everything, "unpaid")
            self.runs.taken_up()  # each run asks again for what somebody did not give back
        self.enter("in fulfilment")
        self.fulfilments.start_all()
        self.backorders.start()
        while True:
            await self.backorders.all_ended()
            await self.fulfilments.all_ended()
            await workflow.wait_condition(lambda: self.cancels_open == self.edits.open == 0)
            if self.nothing_is_under_way:
                return

    @property
    def nothing_is_under_way(self) -> bool:
        """No unit is waited for, and every fulfilment has ended."""
        return self.backorders.ended and self.book.all_fulfilments_ended

    async def void_what_is_not_charged(self) -> None:
        """Release authorized amounts that will not be charged.

        If the last charge said that none is left, this costs no step.
        """
        if self.book.authorized:
            await self.payments.authorizations.void("not everything was sent")

    async def await_returns(self) -> None:
        """Until the window is over and nothing is under way; sooner if everything came back.

        What is sent again for a claim is returned within a window of its own.
        """
        while True:
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
            await self.all_answered()
            if self.nothing_is_under_way and self.returns.window_ends == ends:
                return
            await self.backorders.all_ended()
            await self.fulfilments.all_ended()

    async def end(self, outcome: OrderEnd, reason: str = "") -> OrderResult:
        """Answer all requests, record the end, and stop. Without a reason, rows know it."""
        self.enter("ending")
        await self.all_answered()
        await self.steps.attention.all_over("the order has ended")
        order_id = self.order_id
        began = self.placement is not None and self.placement.outcome == "confirmed"
        if began and outcome != "rejected":  # else it was recorded as the order was undone
            close = CloseOrder(order_id=order_id, decision=outcome, reason=reason)
            summary = f"Record: {outcome}"
            ended = await self.steps.local(OrderRecords.close_order, close, order_id, summary)
            assert isinstance(ended, Done)  # no rule refuses it
            reason = ended.result.reason
        if outcome != "closed":
            workflow.upsert_search_attributes([ORDER_STATUS.value_set(outcome)])
        await self.all_answered()
        self.why = reason
        self.enter(outcome)
        return OrderResult(order_id=order_id, outcome=outcome, reason=reason)

    # The ways out of placing ----------------------------------------------------------------------

    async def undo_placing(self, outcome: Literal["rejected", "cancelled"], why: str) -> Placement:
        """Undo the reservation: the order never began. But for one that is confirmed after all.

        An attempt to authorize that nobody heard of may have confirmed it, and the warehouse may
        have begun with it: it is cancelled as it stands.
        """
        if await self.reservation.release(outcome, why):
            self.never_began = outcome
            return self.decide("rejected", why)
        state = await self.reservation.read_state()
        assert not isinstance(state, Refused)  # it has just been asked for
        self.book.take_up(state)
        self.unpaid = why
        return self.decide("confirmed")

    async def leave_alone(self, conflict: Refused) -> NoReturn:
        """The order is not on record, or it has ended and Temporal forgot it: touch nothing."""
        self.decide("rejected", conflict.message)
        await workflow.wait_condition(workflow.all_handlers_finished)
        raise ApplicationError(conflict.message, type=conflict.kind, non_retryable=True)

    def decide(self, outcome: Literal["confirmed", "rejected"], reason: str = "") -> Placement:
        """The answer to placing the order."""
        self.placement = Placement(order_id=self.order_id, outcome=outcome, reason=reason)
        self.enter(outcome)
        return self.placement

    async def keep_answer(self, answered: AnsweredRequest) -> None:
        """Write an answer down before it is given."""
        keep = KeepAnswer(order_id=self.order_id, answered=answered)
        await self.steps.record(
            OrderRecords.keep_answer, keep, answered.request_id, "Record what was answered"
        )

    # Where it stands ------------------------------------------------------------------------------

    def enter(self, phase: str) -> None:
        """The next chapter of the story."""
        self.phase = phase
        self.show()

    def show(self) -> None:
        """Something is different, or about to be: refresh the page that operators read.

        The page is made when all that comes of it in this moment has been done.
        """
        self.runs.look()
        if not self.page_is_due:
            self.page_is_due = True
            asyncio.get_running_loop().call_soon(self.make_page)

    def make_page(self) -> None:
        """Make the page that operators read."""
        self.page_is_due = False
        facts = Facts(
            phase=self.phase,
            why=self.why,
            policy=self.policy,
            book=self.book,
            open=self.steps.open,
            parked=self.steps.attention.unanswered,
            hold=self.payments.holds.open,
            window_ends=self.returns.window_ends,
        )
        workflow.set_current_details(page(facts))

    def idle(self) -> bool:
        """Nothing is under way but waits for the outside."""
        return (
            self.phase in ("in fulfilment", "return window", "late requests")
            and workflow.all_handlers_finished()
            and self.runs.ui.idle
            and self.steps.only_waits
            and self.fulfilments.idle
            and self.backorders.idle
            and self.payments.idle
            and self.returns.idle
            and self.refunds.idle
        )

    def onward(self) -> OrderInput:
        """The input of the next run, which reads from rows where the order stands."""
        return self.start.model_copy(update={"goes_on": True, "settle": timedelta(0)})
