"""Returns: approved within the window, counted at the warehouse, paid back for what came."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

from temporalio import workflow

from workflows.chapters.line_requests import requested_units
from workflows.chapters.payments import OrderPayments
from workflows.engine.outcomes import Done
from workflows.engine.refusals import refused
from workflows.engine.runs import broken
from workflows.engine.steps import Steps
from workflows.state.fulfilment import Fulfilment
from workflows.state.order_book import OrderBook

with workflow.unsafe.imports_passed_through():
    from activities.aftersales.returns import ApproveReturn, ReceivedReturn, ReturnPart, Returns
    from domain import ids
    from domain.orders.continuation import ReturnsState, ReturnState
    from domain.orders.messages import ReturnOutcome, ReturnRequest, Units
    from domain.orders.policy import Policy
    from domain.orders.quantities import LineId, LineUnits
    from domain.words import span


@dataclass
class _Return:
    """A return under way. Its task is None until the run that it was handed on to begins."""

    state: ReturnState
    task: asyncio.Task[None] | None = None

    @property
    def pending(self) -> bool:
        return self.task is None or not self.task.done()


class OrderReturns:
    """Takes back delivered or undeliverable units. Any number of returns, each with a parcel."""

    def __init__(
        self,
        steps: Steps,
        book: OrderBook,
        payments: OrderPayments,
        policy: Policy,
        state: ReturnsState,
    ) -> None:
        self._steps = steps
        self._book = book
        self._payments = payments
        self._policy = policy
        self._numbered = state.numbered
        self._being_approved = 0
        self._under_way = [_Return(handed_on) for handed_on in state.under_way]

    def state(self) -> ReturnsState:
        """The state for the next run. Only while `idle`."""
        return ReturnsState(
            numbered=self._numbered,
            under_way=tuple(item.state for item in self._under_way if item.pending),
        )

    @property
    def idle(self) -> bool:
        """Every return has ended, or waits for its parcel."""
        return self._being_approved == 0 and all(
            self.waits_for(item.state.return_id) if item.pending else not broken(item.task)
            for item in self._under_way
        )

    def waits_for(self, return_id: str) -> bool:
        """The parcel of this return is awaited."""
        return self._steps.waits_for(Returns.receive_return, return_id)

    def resume(self) -> None:
        """Go on with the returns that an earlier run handed on."""
        for item in self._under_way:
            item.task = item.task or asyncio.create_task(self._take_back(item.state))

    @property
    def pending(self) -> bool:
        """A return is being approved, its parcel is awaited, or its money is on its way."""
        return self._being_approved > 0 or any(item.pending for item in self._under_way)

    async def all_ended(self) -> None:
        """Wait until no return is pending."""
        await workflow.wait_condition(lambda: not self.pending)
        for item in self._under_way:
            if item.task is not None:
                item.task.result()  # a fault of ours comes to light here, and can be mended

    @property
    def window_ends(self) -> datetime | None:
        """Until when a return may be requested, once something was delivered."""
        last = self._book.last_delivery
        return None if last is None else last + self._policy.return_window

    def check(self, request: ReturnRequest) -> None:
        """Raises ApplicationError where the rules do not allow this return."""
        self._units(request)

    async def request(self, request: ReturnRequest, request_id: str) -> ReturnOutcome:
        """Approve a return, and expect its parcel."""
        units = self._units(request)
        # Taken at once, before anything is awaited: two requests never get the same units.
        self._book.return_requested(units)
        return_id = self._next_id()
        ask = ApproveReturn(
            return_id=return_id, units=dict(units), reason=request.reason, who=request.by
        )
        self._being_approved += 1
        try:
            await self._steps.record(
                Returns.approve_return, ask, return_id, f"Approve return {return_id}"
            )
        finally:
            self._being_approved -= 1
        expected = ReturnState(return_id=return_id, units=dict(units), reason=request.reason)
        self._under_way.append(_Return(expected, asyncio.create_task(self._take_back(expected))))
        return ReturnOutcome(
            request_id=request_id,
            outcome="approved",
            return_id=return_id,
            lines=tuple(Units(line_id=k, quantity=n) for k, n in units.items()),
            message=f"write {return_id} on the parcel; it is paid back when it has been counted",
        )

    async def undeliverable(self, fulfilment: Fulfilment) -> None:
        """The carrier brings it back: wait for the parcel, and pay everything back."""
        reason = f"{fulfilment.id} could not be delivered"
        if not fulfilment.return_id:
            fulfilment.return_id = self._next_id()
            await self._steps.record(
                Returns.approve_return,
                ApproveReturn(
                    return_id=fulfilment.return_id,
                    kind="undeliverable",
                    fulfilment_id=fulfilment.id,
                    units=fulfilment.units,
                    reason=reason,
                    who="orderloom",
                ),
                fulfilment.return_id,
                f"Expect {fulfilment.id} back",
            )
        received = await self._parcel(fulfilment.return_id)
        self._book.came_back(fulfilment)
        await self._payments.pay_back(received.refund)

    def _next_id(self) -> str:
        self._numbered += 1
        return ids.return_id(self._book.order_id, self._numbered)

    async def _take_back(self, expected: ReturnState) -> None:
        received = await self._parcel(expected.return_id)
        self._book.return_received(expected.units, received.received)
        await self._payments.pay_back(received.refund)

    async def _parcel(self, return_id: str) -> ReceivedReturn:
        """Wait for a return's parcel. Returns the warehouse's count."""

        async def overdue() -> str:
            return f"{return_id} has not arrived within {span(self._policy.return_within)}"

        outcome = await self._steps.wait(
            Returns.receive_return,
            ReturnPart(return_id=return_id),
            return_id,
            f"Return parcel {return_id}",
            within=lambda: self._policy.return_within,
            overdue=overdue,
        )
        assert isinstance(outcome, Done)  # Its parcel is awaited until it arrives.
        return outcome.result

    def _units(self, request: ReturnRequest) -> LineUnits:
        ends, lines = self.window_ends, self._book.lines
        if ends is None:
            raise refused("nothing has been delivered yet; cancel what is not wanted")
        if workflow.now() > ends:
            raise refused(f"the return window ended on {ends:%Y-%m-%d %H:%M %Z}")

        def check(_: int, line_id: LineId, quantity: int) -> None:
            line = lines[line_id]
            if not 0 < quantity <= line.returnable:
                raise refused(
                    f"line {line_id}: {quantity} cannot be returned; "
                    f"{line.returnable} of {line.delivered} delivered units can"
                )

        units = requested_units(request.lines, lines, can=lambda line: line.returnable, check=check)
        if not units:
            raise refused("there is nothing left to return")
        return units
