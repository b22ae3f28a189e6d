"""Returns: approved within the window, counted at the warehouse, paid back for what came."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

from temporalio import workflow

from workflows.chapters.fulfilments import OrderFulfilments
from workflows.chapters.payments import OrderPayments
from workflows.engine.continuing import broken
from workflows.engine.refusals import invalid_line, refused
from workflows.engine.steps import Steps
from workflows.state.order_book import OrderBook

with workflow.unsafe.imports_passed_through():
    from activities.returns import ApproveReturn, Returns
    from domain import ids
    from domain.continuation import ReturnsState, ReturnState
    from domain.messages import ReturnOutcome, ReturnRequest, Units
    from domain.policy import Policy


@dataclass
class _Return:
    """A return under way. Its task is None until the run that it was handed on to begins."""

    state: ReturnState
    task: asyncio.Task[None] | None = None

    @property
    def pending(self) -> bool:
        return self.task is None or not self.task.done()


class OrderReturns:
    """Takes back what was delivered. Any number of returns, each with its own parcel."""

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
        """What the next run must know. Only while `idle`."""
        return ReturnsState(
            numbered=self._numbered,
            under_way=tuple(item.state for item in self._under_way if item.pending),
        )

    @property
    def idle(self) -> bool:
        """Every return has ended, or waits for its parcel."""
        return self._being_approved == 0 and all(
            self._steps.waits_for(Returns.receive_return.__name__, item.state.return_id)
            if item.pending
            else not broken(item.task)
            for item in self._under_way
        )

    def resume(self, fulfilments: OrderFulfilments) -> None:
        """Go on with the returns that an earlier run handed on."""
        for item in self._under_way:
            item.task = item.task or asyncio.create_task(self._take_back(item.state, fulfilments))

    def next_return_id(self) -> str:
        """Numbers are given out once each, also to fulfilments that come back undeliverable."""
        self._numbered += 1
        return ids.return_id(self._book.order.order_id, self._numbered)

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

    async def request(
        self, request: ReturnRequest, request_id: str, fulfilments: OrderFulfilments
    ) -> ReturnOutcome:
        """Approve a return, and expect its parcel."""
        units = self._units(request)
        # Taken at once, before anything is awaited: two requests never get the same units.
        self._book.return_requested(units)
        return_id = self.next_return_id()
        ask = ApproveReturn(return_id=return_id, units=units, reason=request.reason, who=request.by)
        self._being_approved += 1
        try:
            await self._steps.record(
                Returns.approve_return, ask, return_id, f"Approve return {return_id}"
            )
        finally:
            self._being_approved -= 1
        expected = ReturnState(return_id=return_id, units=units, reason=request.reason)
        taking_back = asyncio.create_task(self._take_back(expected, fulfilments))
        self._under_way.append(_Return(expected, taking_back))
        return ReturnOutcome(
            request_id=request_id,
            outcome="approved",
            return_id=return_id,
            lines=tuple(Units(line_id=k, quantity=n) for k, n in units.items()),
            message=f"write {return_id} on the parcel; it is paid back when it has been counted",
        )

    async def _take_back(self, expected: ReturnState, fulfilments: OrderFulfilments) -> None:
        return_id = expected.return_id
        received = await fulfilments.await_return(return_id)
        owed = self._book.return_received(expected.units, received)
        await self._payments.refund(
            return_id, owed, expected.reason, kind="return", return_id=return_id
        )

    def _units(self, request: ReturnRequest) -> dict[str, int]:
        ends = self.window_ends
        if ends is None:
            raise refused("nothing has been delivered yet; cancel what is not wanted")
        if workflow.now() > ends:
            raise refused(f"the return window ended on {ends:%Y-%m-%d %H:%M %Z}")
        if not request.lines:
            everything = {k: line.returnable for k, line in self._book.lines.items()}
            units = {line_id: quantity for line_id, quantity in everything.items() if quantity}
            if not units:
                raise refused("there is nothing left to return")
            return units
        units = {}
        for index, item in enumerate(request.lines):
            line = self._book.lines.get(item.line_id)
            if line is None:
                known = ", ".join(self._book.lines)
                raise invalid_line(index, f"no line {item.line_id}; the order has {known}")
            if item.line_id in units:
                raise invalid_line(index, f"line {item.line_id} is named twice")
            quantity = line.returnable if item.quantity is None else item.quantity
            if quantity > line.returnable or quantity == 0:
                raise refused(
                    f"line {item.line_id}: {quantity} cannot be returned; "
                    f"{line.returnable} of {line.delivered} delivered units can"
                )
            units[item.line_id] = quantity
        return units
