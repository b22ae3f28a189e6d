"""Returns: approved within the window, counted at the warehouse, paid back for what came."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
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
    from domain.orders.continuation import BegunRequest, OpenReturn
    from domain.orders.handling import DIGITAL
    from domain.orders.messages import ReturnOutcome, ReturnRequest, Units
    from domain.orders.policy import Policy
    from domain.orders.quantities import LineId, LineUnits
    from domain.words import count_of, span


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
            self._expect(each.return_id, each.units, each.since)

    @property
    def idle(self) -> bool:
        """Every return has ended, or waits for its parcel."""
        return self._being_approved == 0 and all(
            self.waits_for(item.return_id) if item.pending else not broken(item.task)
            for item in self._under_way
        )

    def waits_for(self, return_id: str) -> bool:
        """The parcel of this return is awaited."""
        return self._steps.waits_for(Returns.receive_return, return_id)

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
        """Raises ApplicationError where the rules do not allow this return."""
        if request.request_id not in self._approved:
            self._units(request)

    async def request(self, request: ReturnRequest, request_id: str) -> ReturnOutcome:
        """Approve a return, and expect its parcel."""
        earlier = self._approved.get(request_id)
        if earlier is not None:
            return _approved(request_id, earlier.return_id, earlier.units)
        units = self._units(request)
        # Taken at once, before anything is awaited: two requests never get the same units.
        self._book.return_requested(units)
        ask = ApproveReturn(
            order_id=self._book.order_id,
            request_id=request_id,
            units=dict(units),
            reason=request.reason,
            who=request.by,
        )
        self._being_approved += 1
        try:
            return_id = await self._approve(
                ask, f"Approve a return of {count_of(sum(units.values()), 'unit')}"
            )
        finally:
            self._being_approved -= 1
        self._expect(return_id, units)
        return _approved(request_id, return_id, units)

    async def undeliverable(self, fulfilment: Fulfilment) -> None:
        """The carrier brings it back: wait for the parcel, and pay everything back."""
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
            fulfilment.return_id = await self._approve(ask, f"Expect {fulfilment.id} back")
            fulfilment.since = workflow.now()
        received = await self._parcel(fulfilment.return_id, fulfilment.since)
        self._book.came_back(fulfilment)
        await self._payments.pay_back(received.refund)

    async def _approve(self, ask: ApproveReturn, summary: str) -> str:
        """Write the return down. Returns its id."""
        approved = await self._steps.record(Returns.approve_return, ask, ask.request_id, summary)
        return approved.return_id

    def _expect(self, return_id: str, units: LineUnits, since: datetime | None = None) -> None:
        back = self._take_back(return_id, dict(units), since)
        self._under_way.append(_Return(return_id, asyncio.create_task(back)))

    async def _take_back(self, return_id: str, units: LineUnits, since: datetime | None) -> None:
        received = await self._parcel(return_id, since)
        self._book.return_received(units, received.received)
        await self._payments.pay_back(received.refund)

    async def _parcel(self, return_id: str, since: datetime | None) -> ReceivedReturn:
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
            since=since,
        )
        assert isinstance(outcome, Done)  # Its parcel is awaited until it arrives.
        return outcome.result

    def _units(self, request: ReturnRequest) -> LineUnits:
        ends, lines = self.window_ends, self._book.lines
        if ends is None:
            raise refused(
                "nothing has been delivered yet; cancel what is not wanted",
                reason="not_delivered",
                instead=["cancel_order"],
            )
        if workflow.now() > ends and not request.late:
            raise refused(
                f"the return window ended on {ends:%Y-%m-%d %H:%M %Z}; customer service can take "
                "it all the same, as a late one (--late)",
                reason="window_over",
                instead=["refund_order"],
            )

        def check(_: int, line_id: LineId, quantity: int) -> None:
            line = lines[line_id]
            if self._book.handlings[line_id] == DIGITAL:
                raise refused(
                    f"line {line_id} is a code that was given out: it cannot be sent back",
                    reason="digital_delivered",
                    instead=["refund_order"],
                )
            if not 0 < quantity <= line.returnable:
                raise refused(
                    f"line {line_id}: {quantity} cannot be returned; "
                    f"{line.returnable} of {line.delivered} delivered units can",
                    reason="more_than_delivered",
                )

        asked = requested_units(request.lines, lines, can=lambda line: line.returnable, check=check)
        units = {k: n for k, n in asked.items() if self._book.handlings[k] != DIGITAL}
        if not units:
            raise refused("there is nothing left to return", reason="nothing_left")
        return units


def _approved(request_id: str, return_id: str, units: LineUnits) -> ReturnOutcome:
    return ReturnOutcome(
        request_id=request_id,
        outcome="approved",
        return_id=return_id,
        lines=tuple(Units(line_id=k, quantity=n) for k, n in units.items()),
        message=f"write {return_id} on the parcel; it is paid back when it has been counted",
    )
