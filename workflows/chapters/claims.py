"""Claims: what customers say is wrong with what they got, decided by rules or by a person."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from temporalio import workflow

from workflows.chapters.deliveries import OrderDeliveries
from workflows.chapters.fulfilments import OrderFulfilments
from workflows.chapters.line_requests import requested_units
from workflows.chapters.refunds import OrderRefunds
from workflows.engine.refusals import raise_refusal, refused
from workflows.engine.steps import Steps
from workflows.state.order_book import OrderBook

with workflow.unsafe.imports_passed_through():
    from activities.stock.claim_contracts import ClaimAnswer, DecideClaim, MakeClaim
    from activities.stock.claims import Claims
    from domain.orders.claim_messages import ClaimOutcome, ClaimRequest, DecideClaimRequest
    from domain.orders.policy import Policy


class OrderClaims:
    """Has claims written down and decided, and pays back what is owed for them."""

    def __init__(
        self,
        steps: Steps,
        book: OrderBook,
        refunds: OrderRefunds,
        fulfilments: OrderFulfilments,
        deliveries: OrderDeliveries,
        policy: Policy,
        placed: Callable[[], Awaitable[None]],
    ) -> None:
        self._steps = steps
        self._book = book
        self._refunds = refunds
        self._fulfilments = fulfilments
        self._deliveries = deliveries
        self._policy = policy
        self._placed = placed  # waits for that, and raises where the order has ended

    @property
    def window_ends(self) -> datetime | None:
        """Until when a claim may be made, once something was delivered."""
        last = self._book.last_delivery
        return None if last is None else last + self._policy.claims.within

    def check(self, request: ClaimRequest) -> None:
        """Raises ApplicationError where this cannot be claimed of this order, or not any more.

        While a parcel is on its way, that is known only when the rows were asked.
        """
        if not self._deliveries.may_be_news:
            self._check(request)

    def _check(self, request: ClaimRequest) -> None:
        # How many units can be claimed is decided where the claim is written down, by rows.
        ends = self.window_ends
        if ends is None:
            raise refused(
                "nothing has been delivered yet; cancel what is not wanted",
                reason="not_delivered",
                instead=["cancel_order"],
            )
        if workflow.now() > ends and not request.late:
            raise refused(
                f"claims could be made until {ends:%Y-%m-%d %H:%M %Z}; customer service can take "
                "it all the same, as a late one (--late)",
                reason="window_over",
                instead=["refund_order"],
            )
        requested_units(
            request.lines,
            self._book.lines,
            can=lambda line: line.returnable,
            check=lambda index, line_id, quantity: None,
        )

    def check_decision(self, request: DecideClaimRequest) -> None:
        """Raises ApplicationError where the claim is of another order."""
        if not request.claim_id.startswith(f"{self._book.order_id}:"):
            raise refused(
                f"{request.claim_id} is no claim of order {self._book.order_id}",
                reason="other_order",
            )

    async def make(self, request: ClaimRequest, request_id: str) -> ClaimOutcome:
        """Write a claim down, and do what the rules decide about it."""
        await self._placed()
        await self._deliveries.heard()
        self._check(request)
        ask = MakeClaim(
            order_id=self._book.order_id,
            request_id=request_id,
            request=request,
            rules=self._policy.claims,
            sourcing=self._policy.sourcing,
            turn=workflow.uuid4().hex,
        )
        async with self._book.taking_back:
            answer = await self._steps.record(
                Claims.make_claim, ask, request_id, f"Take a claim: {request.kind}"
            )
            self._send_again(answer)
        return await self._pay(answer)

    async def decide(self, request: DecideClaimRequest, request_id: str) -> ClaimOutcome:
        """Do what a person has decided about a claim."""
        await self._placed()
        ask = DecideClaim(
            order_id=self._book.order_id,
            request_id=request_id,
            request=request,
            rules=self._policy.claims,
            sourcing=self._policy.sourcing,
            turn=workflow.uuid4().hex,
        )
        what = request.decision.replace("_", " ")
        async with self._book.taking_back:
            answer = await self._steps.record(
                Claims.decide_claim, ask, request_id, f"Decide {request.claim_id}: {what}"
            )
            self._send_again(answer)
        return await self._pay(answer)

    def _send_again(self, answer: ClaimAnswer) -> None:
        """Set those on their way that go out for claimed ones, but for what an earlier run did."""
        for planned in answer.sent_again:
            if planned.fulfilment_id not in self._book.fulfilments:
                self._book.sent_again(planned.units)
                self._fulfilments.start(self._book.allocated(planned))

    async def _pay(self, answer: ClaimAnswer) -> ClaimOutcome:
        raise_refusal(answer.refused)
        outcome = answer.outcome
        assert outcome is not None  # it was not refused
        if answer.refund is None:
            return outcome
        return outcome.model_copy(update={"owed": await self._refunds.pay(answer.refund)})
