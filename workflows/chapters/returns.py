"""Returns: approved by rules or a person, counted at the warehouse, paid back for what came.

The rules are rows, so an activity decides by them. A return about which a person is asked is
awaited like one that is approved: a report ends the wait when it is refused or given up, so this
chapter remembers nothing of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, TypeVar

from temporalio import workflow

from workflows.chapters.payments import OrderPayments
from workflows.chapters.return_answers import answered, decided_as, returnable_units, said_no
from workflows.engine.outcomes import Done
from workflows.engine.runs import broken
from workflows.engine.steps import Steps
from workflows.state.fulfilment import Fulfilment
from workflows.state.order_book import OrderBook

with workflow.unsafe.imports_passed_through():
    from activities.aftersales.returns import (
        Approved,
        ApproveReturn,
        DecideReturn,
        ReceivedReturn,
        ReturnPart,
        Returns,
    )
    from domain.orders.continuation import BegunRequest, OpenReturn
    from domain.orders.policy import Policy
    from domain.orders.quantities import LineUnits
    from domain.orders.return_messages import (
        ReturnAnswer,
        ReturnDecided,
        ReturnGivenUp,
        ReturnOutcome,
        ReturnRequest,
        reason_codes,
    )
    from domain.words import count_of, span


ApprovedT = TypeVar("ApprovedT", bound=Approved)

GRACE: Final = timedelta(days=1)
"""So much later than the relay closes a return that does not come, a person is told of it."""


@dataclass
class _Return:
    """A return under way."""

    return_id: str
    task: asyncio.Task[None]

    @property
    def pending(self) -> bool:
        return not self.task.done()


class OrderReturns:
    """Takes back delivered or undeliverable units. Any number of returns, each with a parcel."""

    def __init__(
        self,
        steps: Steps,
        book: OrderBook,
        payments: OrderPayments,
        policy: Policy,
    ) -> None:
        self._steps = steps
        self._book = book
        self._payments = payments
        self._policy = policy
        self._being_approved = 0
        self._under_way: list[_Return] = []
        self._approved: Mapping[str, BegunRequest] = {}

    def take_up(self, returns: Iterable[OpenReturn], begun: Mapping[str, BegunRequest]) -> None:
        """Go on with the returns that an earlier run has approved, and perhaps not answered."""
        self._approved = {k: each for k, each in begun.items() if each.return_id}
        for each in returns:
            self._expect(each.return_id, each.units, each.since, paid_early=each.paid_early)

    @property
    def idle(self) -> bool:
        """Every return has ended, or waits for its parcel."""
        return self._being_approved == 0 and all(
            self.waits_for(item.return_id) if item.pending else not broken(item.task)
            for item in self._under_way
        )

    def waits_for(self, return_id: str) -> bool:
        """The parcel of this return is awaited."""
        waits = self._steps.waits_for
        return waits(Returns.receive_return, return_id) or waits(
            Returns.receive_paid_return, return_id
        )

    @property
    def pending(self) -> bool:
        """A return is being approved, its parcel is awaited, or its money is on its way."""
        return self._being_approved > 0 or any(item.pending for item in self._under_way)

    async def all_ended(self) -> None:
        """Wait until no return is pending."""
        await workflow.wait_condition(lambda: not self.pending)
        for item in self._under_way:
            item.task.result()  # a fault of ours comes to light here, and can be mended

    @property
    def window_ends(self) -> datetime | None:
        """Until when a return may be requested, once something was delivered."""
        last = self._book.last_delivery
        return None if last is None else last + self._policy.return_window

    def check(self, request: ReturnRequest) -> None:
        """Raises ApplicationError where there are no such units to send back."""
        if request.request_id not in self._approved:
            returnable_units(self._book, request)

    async def request(
        self, request: ReturnRequest, request_id: str, asked_at: datetime
    ) -> ReturnOutcome:
        """Have the rules decide about a return, and expect its parcel."""

        async def approve(ask: ApproveReturn) -> Approved:
            units = count_of(sum(ask.units.values()), "unit")
            return await self._approve(ask, f"Decide about a return of {units}")

        earlier = self._approved.get(request_id)
        if earlier is not None:
            return answered(request_id, earlier.return_id, earlier.units, earlier.asks)
        units = returnable_units(self._book, request)
        approved = await self.approve(request, request_id, asked_at, approve)
        return answered(request_id, approved.return_id, units, approved.asks)

    async def approve(
        self,
        request: ReturnRequest,
        request_id: str,
        asked_at: datetime,
        decide: Callable[[ApproveReturn], Awaitable[ApprovedT]],
    ) -> ApprovedT:
        """Have it decided on, and expect its parcel, which an earlier run may have done.

        `decide`: writes it down, if no rule refuses it. Raises ApplicationError where one does.
        """
        earlier = self._approved.get(request_id)
        units = returnable_units(self._book, request) if earlier is None else earlier.units
        ask = ApproveReturn(
            order_id=self._book.order_id,
            request_id=request_id,
            units=dict(units),
            reason=request.reason,
            reason_codes=reason_codes(request, units),
            late=request.late,
            asked_at=asked_at,
            turn=workflow.uuid4().hex,
            who=request.by,
        )
        if earlier is not None:
            return await decide(ask)
        # Taken at once, before anything is awaited: two requests never get the same units.
        self._book.return_requested(units)
        self._being_approved += 1
        try:
            approved = await decide(ask)
        finally:
            self._being_approved -= 1
        if approved.refusal is not None:
            self._book.return_received(units, {})
            raise said_no(approved.refusal)
        self._expect(approved.return_id, units)
        return approved

    async def decide(self, request: ReturnAnswer | ReturnGivenUp, request_id: str) -> ReturnDecided:
        """A person decides about a return, or the customer gives it up.

        One that ends by that ends its wait with a report.
        """
        choice: Literal["approve", "refuse", "cancel"] = "cancel"
        if isinstance(request, ReturnAnswer):
            choice = request.decision
        why = request.note if isinstance(request, ReturnAnswer) else request.reason
        ask = DecideReturn(
            order_id=self._book.order_id,
            request_id=request_id,
            return_id=request.return_id,
            decision=choice,
            why=why,
            who=request.by,
        )
        decided = await self._steps.record(
            Returns.decide_return, ask, request_id, f"Decide about {request.return_id}"
        )
        if decided.refusal is not None:
            raise said_no(decided.refusal)
        return decided_as(request_id, request.return_id, choice)

    async def undeliverable(self, fulfilment: Fulfilment) -> bool:
        """The carrier brings it back: wait for the parcel, and pay everything back.

        Answers whether it is to go out once more instead.
        """
        if not fulfilment.return_id:
            ask = ApproveReturn(
                order_id=self._book.order_id,
                request_id=fulfilment.id,
                kind="undeliverable",
                fulfilment_id=fulfilment.id,
                units=fulfilment.units,
                reason=f"{fulfilment.id} could not be delivered",
                who="orderloom",
            )
            approved = await self._approve(ask, f"Expect {fulfilment.id} back")
            fulfilment.return_id = approved.return_id
            fulfilment.since = workflow.now()
        received = await self._parcel(fulfilment.return_id, fulfilment.since)
        if received.anew:
            return True
        self._book.came_back(fulfilment)
        await self._payments.pay_back(received.refund)
        return False

    async def _approve(self, ask: ApproveReturn, summary: str) -> Approved:
        """Have the return written down, if the rules do not refuse it."""
        return await self._steps.record(Returns.approve_return, ask, ask.request_id, summary)

    def _expect(
        self,
        return_id: str,
        units: LineUnits,
        since: datetime | None = None,
        *,
        paid_early: bool = False,
    ) -> None:
        back = self._take_back(return_id, dict(units), since, paid_early)
        self._under_way.append(_Return(return_id, asyncio.create_task(back)))

    async def _take_back(
        self, return_id: str, units: LineUnits, since: datetime | None, paid_early: bool
    ) -> None:
        received = None if paid_early else await self._parcel(return_id, since)
        if received is None or received.paid_early:
            if received is not None:
                await self._payments.pay_back(received.refund)
            received = await self._parcel(return_id, since, Returns.receive_paid_return)
        self._book.return_received(units, received.received)
        await self._payments.pay_back(received.refund)

    async def _parcel(
        self,
        return_id: str,
        since: datetime | None,
        step: Callable[..., Awaitable[ReceivedReturn]] = Returns.receive_return,
    ) -> ReceivedReturn:
        """Wait for a return's parcel. Returns the warehouse's count."""

        async def overdue() -> str:
            within = span(self._policy.return_ends_within)
            return f"{return_id} has not arrived within {within}, and was not closed"

        outcome = await self._steps.wait(
            step,
            ReturnPart(return_id=return_id),
            return_id,
            f"Return parcel {return_id}",
            within=lambda: self._policy.return_ends_within + GRACE,
            overdue=overdue,
            since=since,
        )
        assert isinstance(outcome, Done)  # Its parcel is awaited until it arrives.
        return outcome.result
