"""Fulfilments: pick, pack, ship, charge and deliver each, and the ways on when one fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, Literal

from temporalio import workflow

from workflows.chapters.payments import OrderPayments
from workflows.engine.continuing import broken
from workflows.engine.saga import Step, undos
from workflows.engine.steps import ByHand, GivenUp, StepRefused, Steps
from workflows.state.fulfilment import Fulfilment
from workflows.state.order_book import OrderBook

with workflow.unsafe.imports_passed_through():
    from activities.backorders import AwaitStock, Backorders
    from activities.delivery import Delivered, Delivery
    from activities.fulfilment import Fulfilments, Part, Recalled, Ship, Shipped
    from activities.inventory import Inventory, Reassign, ReleaseStock, ReserveAgain
    from activities.returns import ApproveReturn, ReturnPart, Returns
    from domain.fulfilments import Planned
    from domain.policy import Policy
    from domain.reservations import Reserved


class OrderFulfilments:
    """Runs the fulfilments of one order side by side, and starts new ones for what goes missing."""

    def __init__(
        self,
        steps: Steps,
        book: OrderBook,
        payments: OrderPayments,
        policy: Policy,
        saga: tuple[Step, ...],
        next_return_id: Callable[[], str],
    ) -> None:
        self._steps = steps
        self._book = book
        self._payments = payments
        self._policy = policy
        self._saga = saga
        self._next_return_id = next_return_id
        self._order_id = book.order.order_id
        # New fulfilments get their numbers one reservation at a time.
        self.numbering = asyncio.Lock()

    def start(self, fulfilment: Fulfilment) -> None:
        """Set a fulfilment on its way."""
        fulfilment.task = asyncio.create_task(self._run(fulfilment))

    @property
    def idle(self) -> bool:
        """Every fulfilment has ended, or waits for the outside; what was to be done about it is."""
        return all(
            not broken(fulfilment.task) if fulfilment.ended else self._awaited(fulfilment)
            for fulfilment in self._book.fulfilments.values()
        )

    def _awaited(self, fulfilment: Fulfilment) -> bool:
        if fulfilment.return_id:
            return self._steps.waits_for(Returns.receive_return.__name__, fulfilment.return_id)
        return self._steps.waits_for(fulfilment.stage, fulfilment.id)

    async def all_ended(self) -> None:
        """Wait until no fulfilment is on its way any more, those included that start meanwhile."""
        fulfilments = self._book.fulfilments
        await workflow.wait_condition(
            lambda: (
                all(fulfilment.ended for fulfilment in fulfilments.values())
                or any(broken(fulfilment.task) for fulfilment in fulfilments.values())
            )
        )
        for fulfilment in fulfilments.values():
            if fulfilment.task is not None and fulfilment.task.done():
                fulfilment.task.result()  # a fault of ours comes to light here, and can be mended

    async def recall(self, fulfilment: Fulfilment) -> bool:
        """Stop one before its hand-over, and undo what was done. False: it was too late."""
        stopped = await self._stop(fulfilment)
        if stopped is None:
            # Handed over, not found, or given up by an operator: it goes its way without us.
            if fulfilment.task is None:
                self.start(fulfilment)
            await workflow.wait_condition(
                lambda: fulfilment.ended or fulfilment.stage == "await_delivery"
            )
            return False
        if fulfilment.task is not None:
            await workflow.wait_condition(lambda: fulfilment.ended)
        await self._unwind(fulfilment, stopped)
        fulfilment.stage, fulfilment.outcome = "ended", "recalled"
        return True

    async def carry_on(self, fulfilment: Fulfilment, units: Mapping[str, int]) -> None:
        """What stays wanted of a recalled fulfilment starts again in a new one."""
        async with self.numbering:
            to = self._book.next_fulfilment_id()
            planned = await self._steps.record(
                Inventory.reassign,
                Reassign(fulfilment_id=fulfilment.id, to=to, units=dict(units)),
                to,
                f"Start again as {to}",
            )
            again = self._book.reassigned(planned)
        self.start(again)

    async def _run(self, fulfilment: Fulfilment) -> None:
        try:
            while not await self._went_its_way(fulfilment):
                pass
        finally:
            fulfilment.stage = "ended"

    async def _went_its_way(self, fulfilment: Fulfilment) -> bool:
        """From the stage it is in, also as an earlier run left it, to its end.

        False: it was to be given up, but what it waited for has happened; the same stage once more
        finds the report.
        """
        try:
            if fulfilment.stage in ("planned", "pick"):
                await self._pick(fulfilment)
            if fulfilment.units:
                if fulfilment.stage in ("pick", "pack"):
                    await self._pack(fulfilment)
                if fulfilment.stage != "await_delivery":
                    if not fulfilment.too_late:
                        await self._payments.ensure_paid_for(fulfilment)
                    await self._ship(fulfilment)
                    await asyncio.gather(self._charge(fulfilment), self._deliver(fulfilment))
                elif fulfilment.return_id:  # an earlier run has charged for it, and heard of it
                    await self._take_back(fulfilment)
                else:
                    await self._deliver(fulfilment)
        except GivenUp:
            return fulfilment.recalled or await self._abandon(fulfilment, "given up by an operator")
        except StepRefused as refusal:
            return fulfilment.recalled or await self._abandon(fulfilment, refusal.message)
        return True

    async def _pick(self, fulfilment: Fulfilment) -> None:
        picked = await self._wait(
            fulfilment,
            Fulfilments.pick,
            Part(fulfilment_id=fulfilment.id),
            f"Pick {_units(fulfilment)} at {fulfilment.location}",
            self._policy.pick_within,
        )
        if picked.backordered:
            await self._fell_back(fulfilment, picked.backordered)
        if picked.missing:
            await self._replace_not_found(fulfilment, picked.missing, picked.refused)
        if not fulfilment.units:
            fulfilment.outcome = "refused" if picked.refused else "nothing was found"
            if picked.backordered:
                fulfilment.outcome = "fell back to backorder"

    async def _pack(self, fulfilment: Fulfilment) -> None:
        await self._wait(
            fulfilment,
            Fulfilments.pack,
            Part(fulfilment_id=fulfilment.id),
            f"Pack {_units(fulfilment)} at {fulfilment.location}",
            self._policy.pack_within,
        )

    async def _ship(self, fulfilment: Fulfilment) -> None:
        shipping = self._book.order.shipping
        shipped: Shipped = await self._wait(
            fulfilment,
            Fulfilments.ship,
            Ship(
                fulfilment_id=fulfilment.id,
                service=shipping.service,
                country=shipping.address.country,
                postal_code=shipping.address.postal_code,
            ),
            f"Buy the label and hand over {_units(fulfilment)}",
            self._policy.hand_over_within,
        )
        if shipped.outcome == "recalled":
            raise GivenUp(fulfilment.id)

    async def _charge(self, fulfilment: Fulfilment) -> None:
        due = self._book.shipped(fulfilment)
        await self._payments.charge(fulfilment, due)

    async def _deliver(self, fulfilment: Fulfilment) -> None:
        fulfilment.stage = "await_delivery"
        fulfilment.begun.append("await_delivery")
        delivered: Delivered = await self._steps.wait(
            Delivery.await_delivery,
            Part(fulfilment_id=fulfilment.id),
            fulfilment.id,
            f"Delivery of {_units(fulfilment)}",
            within=self._policy.scan_within,
            overdue=lambda: self._not_scanned_lately(fulfilment),
        )
        fulfilment.outcome = delivered.outcome
        match delivered.outcome:
            case "delivered":
                self._book.delivered(fulfilment, delivered.at)
            case "lost":
                await self._replace_lost(fulfilment)
            case "undeliverable":
                await self._take_back(fulfilment)

    async def _not_scanned_lately(self, fulfilment: Fulfilment) -> str | None:
        """Why a fulfilment without news needs a person, unless the carrier scanned it lately."""
        scan = await self._steps.record(
            Delivery.last_scan,
            Part(fulfilment_id=fulfilment.id),
            fulfilment.id,
            f"Last scan of {fulfilment.id}",
        )
        if scan.at is not None and workflow.now() - scan.at < self._policy.scan_within:
            return None
        return f"the carrier has not scanned {fulfilment.id} for {self._policy.scan_within}; lost?"

    async def _replace_not_found(
        self, fulfilment: Fulfilment, missing: Mapping[str, int], refused: str = ""
    ) -> None:
        self._book.not_found(fulfilment, missing)
        why = f"{fulfilment.location} refused: {refused}" if refused else "not found by the picker"
        async with self.numbering:
            reserved = await self._reserve_again(
                fulfilment, missing, "open", why, avoid=fulfilment.location, refused=bool(refused)
            )
            owed = self._book.cancelled(reserved.missing, allocated=False)
            self._book.backordered(reserved.backordered)
            self._start_all(reserved.fulfilments)
        refund_id, why = f"{fulfilment.id}:not_found", "paid for, and there is none left to send"
        await self._payments.refund(refund_id, owed, why, kind="cancelled")

    async def _fell_back(self, fulfilment: Fulfilment, units: Mapping[str, int]) -> None:
        """Fewer are there than orders had claimed: these wait again, in their turn."""
        self._book.not_found(fulfilment, units)
        self._book.backordered(units)
        async with self.numbering:
            await self._steps.record(
                Backorders.join_backorders,
                AwaitStock(order_id=self._order_id, round=self._book.round),
                fulfilment.id,
                f"Wait for the units of {fulfilment.id}",
            )

    async def _replace_lost(self, fulfilment: Fulfilment) -> None:
        fulfilment.replacing = True
        async with self.numbering:
            reserved = await self._reserve_again(
                fulfilment, fulfilment.units, "shipped", "lost by the carrier"
            )
            given_up = reserved.missing
            owed = self._book.lost(
                {k: units - given_up.get(k, 0) for k, units in fulfilment.units.items()}, given_up
            )
            self._book.backordered(reserved.backordered)
            self._start_all(reserved.fulfilments)
            fulfilment.replacing = False
        why = f"{fulfilment.id} was lost by the carrier"
        await self._payments.refund(f"{fulfilment.id}:lost", owed, why, kind="lost")

    async def _reserve_again(
        self,
        fulfilment: Fulfilment,
        units: Mapping[str, int],
        source: Literal["open", "shipped"],
        reason: str,
        avoid: str | None = None,
        refused: bool = False,
    ) -> Reserved:
        return await self._steps.record(
            Inventory.reserve_again,
            ReserveAgain(
                order_id=self._order_id,
                effect=f"reserve_again:{fulfilment.id}:{source}",
                units=dict(units),
                source=source,
                replace=self._policy.replace_missing,
                backorder=self._policy.backorder,
                round=self._book.round,
                first_number=self._book.next_number,
                avoid=avoid,
                refused=refused,
                sourcing=self._policy.sourcing,
                reason=reason,
            ),
            fulfilment.id,
            f"Replace what is missing of {fulfilment.id}",
        )

    async def _take_back(self, fulfilment: Fulfilment) -> None:
        """Return to sender: wait for it, and give everything back."""
        reason = f"{fulfilment.id} could not be delivered"
        if not fulfilment.return_id:
            fulfilment.return_id = self._next_return_id()
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
        return_id = fulfilment.return_id
        await self.await_return(return_id)
        owed = self._book.came_back(fulfilment)
        await self._payments.refund(return_id, owed, reason, kind="return", return_id=return_id)

    async def await_return(self, return_id: str) -> dict[str, int]:
        """Wait for a return parcel. Returns what came of each line (line id → units)."""

        async def overdue() -> str:
            return f"{return_id} has not arrived within {self._policy.return_within}"

        received = await self._steps.wait(
            Returns.receive_return,
            ReturnPart(return_id=return_id),
            return_id,
            f"Return parcel {return_id}",
            within=self._policy.return_within,
            overdue=overdue,
        )
        return received.received

    async def _abandon(self, fulfilment: Fulfilment, why: str) -> bool:
        """One that cannot go on: undo it and cancel its units. Nothing was charged for it.

        False: somebody else stopped it, or it is too late.
        """
        stopped = await self._stop(fulfilment)
        if stopped is None:
            fulfilment.too_late = True
            return False
        await self._unwind(fulfilment, stopped)
        await self.cancel_units(
            fulfilment, fulfilment.units, f"cancel:{fulfilment.id}", why, "orderloom"
        )
        fulfilment.outcome = why
        return True

    async def _stop(self, fulfilment: Fulfilment) -> Recalled | None:
        """Stop a fulfilment for good, or None. Only one who asks is told that it was stopped.

        The database row decides, so what was reported a moment ago is not overlooked.
        """
        async with fulfilment.recalling:
            if fulfilment.recalled:
                return None
            stopped = await self._steps.record(
                Fulfilments.recall,
                Part(fulfilment_id=fulfilment.id),
                fulfilment.id,
                f"Stop {fulfilment.id}",
            )
            if stopped.caught is None:
                return None
            fulfilment.recalled = True
            fulfilment.buying = fulfilment.stage == "ship" and stopped.caught == "packed"
            return stopped

    async def cancel_units(
        self, fulfilment: Fulfilment, units: Mapping[str, int], effect: str, why: str, who: str
    ) -> None:
        """Release and cancel units of a recalled fulfilment."""
        await self._steps.record(
            Inventory.release_stock,
            ReleaseStock(
                order_id=self._order_id,
                effect=effect,
                units={fulfilment.id: dict(units)},
                what="cancelled",
                why=why,
                who=who,
            ),
            fulfilment.id,
            f"Release stock of {fulfilment.id}",
        )
        owed = self._book.cancelled(units, allocated=True)
        await self._payments.refund(effect, owed, why, kind="cancelled", who=who)

    async def _unwind(self, fulfilment: Fulfilment, stopped: Recalled) -> None:
        """Undo what was done for a stopped one, also what was reported and not heard here."""
        if stopped.caught in ("picked", "packed", "labelled"):
            fulfilment.begun.append("pick")
        found = stopped.units
        missing = {k: n - found[k] for k, n in fulfilment.units.items() if n > found[k]}
        if missing:
            await self._replace_not_found(fulfilment, missing)
        part = Part(fulfilment_id=fulfilment.id)
        for undo in undos(self._saga, fulfilment.begun):
            summary = f"Undo: {undo.__name__.replace('_', ' ')} {fulfilment.id}"
            # A label can be given back by hand, at the carrier's; our own counts only here.
            by_hand = undo is Fulfilments.void_label
            with suppress(ByHand):  # recorded with its note when the attention was resolved
                await self._steps.call(
                    undo,
                    lambda _: part,
                    fulfilment.id,
                    summary,
                    allowed=("retry", "done") if by_hand else ("retry",),
                )

    async def _wait(
        self, fulfilment: Fulfilment, do: Any, ask: Any, summary: str, allowed: timedelta
    ) -> Any:
        fulfilment.stage = do.__name__
        fulfilment.begun.append(do.__name__)

        within, due = allowed, workflow.now() + allowed
        if do is Fulfilments.ship:  # its authorization may end while it waits
            within = min(within, self._payments.authorizations.time_left)

        async def overdue() -> str | None:
            if do is Fulfilments.ship:
                await self._payments.ensure_paid_for(fulfilment, surely=workflow.now() >= due)
            if workflow.now() < due:
                return None
            return f"{do.__name__} of {fulfilment.id} is not done within {allowed}"

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

    def _start_all(self, planned: tuple[Planned, ...]) -> None:
        for item in planned:
            self.start(self._book.allocated(item))


def _units(fulfilment: Fulfilment) -> str:
    return f"{sum(fulfilment.units.values())} units of {fulfilment.id}"
