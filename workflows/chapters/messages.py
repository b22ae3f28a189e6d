"""The messages to an order: updates, which are answered, and signals, which are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from workflows.chapters.asked_holds import AskedHolds
from workflows.chapters.asked_returns import AskedReturns
from workflows.chapters.cancellations import OrderCancellations, tell_asked
from workflows.chapters.claims import OrderClaims
from workflows.chapters.edits import OrderEdits
from workflows.chapters.interceptions import OrderInterceptions
from workflows.chapters.meetings import Meeting, anything, rule_of, unless
from workflows.chapters.payments import OrderPayments
from workflows.chapters.refunds import OrderRefunds
from workflows.chapters.returns import OrderReturns
from workflows.engine.inbox import NOTHING, Inbox, SignalMessage, parse_signal, parse_update
from workflows.engine.refusals import reason_of, refuse, refused
from workflows.engine.runs import Runs
from workflows.engine.steps import Steps
from workflows.state.contracts import OrderEnd, OrderView
from workflows.state.order_book import OrderBook

with workflow.unsafe.imports_passed_through():
    from pydantic import BaseModel

    from activities.orders.order_records import Notice, OrderRecords
    from domain.errors import Ending, InvalidInput
    from domain.orders.claim_messages import ClaimRequest, DecideClaimRequest
    from domain.orders.edit_messages import EditRequest
    from domain.orders.exchange_messages import ExchangeRequest
    from domain.orders.hold_messages import (
        ExtendRequest,
        HoldRequest,
        RejectRequest,
        ReleaseRequest,
    )
    from domain.orders.interception_messages import InterceptRequest, SendAnewRequest
    from domain.orders.messages import (
        AttentionAnswer,
        CancelOutcome,
        CancelRequest,
        ChargeRequest,
        OrderRequest,
        PayOutcome,
        PayRequest,
        Placement,
        RefundOutcome,
        RefundRequest,
    )
    from domain.orders.price_match_messages import PriceMatchRequest
    from domain.orders.request_kinds import BY_REQUEST, KINDS, RequestKind
    from domain.orders.return_messages import ReturnAnswer, ReturnGivenUp, ReturnRequest


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
    asked_returns: AskedReturns
    refunds: OrderRefunds
    claims: OrderClaims
    cancellations: OrderCancellations
    asked_holds: AskedHolds
    edits: OrderEdits
    interceptions: OrderInterceptions
    unwanted = False  # somebody asked to cancel the whole order
    cancels_open = 0
    meetings: Mapping[type[OrderRequest], Meeting[Any, Any]]

    def prepare(self) -> None:
        """Say how each kind of request is met."""
        self.meetings = {
            CancelRequest: Meeting(self.cancellations.check, self.cancel, unless("cancelled")),
            ReturnRequest: Meeting(self.asked_returns.check, self.asked_returns.take_back),
            ExchangeRequest: Meeting(self.asked_returns.check, self.asked_returns.exchange),
            ReturnAnswer: Meeting(anything, self.asked_returns.decide),
            ReturnGivenUp: Meeting(anything, self.asked_returns.decide),
            RefundRequest: Meeting(self.refunds.check, self.pay_back),
            PriceMatchRequest: Meeting(self.refunds.check_match, self.pay_back),
            ClaimRequest: Meeting(self.claims.check, self.claims.make),
            DecideClaimRequest: Meeting(self.claims.check_decision, self.claims.decide),
            PayRequest: Meeting(self.payments.offers.check_pay, self.pay, waits=True),
            ChargeRequest: Meeting(self.payments.check_charge, self.charge, unless("accepted")),
            HoldRequest: Meeting(self.asked_holds.check_hold, self.asked_holds.hold),
            ReleaseRequest: Meeting(anything, self.asked_holds.release),
            ExtendRequest: Meeting(anything, self.asked_holds.extend),
            RejectRequest: Meeting(anything, self.asked_holds.reject, unless("rejected")),
            EditRequest: Meeting(anything, self.edits.meet),
            InterceptRequest: Meeting(self.interceptions.check, self.interceptions.meet),
            SendAnewRequest: Meeting(self.interceptions.check, self.interceptions.send_anew),
        }

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
            await self.report_refusal(name, error.message, reason_of(error))

    async def obey(self, message: SignalMessage) -> None:
        """Do what a signal asks for, in the same way as the update of that kind."""
        if isinstance(message, AttentionAnswer):
            self.steps.attention.answer(message)
            return
        meeting = self.meetings[type(message)]
        if not meeting.waits:
            self.check(message)
        outcome = await self.meet(message)
        no = meeting.said_no(outcome)
        if no:
            name = BY_REQUEST[type(message)].signal
            await self.report_refusal(name, no, rule_of(outcome))

    def check(self, request: OrderRequest) -> None:
        """Raises where the request cannot be met, as far as is known now; `meet` looks again.

        Until its terms are known, the order knows of no line.
        """
        if not self.inbox.knows(request):
            self.check_open()
            if self.book.known:
                self.meetings[type(request)].check(request)

    async def meet(self, request: OrderRequest) -> Any:
        """Meet a request once per request id."""
        self.runs.look()
        return await self.inbox.once(request, partial(self.meetings[type(request)].act, request))

    async def cancel(self, request: CancelRequest, request_id: str) -> CancelOutcome:
        """Cancel units. Waits until the order is placed: its money is then known."""
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

    async def pay_back(
        self, request: RefundRequest | PriceMatchRequest, request_id: str
    ) -> RefundOutcome:
        """Grant and pay a refund."""
        # A charge that is under way may yet be refused: nothing of it can be paid back before.
        await workflow.wait_condition(lambda: self.placement is not None)
        self.check_open()  # again: it may have ended between the validator and here
        return await self.refunds.request(request, request_id)

    async def pay(self, request: PayRequest, request_id: str) -> PayOutcome:
        """Try a new token."""
        # A run that goes on may be about to hold the order again.
        await workflow.wait_condition(
            lambda: self.placement is not None or self.payments.holds.open is not None
        )
        return await self.payments.offers.pay(request, request_id)

    async def charge(self, request: ChargeRequest, request_id: str) -> PayOutcome:
        """Charge the order, as soon as it is placed."""
        await workflow.wait_condition(lambda: self.placement is not None)
        self.check_open()
        return await self.payments.charge_now(request, request_id)

    async def placed(self) -> None:
        """Wait until the order is placed, and raise where it has ended by then."""
        await workflow.wait_condition(lambda: self.placement is not None)
        self.check_open()

    async def on_record(self) -> None:
        """Wait until the order's terms are known, and raise where it has ended by then."""
        await workflow.wait_condition(lambda: self.book.known or self.placement is not None)
        self.check_open()

    async def report_refusal(self, name: str, why: str, reason: str = "") -> None:
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
                reason=reason,
            ),
            self.order_id,
            f"Refused: {name[:40]}",
        )

    def check_open(self) -> None:
        """Raises where the order has come to its end."""
        if self.phase in ("ending", "closed"):
            why = f"order {self.order_id} is {self.phase}; nothing can be changed"
            raise refuse(Ending(why, reason="order_ending"))
        if self.phase in ("cancelled", "rejected"):
            why = f"order {self.order_id} is {self.phase}; nothing can be changed"
            raise refused(why, reason=f"order_{self.phase}")

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


def _take(kind: RequestKind) -> None:
    """Have orders take the updates of a kind of request.

    They are part of the class: of a handler that each run sets for itself the types are read each
    time, which took a tenth of all that orders do.
    """

    class Takes(OrderMessages):
        # Taken raw, as signals are: the SDK's words for a message that does not fit help nobody.
        @workflow.update(name=kind.update)
        async def take(self, given: RawValue = NOTHING) -> BaseModel:
            met: BaseModel = await self.meet(parse_update(kind.request, given))
            return met

        @take.validator
        def _may_take(self, given: RawValue = NOTHING) -> None:
            self.check(parse_update(kind.request, given))

    setattr(OrderMessages, f"take_{kind.update}", Takes.take)


for _kind in KINDS:
    _take(_kind)
