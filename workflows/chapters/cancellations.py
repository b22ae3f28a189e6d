"""Cancellation: per unit, whatever stage it is in, until it is handed over."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from temporalio import workflow

from workflows.chapters.backorders import OrderBackorders
from workflows.chapters.fulfilments import OrderFulfilments
from workflows.chapters.line_requests import requested_units
from workflows.chapters.payments import OrderPayments
from workflows.chapters.recalls import Removal
from workflows.chapters.removals import OrderRemovals, Removed
from workflows.engine.refusals import invalid_line
from workflows.engine.steps import Steps
from workflows.state.contracts import OrderEnd
from workflows.state.order_book import OrderBook

with workflow.unsafe.imports_passed_through():
    from activities.orders.order_records import Notice, OrderRecords
    from domain.orders.continuation import BegunRequest
    from domain.orders.handling import DIGITAL
    from domain.orders.messages import (
        CANCELLATION_ASKED,
        CancelOutcome,
        CancelRequest,
        Placement,
        Units,
    )
    from domain.orders.quantities import LineId, LineUnits
    from domain.words import count_of

GIVEN_OUT = "already given out as a code; ask for a refund, which revokes it"
KEPT = {
    "with_supplier": "bought for this order, and its supplier does not stop it any more",
    "at_work": "with a workshop, which does not stop any more",
    "appointment_firm": "so near its appointment it is not cancelled any more; ask for a refund",
}
"""Why units are not given back, by the reason's code."""
HANDED_OVER = "already handed over to the carrier; it can be sent back: request a return"


class OrderCancellations:
    """Cancels units of one order, one request at a time."""

    def __init__(
        self,
        book: OrderBook,
        payments: OrderPayments,
        fulfilments: OrderFulfilments,
        backorders: OrderBackorders,
    ) -> None:
        self._book = book
        self.one_at_a_time = asyncio.Lock()  # with changes of the order
        self._waiting = 0
        self.removals = OrderRemovals(book, payments, fulfilments, backorders)
        self._before: Mapping[str, LineUnits] = {}

    def one_waits(self) -> bool:
        """A request waits until a change of the order is over."""
        return self._waiting > 0

    def take_up(self, begun: Mapping[str, BegunRequest]) -> None:
        """Earlier runs have cancelled units for requests that they did not answer."""
        self._before = {request_id: each.cancelled for request_id, each in begun.items()}

    def check(self, request: CancelRequest) -> None:
        """Raises ApplicationError where the request cannot be meant for this order."""
        _wanted(self._book, request)

    async def cancel(self, request: CancelRequest, request_id: str) -> CancelOutcome:
        """Stop and release what can be. Say for each other unit why not, and what can be done.

        Everything is stopped before anything is paid back: a refund may wait for a person.
        """
        removal = Removal(request.reason, request.by)
        self._waiting += 1
        async with self.one_at_a_time:
            self._waiting -= 1
            left = _wanted(self._book, request)
            before = self._before.get(request_id, {})
            for line_id in _counted(request) & before.keys():
                left[line_id] = max(left[line_id] - before[line_id], 0)
            effect = f"cancel:{request_id}"
            removed = await self.removals.take_out(left, effect, removal, before=before)
        await self.removals.settle(removed)
        return self._outcome(request, request_id, removed)

    def too_early(self, request_id: str, ended_as: OrderEnd, placement: Placement) -> CancelOutcome:
        """The order ended before it was confirmed, by itself or because of this request."""
        if ended_as == "rejected":
            return CancelOutcome(
                request_id=request_id,
                outcome="refused",
                message=f"the order was rejected: {placement.reason}; there is nothing to cancel",
            )
        everything = {line_id: line.ordered for line_id, line in self._book.lines.items()}
        return CancelOutcome(
            request_id=request_id,
            outcome="cancelled",
            cancelled=tuple(Units(line_id=k, quantity=n) for k, n in everything.items()),
            message=placement.reason,
        )

    def _outcome(
        self,
        request: CancelRequest,
        request_id: str,
        removed: Removed,
    ) -> CancelOutcome:
        refused = [
            Units(line_id=line_id, quantity=units, why=KEPT[reason], reason=reason)
            for (line_id, reason), units in removed.kept.items()
        ]
        # A request without a number asks for all that there is: that is never too many.
        counted = _counted(request)
        for line_id, units in removed.left.items():
            shipped = min(units, self._book.lines[line_id].shipped)
            too_many = units - shipped if line_id in counted else 0
            if shipped:
                code = self._book.handlings[line_id] == DIGITAL
                why, reason = (
                    (GIVEN_OUT, "digital_delivered") if code else (HANDED_OVER, "handed_over")
                )
                refused.append(Units(line_id=line_id, quantity=shipped, why=why, reason=reason))
            if too_many:
                refused.append(
                    Units(
                        line_id=line_id,
                        quantity=too_many,
                        why="already cancelled",
                        reason="already_cancelled",
                    )
                )
        done = tuple(Units(line_id=k, quantity=n) for k, n in removed.units.items())
        return CancelOutcome(
            request_id=request_id,
            outcome=("partly_cancelled" if refused else "cancelled") if done else "refused",
            cancelled=done,
            refused=tuple(refused),
            return_offered=any(item.reason == "handed_over" for item in refused),
            message=_message(done, refused),
        )


async def tell_asked(steps: Steps, order_id: str, request: CancelRequest, request_id: str) -> None:
    """Tell who asks to cancel an order that is not placed yet, and why.

    What units are cancelled for is told with them; an order that is given up before it has begun
    tells only that.
    """
    asked = Notice(
        order_id=order_id,
        effect=f"cancel:{request_id}:asked",
        what=CANCELLATION_ASKED,
        why=request.reason,
        who=request.by,
    )
    await steps.record(OrderRecords.tell, asked, order_id, "Somebody asks to cancel")


def _counted(request: CancelRequest) -> set[LineId]:
    """The lines of which it names a number."""
    return {item.line_id for item in request.lines if item.quantity is not None}


def _wanted(book: OrderBook, request: CancelRequest) -> dict[LineId, int]:
    """The units that a request is about. Raises ApplicationError for what cannot be."""

    def check(index: int, line_id: LineId, quantity: int) -> None:
        ordered = book.lines[line_id].ordered
        if quantity > ordered:
            raise invalid_line(index, f"cannot cancel {quantity}: only {ordered} were ordered")

    return dict(
        requested_units(
            request.lines, book.lines, can=lambda line: line.ordered - line.cancelled, check=check
        )
    )


def _message(done: tuple[Units, ...], refused: list[Units]) -> str:
    parts = []
    if done:
        parts.append(f"{count_of(sum(item.quantity for item in done), 'unit')} cancelled")
    parts += [f"line {item.line_id}: {item.quantity} {item.why}" for item in refused]
    return "; ".join(parts) or "there was nothing left to cancel"
