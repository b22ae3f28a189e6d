"""Fulfilments: wait until each is sent, charge and deliver it, and the ways on when one fails."""

from __future__ import annotations

import asyncio
from collections.abc import Container
from datetime import datetime
from typing import get_args

from temporalio import workflow

from workflows.chapters.payments import OrderPayments
from workflows.chapters.recalls import Recalls
from workflows.chapters.replacements import Replacements
from workflows.chapters.returns import OrderReturns
from workflows.chapters.sending import StageLimits, tried_again
from workflows.engine.outcomes import Abandoned, Done, Refused, Stopped
from workflows.engine.runs import broken
from workflows.engine.steps import EARLY, EARLY_ENDS_MAX, Steps
from workflows.state.fulfilment import Fulfilment
from workflows.state.order_book import OrderBook

with workflow.unsafe.imports_passed_through():
    from activities.fulfilment.contracts import Part, Sending, Sent
    from activities.fulfilment.delivery import Delivery
    from activities.fulfilment.fulfilments import Fulfilments
    from domain.orders.continuation import Stage
    from domain.orders.policy import Policy
    from domain.words import count_of, span


class OrderFulfilments:
    """Runs the fulfilments of one order side by side, and new ones for what goes missing."""

    def __init__(
        self,
        steps: Steps,
        book: OrderBook,
        payments: OrderPayments,
        returns: OrderReturns,
        policy: Policy,
    ) -> None:
        self._steps = steps
        self._book = book
        self._payments = payments
        self._returns = returns
        self._policy = policy
        self._replacements = Replacements(steps, book, payments, policy, self.start)
        self.recalls = Recalls(
            *(steps, book, payments, self._replacements, self.start), keeps_label=policy.keeps_label
        )

    def start(self, fulfilment: Fulfilment) -> None:
        """Set a fulfilment on its way."""
        fulfilment.task = asyncio.create_task(self._run(fulfilment))

    def start_all(self, stages: Container[Stage] = get_args(Stage)) -> None:
        """Set all in these stages on their way that are not, also those of an earlier run."""
        for each in list(self._book.fulfilments.values()):
            wanted = each.stage in stages or each.awaits_exchange  # whoever pays back waits for it
            if each.task is None and not each.ended and wanted:
                self.start(each)

    @property
    def idle(self) -> bool:
        """Every one has ended without a fault, or waits for the outside."""
        return all(
            not broken(each.task) if each.ended else self._waits(each)
            for each in self._book.fulfilments.values()
        )

    def _waits(self, fulfilment: Fulfilment) -> bool:
        if fulfilment.return_id:
            return self._returns.waits_for(fulfilment.return_id)
        waits, stage = self._steps.waits_for, fulfilment.stage
        if stage == "under_way":
            return waits(Fulfilments.pick_pack_ship, fulfilment.id)
        if self._payments.awaits_exchange(fulfilment.id):
            return stage in ("await_delivery", "to_charge")
        return stage == "await_delivery" and waits(Delivery.await_delivery, fulfilment.id)

    async def all_ended(self) -> None:
        """Wait until all have ended, also those that start meanwhile."""
        fulfilments = self._book.fulfilments
        await workflow.wait_condition(
            lambda: (
                all(each.ended for each in fulfilments.values())
                or any(broken(each.task) for each in fulfilments.values())
            )
        )
        for each in fulfilments.values():
            if each.task is not None and each.task.done():
                each.task.result()  # a fault of ours comes to light here, and can be mended

    # One fulfilment's way -------------------------------------------------------------------------

    async def _run(self, fulfilment: Fulfilment) -> None:
        try:
            if fulfilment.label_unused:  # an earlier run has not heard that it is given back
                await asyncio.gather(
                    self.recalls.give_label_back(fulfilment), self._to_its_end(fulfilment)
                )
            else:
                await self._to_its_end(fulfilment)
        finally:
            fulfilment.stage = "ended"

    async def _to_its_end(self, fulfilment: Fulfilment) -> None:
        while True:
            stopped = await self._go(fulfilment)
            if stopped is None or fulfilment.recalled:
                return
            if await self.recalls.give_up(fulfilment, stopped.message):
                return
            # It could not be stopped, because it had been handed over: the wait that begins again
            # finds that.

    async def _go(self, fulfilment: Fulfilment) -> Stopped | None:
        """From its present stage, which an earlier run may have left it in, to its end."""
        match fulfilment.stage:
            case "recalled":
                await self._carry_on_recalled(fulfilment)
                return None
            case "to_charge":
                await self._payments.charge(fulfilment, fulfilment.due_minor)
                return None
            case "await_delivery":
                charged = self._payments.charge(fulfilment, fulfilment.due_minor)
                await asyncio.gather(charged, self._arrive(fulfilment))
                return None
        sent = await self._send(fulfilment)
        if not isinstance(sent, Sent):
            return sent
        self._book.shipped(fulfilment)
        fulfilment.since = workflow.now()
        charged = self._payments.charge(fulfilment, sent.due_minor)
        await asyncio.gather(charged, self._arrive(fulfilment))
        return None

    async def _carry_on_recalled(self, fulfilment: Fulfilment) -> None:
        """An earlier run has stopped it, and nobody knows any more for whom: send all of it anew.

        Whoever asked has had no answer, and may ask again.
        """
        stopped = await self.recalls.stop(fulfilment)
        assert stopped is not None  # its row says that it was stopped
        await self.recalls.unwind(fulfilment, stopped)
        if fulfilment.units:
            await self.recalls.carry_on(fulfilment, fulfilment.units)
        fulfilment.replacing = False

    async def _send(self, fulfilment: Fulfilment) -> Sent | Stopped | None:
        """Wait until it is handed over, and decide what only the order can.

        None: no unit of it is left to send.
        """
        fulfilment.stage = "under_way"
        since, fulfilment.since = fulfilment.since, fulfilment.since or workflow.now()
        limits = StageLimits(self._steps, self._policy, fulfilment.id, fulfilment.handling)
        if since is not None and fulfilment.state is not None:
            limits.take_up(fulfilment.state, since)
        early = 0  # so often in a row, the wait ended at once because of the money
        while fulfilment.units:
            began = workflow.now()
            outcome, since = await self._wait(fulfilment, limits, since), None
            await workflow.wait_condition(lambda: not self._book.being_edited)
            if not isinstance(outcome, Done):
                return Abandoned(limits.given_up) if limits.given_up else outcome
            sent = outcome.result
            async with fulfilment.changing:
                pass  # Units were perhaps taken out of it, and the answer is on its way.
            if sent.outcome == "shipped":
                return sent
            if sent.outcome == "recalled":  # of which the answer is on its way
                await workflow.wait_condition(lambda: fulfilment.recalled)
            if fulfilment.recalled:  # what is missing is seen to as it is undone
                return Abandoned("recalled")
            match sent.outcome:
                case "goes_on":
                    limits.begin_anew(sent.state)
                case "failed":
                    if not await tried_again(self._steps, fulfilment, sent.why):
                        return Abandoned(sent.why)
                case "unpaid":
                    early = early + 1 if workflow.now() - began < EARLY else 0
                    if (unpaid := await self._paid_again(fulfilment, early)) is not None:
                        return unpaid
                case _:
                    await self._lacks(fulfilment, sent)
        return None

    async def _paid_again(self, fulfilment: Fulfilment, early: int) -> Stopped | None:
        """Its money does not hold: see to it. `early`: so often in a row, that was told at once."""
        if early > EARLY_ENDS_MAX:
            await self._steps.too_early(
                Fulfilments.pick_pack_ship, fulfilment.id, lambda: fulfilment.recalled
            )
        return await self._payments.ensure_paid_for(fulfilment)

    async def _lacks(self, fulfilment: Fulfilment, sent: Sent) -> None:
        """Units are missing: replace them, wait for them, or pay them back.

        It is counted once, so what was told before is not missing a second time.
        """
        if fulfilment.has_lacked:
            return
        fulfilment.has_lacked, missing = True, sent.missing
        if sent.outcome == "backordered":
            await self._replacements.fell_back(fulfilment, missing)
        else:
            await self._replacements.not_found(fulfilment, missing, sent.why)
        if not fulfilment.units:
            whys = {"backordered": "fell back to backorder", "refused": "refused"}
            fulfilment.outcome = whys.get(sent.outcome, "nothing was found")

    async def _wait(
        self, fulfilment: Fulfilment, limits: StageLimits, since: datetime | None
    ) -> Done[Sent] | Refused | Abandoned:
        return await self._steps.wait(
            Fulfilments.pick_pack_ship,
            Sending(
                fulfilment_id=fulfilment.id,
                ahead=self._payments.ahead,
                lasting=self._payments.authorizations.lasting,
                renew_before=self._policy.renew_before,
            ),
            fulfilment.id,
            f"Pick, pack and hand over {_units(fulfilment)} at {fulfilment.location}",
            within=limits.within,
            overdue=limits.overdue,
            since=since,
            stopped=lambda: fulfilment.recalled or bool(limits.given_up),
            allowed=("retry", "cancel"),
            refusable=("declined",),  # the carrier will not take it there
        )

    async def _arrive(self, fulfilment: Fulfilment) -> None:
        """It is on its way: to the customer, or back."""
        if not fulfilment.return_id:
            await self._deliver(fulfilment)
        comes_back = fulfilment.return_id or fulfilment.outcome == "undeliverable"
        if comes_back and await self._returns.undeliverable(fulfilment):
            await self._replacements.lost(fulfilment, anew=True)

    async def _deliver(self, fulfilment: Fulfilment) -> None:
        async def overdue() -> str | None:
            return await self._not_scanned_lately(fulfilment)

        outcome = await self._steps.wait(
            Delivery.await_delivery,
            Part(fulfilment_id=fulfilment.id),
            fulfilment.id,
            f"Delivery of {_units(fulfilment)}",
            within=lambda: self._policy.scan_within,
            overdue=overdue,
            since=fulfilment.since,
        )
        assert isinstance(outcome, Done)  # it is awaited until the carrier's part has ended
        delivered = outcome.result
        fulfilment.outcome = delivered.outcome
        match delivered.outcome:
            case "delivered":
                self._book.delivered(fulfilment, delivered.at)
            case "lost":
                await self._replacements.lost(fulfilment)

    async def _not_scanned_lately(self, fulfilment: Fulfilment) -> str | None:
        """Why a parcel without news needs a person. None if the carrier scanned it lately."""
        scan = await self._steps.record(
            Delivery.last_scan,
            Part(fulfilment_id=fulfilment.id),
            fulfilment.id,
            f"Last scan of {fulfilment.id}",
        )
        if scan.at is not None and workflow.now() - scan.at < self._policy.scan_within:
            return None
        days = span(self._policy.scan_within)
        return f"the carrier has not scanned {fulfilment.id} for {days}; lost?"

    # Stop one -------------------------------------------------------------------------------------

    async def recall(self, fulfilment: Fulfilment) -> bool:
        """Stop a fulfilment before its hand-over, and undo its steps. False: it was too late."""
        stopped = await self.recalls.stop(fulfilment)
        if stopped is None:
            if not fulfilment.kept_by:
                await self.recalls.news_of(fulfilment)
            return False
        await self.left_alone(fulfilment, "recalled")
        await self.recalls.unwind(fulfilment, stopped)
        return True

    async def left_alone(self, fulfilment: Fulfilment, why: str) -> None:
        """Wait until nothing goes on with one that was stopped for good."""
        await workflow.wait_condition(lambda: fulfilment.task is None or fulfilment.ended)
        fulfilment.stage, fulfilment.outcome = "ended", why


def _units(fulfilment: Fulfilment) -> str:
    return f"{count_of(sum(fulfilment.units.values()), 'unit')} of {fulfilment.id}"
