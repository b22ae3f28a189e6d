"""Holds that people place, extend and release. Rows keep them, and rules at rows look at them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, Literal

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from workflows.engine.refusals import refused
from workflows.engine.steps import Steps
from workflows.state.order_book import OrderBook

with workflow.unsafe.imports_passed_through():
    from activities.orders.holds import ChangeHolds, Holds, HoldsChanged
    from domain.orders.hold_messages import (
        ExtendRequest,
        HoldOutcome,
        HoldRequest,
        RejectOutcome,
        RejectRequest,
        ReleaseRequest,
    )
    from domain.orders.messages import CancelOutcome, CancelRequest

Rejected = Literal["rejected", "partly_rejected", "refused"]

_REJECTED: Final[dict[str, Rejected]] = {
    "cancelled": "rejected",
    "partly_cancelled": "partly_rejected",
    "refused": "refused",
}


class AskedHolds:
    """Has holds of one order changed. What stands is not known here, and nothing waits for it."""

    def __init__(
        self,
        steps: Steps,
        book: OrderBook,
        on_record: Callable[[], Awaitable[None]],
        cancel: Callable[[CancelRequest, str], Awaitable[CancelOutcome]],
    ) -> None:
        """`on_record`: waits until the order's terms are known; raises where it has ended."""
        self._steps = steps
        self._book = book
        self._order_id = book.order_id
        self._on_record = on_record
        self._cancel = cancel

    def check_hold(self, request: HoldRequest) -> None:
        """Raises ApplicationError where nothing is left to be handed over."""
        del request  # whatever it is held for
        if not any(n.ordered > n.cancelled + n.shipped for n in self._book.lines.values()):
            raise refused(
                f"nothing of order {self._order_id} is left to be handed over",
                reason="nothing_to_hold",
                instead=["return_items"],
            )

    async def hold(self, request: HoldRequest, request_id: str) -> HoldOutcome:
        """Keep the order's goods here from now on."""
        await self._on_record()
        self.check_hold(request)
        done = await self._change(
            ChangeHolds(order_id=self._order_id, request_id=request_id, hold=request), "Hold"
        )
        return _outcome(request_id, "held", done)

    async def release(self, request: ReleaseRequest, request_id: str) -> HoldOutcome:
        """End holds."""
        await self._on_record()
        done = await self._change(
            ChangeHolds(order_id=self._order_id, request_id=request_id, release=request), "Release"
        )
        return _outcome(request_id, "released", done)

    async def extend(self, request: ExtendRequest, request_id: str) -> HoldOutcome:
        """Give holds another deadline."""
        await self._on_record()
        done = await self._change(
            ChangeHolds(order_id=self._order_id, request_id=request_id, extend=request), "Extend"
        )
        return _outcome(request_id, "extended", done)

    async def reject(self, request: RejectRequest, request_id: str) -> RejectOutcome:
        """Cancel what has not left, and then end the holds: nothing leaves in between."""
        await self._on_record()
        ask = ChangeHolds(order_id=self._order_id, request_id=request_id, reject=request)
        await self._change(ask, "Reject")
        units = await self._cancel(CancelRequest(reason=request.note, by=request.by), request_id)
        done = await self._change(ask.model_copy(update={"ends": True}), "End the holds")
        return RejectOutcome(
            request_id=request_id,
            outcome=_REJECTED[units.outcome],
            cancelled=units.cancelled,
            refused=units.refused,
            holds=done.holds,
            message=units.message,
        )

    async def _change(self, ask: ChangeHolds, summary: str) -> HoldsChanged:
        ask = ask.model_copy(update={"turn": workflow.uuid4().hex})
        done = await self._steps.record(Holds.change_holds, ask, self._order_id, summary)
        if done.refused is not None:
            no = done.refused
            raise ApplicationError(
                no.message,
                {"reason": no.reason, "instead": list(no.instead)},
                type=no.kind,
                non_retryable=True,
            )
        return done


def _outcome(
    request_id: str, outcome: Literal["held", "released", "extended"], done: HoldsChanged
) -> HoldOutcome:
    stand = ", ".join(each.hold_id for each in done.holds)
    return HoldOutcome(
        request_id=request_id,
        outcome=outcome,
        hold_ids=done.hold_ids,
        holds=done.holds,
        message=f"it is still held: {stand}" if stand else "it is held no more",
    )
