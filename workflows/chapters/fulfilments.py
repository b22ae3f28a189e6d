"""Fulfilments: pick, pack, ship, charge and deliver each, and the ways on when one fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow

from workflows.chapters.payments import OrderPayments
from workflows.chapters.recalls import Recalls
from workflows.chapters.replacements import Replacements
from workflows.chapters.returns import OrderReturns
from workflows.engine.outcomes import Abandoned, Done, Refused, Stopped
from workflows.engine.runs import broken
from workflows.engine.steps import Steps
from workflows.state.fulfilment import Fulfilment
from workflows.state.order_book import OrderBook

with workflow.unsafe.imports_passed_through():
    from activities.fulfilment.delivery import Delivery
    from activities.fulfilment.fulfilments import Fulfilments, Part, Ship
    from activities.stock.inventory import Inventory, Reassign
    from domain.orders.continuation import Stage
    from domain.orders.policy import Policy
    from domain.orders.quantities import LineUnits
    from domain.words import count_of, span

T = TypeVar("T")

STAGES: dict[str, Stage] = {"pick": "pick", "pack": "pack", "ship": "ship"}
"""The stage that each wait for the warehouse is."""


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
        self._recalls = Recalls(steps, book, payments, self._replacements)

    def start(self, fulfilment: Fulfilment) -> None:
        """Set a fulfilment on its way."""
        fulfilment.task = asyncio.create_task(self._run(fulfilment))

    def start_all(self) -> None:
        """Set all on their way that are not, also those that an earlier run handed on."""
        for fulfilment in list(self._book.fulfilments.values()):
            if fulfilment.task is None and not fulfilment.ended:
                self.start(fulfilment)

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
        steps = (Fulfilments.pick, Fulfilments.pack, Fulfilments.ship, Delivery.await_delivery)
        return any(
            self._steps.waits_for(do, fulfilment.id)
            for do in steps
            if do.__name__ == fulfilment.stage
        )

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
            while True:
                stopped = await self._go(fulfilment)
                if stopped is None or fulfilment.recalled:
                    return
                if await self._recalls.give_up(fulfilment, stopped.message):
                    return
                # It could not be stopped, because the awaited report had arrived: run the same
                # stage once more, which finds the report.
        finally:
            fulfilment.stage = "ended"

    async def _go(self, fulfilment: Fulfilment) -> Stopped | None:
        """From its present stage, which an earlier run may have left it in, to its end."""
        if fulfilment.stage == "await_delivery":  # an earlier run has charged for it
            if fulfilment.return_id:
                await self._returns.undeliverable(fulfilment)
            else:
                await self._deliver(fulfilment)
            return None
        stopped = (
            await self._pick(fulfilment)
            or await self._pack(fulfilment)
            or await self._ship(fulfilment)
        )
        if stopped is None and fulfilment.units:
            due = self._book.shipped(fulfilment)
            await asyncio.gather(self._payments.charge(fulfilment, due), self._deliver(fulfilment))
        return stopped

    async def _pick(self, fulfilment: Fulfilment) -> Stopped | None:
        if fulfilment.stage not in ("planned", "pick"):
            return None
        outcome = await self._wait(
            fulfilment,
            Fulfilments.pick,
            Part(fulfilment_id=fulfilment.id),
            f"Pick {_units(fulfilment)} at {fulfilment.location}",
            self._policy.pick_within,
        )
        if not isinstance(outcome, Done):
            return outcome
        picked = outcome.result
        if picked.backordered:
            await self._replacements.fell_back(fulfilment, picked.backordered)
        if picked.missing:
            await self._replacements.not_found(fulfilment, picked.missing, picked.refused)
        if not fulfilment.units:
            fulfilment.outcome = "refused" if picked.refused else "nothing was found"
            if picked.backordered:
                fulfilment.outcome = "fell back to backorder"
        return None

    async def _pack(self, fulfilment: Fulfilment) -> Stopped | None:
        if fulfilment.stage not in ("pick", "pack") or not fulfilment.units:
            return None
        outcome = await self._wait(
            fulfilment,
            Fulfilments.pack,
            Part(fulfilment_id=fulfilment.id),
            f"Pack {_units(fulfilment)} at {fulfilment.location}",
            self._policy.pack_within,
        )
        return None if isinstance(outcome, Done) else outcome

    async def _ship(self, fulfilment: Fulfilment) -> Stopped | None:
        if fulfilment.stage == "await_delivery" or not fulfilment.units:
            return None
        # An earlier run that waited for the hand-over has seen to the payment.
        if not fulfilment.too_late and fulfilment.stage != "ship":
            unpaid = await self._payments.ensure_paid_for(fulfilment)
            if unpaid is not None:
                return unpaid
        outcome = await self._wait(
            fulfilment,
            Fulfilments.ship,
            Ship(
                fulfilment_id=fulfilment.id,
                charged=self._payments.is_charged_when_it_leaves(fulfilment),
            ),
            f"Buy the label and hand over {_units(fulfilment)}",
            self._policy.hand_over_within,
        )
        if not isinstance(outcome, Done):
            return outcome
        if outcome.result.outcome == "recalled":
            return Abandoned("recalled")
        return None

    async def _deliver(self, fulfilment: Fulfilment) -> None:
        fulfilment.stage = "await_delivery"
        fulfilment.begun.append("await_delivery")

        async def overdue() -> str | None:
            return await self._not_scanned_lately(fulfilment)

        outcome = await self._steps.wait(
            Delivery.await_delivery,
            Part(fulfilment_id=fulfilment.id),
            fulfilment.id,
            f"Delivery of {_units(fulfilment)}",
            within=lambda: self._policy.scan_within,
            overdue=overdue,
        )
        assert isinstance(outcome, Done)  # it is awaited until the carrier's part has ended
        delivered = outcome.result
        fulfilment.outcome = delivered.outcome
        match delivered.outcome:
            case "delivered":
                self._book.delivered(fulfilment, delivered.at)
            case "lost":
                await self._replacements.lost(fulfilment)
            case "undeliverable":
                await self._returns.undeliverable(fulfilment)

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

    async def _wait(
        self,
        fulfilment: Fulfilment,
        do: Callable[..., Awaitable[T]],
        ask: Any,
        summary: str,
        allowed: timedelta,
    ) -> Done[T] | Refused | Abandoned:
        """Wait for the warehouse. A parcel that waits for its hand-over stays paid for."""
        fulfilment.stage = STAGES[do.__name__]
        fulfilment.begun.append(do.__name__)
        ships = do.__name__ == Fulfilments.ship.__name__
        due = workflow.now() + allowed

        def within() -> timedelta:
            if ships:  # its authorization may end while it waits
                return min(allowed, self._payments.authorizations.time_left(fulfilment))
            return allowed

        async def overdue() -> str | Stopped | None:
            if ships:
                surely = workflow.now() >= due
                unpaid = await self._payments.ensure_paid_for(fulfilment, surely=surely)
                if unpaid is not None:
                    return unpaid
            if workflow.now() < due:
                return None
            return f"{do.__name__} of {fulfilment.id} is not done within {span(allowed)}"

        return await self._steps.wait(
            do,
            ask,
            fulfilment.id,
            summary,
            within=within,
            overdue=overdue,
            stopped=lambda: fulfilment.recalled,
            cut_short=lambda: fulfilment.recalled and not fulfilment.buying,
            allowed=("retry", "cancel"),
            refusable=("declined",),  # the carrier will not take it there
        )

    # Stop one -------------------------------------------------------------------------------------

    async def recall(self, fulfilment: Fulfilment) -> bool:
        """Stop a fulfilment before its hand-over, and undo its steps. False: it was too late."""
        stopped = await self._recalls.stop(fulfilment)
        if stopped is None:
            # It was handed over, not found, or given up by an operator: it continues by itself.
            if fulfilment.task is None:
                self.start(fulfilment)
            await workflow.wait_condition(
                lambda: fulfilment.ended or fulfilment.stage == "await_delivery"
            )
            return False
        if fulfilment.task is not None:
            await workflow.wait_condition(lambda: fulfilment.ended)
        await self._recalls.unwind(fulfilment, stopped)
        fulfilment.stage, fulfilment.outcome = "ended", "recalled"
        return True

    async def cancel_units(
        self, fulfilment: Fulfilment, units: LineUnits, effect: str, why: str, who: str
    ) -> None:
        """Release and cancel units of a recalled one."""
        await self._recalls.cancel_units(fulfilment, units, effect, why, who)

    async def carry_on(self, fulfilment: Fulfilment, units: LineUnits) -> None:
        """Send the units of a recalled one that are still wanted in a new one."""
        async with self._book.numbering:
            to = self._book.next_fulfilment_id()
            planned = await self._steps.record(
                Inventory.reassign,
                Reassign(fulfilment_id=fulfilment.id, to=to, units=dict(units)),
                to,
                f"Start again as {to}",
            )
            again = self._book.reassigned(planned)
        self.start(again)


def _units(fulfilment: Fulfilment) -> str:
    return f"{count_of(sum(fulfilment.units.values()), 'unit')} of {fulfilment.id}"
