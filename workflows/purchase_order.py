"""The life of a purchase order: be approved, be sent, be acknowledged, come in, be closed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError, ApplicationError

from workflows.engine import results, timeouts
from workflows.engine.inbox import NOTHING, parse_update
from workflows.engine.outcomes import refusal_of
from workflows.engine.refusals import refused

with workflow.unsafe.imports_passed_through():
    from activities.purchasing.purchase_orders import (
        Chase,
        Ended,
        Purchase,
        PurchaseAttention,
        PurchaseDecision,
        Purchasing,
        Sent,
    )
    from domain.purchasing.purchase_orders import PurchaseStart

FOR_EVER = timedelta(days=3650)
"""A wait for the outside is ended from there; its timers are the workflow's own."""


@workflow.defn(name="PurchaseOrder")
class PurchaseOrderWorkflow:
    """One purchase order. Suppliers and the dock report to the store; this drives it on."""

    @workflow.init
    def __init__(self, start: PurchaseStart) -> None:
        self.po_id = start.po_id
        self.policy = start.policy
        self.sent_before = start.sent
        self.approved = not start.needs_approval
        self.over = False  # cancelled or refused: nothing may come any more
        self.phase = "proposed"
        self.chases = 0
        self.notes = 0
        self.turn = asyncio.Lock()  # It cannot be cancelled while it is being sent.
        self.asked_in_ui: asyncio.Task[None] | None = None

    # The story ------------------------------------------------------------------------------------

    @workflow.run
    async def run(self, start: PurchaseStart) -> Ended:
        """Its life. A cancellation from the Temporal UI is an operator's, like any other."""
        del start  # taken by __init__
        story = asyncio.create_task(self.live())
        while True:
            try:
                ended = await asyncio.shield(story)
                break
            except asyncio.CancelledError:
                # A worker that forgets the workflow cancels it too, and asks for nothing.
                if self.asked_in_ui is not None or workflow.cancellation_reason() is None:
                    raise
                self.asked_in_ui = asyncio.create_task(self.cancelled_in_ui())
        if self.asked_in_ui is not None:
            await self.asked_in_ui  # the order may be over before the cancellation has its answer
        return ended

    async def live(self) -> Ended:
        """From proposal to end, in plain steps."""
        if not self.sent_before:
            self.enter("waits for approval")
            await workflow.wait_condition(lambda: self.approved or self.over)
            await self.send()
            self.enter("waits for the supplier's answer")
            await self.wait_for(
                Purchasing.await_acknowledgement,
                first=self.policy.acknowledge_within,
                unanswered=True,
            )
        self.enter("waits for goods")
        await self.wait_for(Purchasing.await_goods, first=self.policy.chase_every, unanswered=False)
        self.enter("ending")
        ended: Ended = await self.record(
            Purchasing.close_purchase, Purchase(po_id=self.po_id), "Close"
        )
        await workflow.wait_condition(workflow.all_handlers_finished)
        self.enter(ended.state)
        return ended

    async def send(self) -> None:
        """Send it, however long that takes; what keeps failing is shown, and tried again."""
        self.enter("being sent")
        shown = False
        while not self.over:
            async with self.turn:
                if self.is_over():  # cancelled while it waited for its turn
                    break
                try:
                    sent: Sent = await self.call(
                        Purchasing.send_purchase, Purchase(po_id=self.po_id), "Send to supplier"
                    )
                except ActivityError as error:
                    reason = self.why(error)
                else:
                    if sent.refused is not None:
                        self.over = True  # the supplier will not serve it
                    break
            await self.show_attention(f"cannot be sent: {reason}")
            shown = True
            await self.pause(self.policy.chase_every)
        if shown:
            await self.show_attention(None)

    async def wait_for(
        self, do: Callable[..., Awaitable[Any]], *, first: timedelta, unanswered: bool
    ) -> None:
        """Wait until the outside has reported, and chase the supplier while it is late."""
        pause = first
        while not self.over:
            waiting = results.start(
                do,
                Purchase(po_id=self.po_id),
                activity_id=f"{do.__name__}:{self.po_id}",
                start_to_close_timeout=FOR_EVER,
                retry_policy=timeouts.DATABASE_RETRY,
                summary=self.phase.capitalize(),
            )
            await self.until_over(waiting, pause, unanswered=unanswered)
            try:
                await results.answer(do, waiting)
                return
            except (ActivityError, asyncio.CancelledError):
                if not self.over:
                    raise
            except ApplicationError as error:  # somebody completed it with something else
                workflow.logger.warning("%s; it is waited for again", error.message)
                pause = self.policy.chase_every

    async def until_over(
        self, waiting: workflow.ActivityHandle[Any], pause: timedelta, *, unanswered: bool
    ) -> None:
        """Wait for the report, or until nothing may come any more; chase the supplier meanwhile."""
        while True:
            try:
                await workflow.wait_condition(
                    lambda: waiting.done() or self.over,
                    timeout=pause,
                    timeout_summary="Chase the supplier, if it is late",
                )
                break
            except TimeoutError:
                await self.chase(unanswered=unanswered)
                pause = self.policy.chase_every
        if not waiting.done():
            waiting.cancel()

    async def chase(self, *, unanswered: bool) -> None:
        """Ask the supplier where late goods are. It need not answer."""
        self.chases += 1
        ask = Chase(po_id=self.po_id, number=self.chases, unanswered=unanswered)
        try:
            await self.call(Purchasing.chase_supplier, ask, "Look whether it is late")
        except ActivityError as error:
            workflow.logger.warning("the supplier could not be asked: %s", self.why(error))

    # Steps ----------------------------------------------------------------------------------------

    async def record(self, do: Callable[..., Awaitable[Any]], ask: Any, summary: str) -> Any:
        """A short step in the database, tried until it is done."""
        return await results.insist(
            do,
            ask,
            start_to_close_timeout=timeouts.DATABASE_STEP,
            retry_policy=timeouts.DATABASE_RETRY,
            summary=summary,
        )

    async def call(self, do: Callable[..., Awaitable[Any]], ask: Any, summary: str) -> Any:
        """A step that speaks to the supplier, tried for a while."""
        return await results.insist(
            do,
            ask,
            schedule_to_close_timeout=self.policy.give_up_after,
            start_to_close_timeout=timeouts.PROVIDER_CALL,
            retry_policy=timeouts.PROVIDER_RETRY,
            summary=summary,
        )

    async def pause(self, duration: timedelta) -> None:
        """Wait, unless the order is over."""
        try:
            await workflow.wait_condition(lambda: self.over, timeout=duration)
        except TimeoutError:
            return

    async def show_attention(self, reason: str | None) -> None:
        """List it as needing a person, or no longer."""
        self.notes += 1
        ask = PurchaseAttention(po_id=self.po_id, reason=reason, number=self.notes)
        await self.record(
            Purchasing.note_purchase, ask, "Needs attention" if reason else "Resolved"
        )

    def is_over(self) -> bool:
        return self.over

    def why(self, error: ActivityError) -> str:
        """The reason why a step failed."""
        refusal = refusal_of(error)
        if refusal is not None:
            return refusal.message
        return "it kept failing or did not answer"

    def enter(self, phase: str) -> None:
        """Another chapter, for the page that operators read."""
        self.phase = phase
        workflow.set_current_details(f"**{self.po_id}** · {phase}")

    # Messages -------------------------------------------------------------------------------------

    @workflow.update
    async def approve(self, given: RawValue = NOTHING) -> None:
        """A person approves it. Approving it again changes nothing."""
        await self.be_approved(parse_update(PurchaseDecision, given))

    @approve.validator
    def _may_approve(self, given: RawValue = NOTHING) -> None:
        parse_update(PurchaseDecision, given)
        if self.over or self.phase in ("ending", "closed", "cancelled"):
            raise refused(f"{self.po_id} is over; nothing can be approved")

    @workflow.signal(name="approve")
    async def on_approve(self, ask: PurchaseDecision) -> None:
        """The same, without waiting for an answer; a refusal is in the worker's log."""
        try:
            await self.be_approved(ask)
        except ApplicationError as error:
            workflow.logger.warning("%s is not approved: %s", self.po_id, error.message)

    @workflow.update
    async def cancel(self, given: RawValue = NOTHING) -> None:
        """Cancel the outstanding units. Refused if the supplier does not agree."""
        await self.be_cancelled(parse_update(PurchaseDecision, given))

    @cancel.validator
    def _may_cancel(self, given: RawValue = NOTHING) -> None:
        parse_update(PurchaseDecision, given)
        if self.phase in ("ending", "closed", "cancelled"):
            raise refused(f"{self.po_id} is over; nothing of it is outstanding")

    @workflow.signal(name="cancel")
    async def on_cancel(self, ask: PurchaseDecision) -> None:
        """The same, without waiting for an answer; a refusal is in the worker's log."""
        try:
            await self.be_cancelled(ask)
        except ApplicationError as error:
            workflow.logger.warning("%s is not cancelled: %s", self.po_id, error.message)

    @workflow.query
    def view(self) -> str:
        """Where the workflow stands, for debugging."""
        return self.phase

    async def be_approved(self, ask: PurchaseDecision) -> None:
        """Record who approved it, and go on."""
        async with self.turn:
            if self.approved or self.over:
                return
            try:
                await self.record(Purchasing.approve_purchase, ask, f"Approved by {ask.by}")
            except ActivityError as error:
                no = refusal_of(error)
                reason = "" if no is None else no.reason
                raise refused(self.why(error), reason=reason) from error
            self.approved = True

    async def be_cancelled(self, ask: PurchaseDecision) -> None:
        """Call it back from the supplier, and record it. Not while it is being sent."""
        async with self.turn:
            if self.over:
                return
            try:
                await self.call(Purchasing.cancel_purchase, ask, f"Cancelled by {ask.by}")
            except ActivityError as error:
                raise refused(self.why(error)) from error
            self.over = True

    async def cancelled_in_ui(self) -> None:
        """An operator cancelled the workflow."""
        ask = PurchaseDecision(po_id=self.po_id, by="operator", reason="cancelled in Temporal")
        await self.on_cancel(ask)
