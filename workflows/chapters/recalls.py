"""Stopping a fulfilment before its hand-over, or taking some of its units out of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from temporalio import workflow

from workflows.chapters.payments import OrderPayments
from workflows.chapters.replacements import Replacements
from workflows.engine.steps import Steps
from workflows.state.fulfilment import Fulfilment
from workflows.state.order_book import OrderBook

with workflow.unsafe.imports_passed_through():
    from activities.fulfilment.contracts import Look, Part, Recalled
    from activities.fulfilment.fulfilments import Fulfilments
    from activities.stock.contracts import Reassign, ReleaseStock, TakenOut, TakeOut
    from activities.stock.inventory import Inventory
    from activities.stock.removals import Removals
    from activities.warehouse.outside_work import OutsideWork
    from domain.fulfilment.fulfilments import RECALLABLE
    from domain.ids import WHO
    from domain.orders.handling import is_outside
    from domain.orders.quantities import LineUnits
    from domain.orders.refund_rules import Granted
    from domain.words import count_of


@dataclass(frozen=True)
class Removal:
    """Why units will not be sent, and who says so. `what`: how the order's story calls it."""

    why: str
    who: str = WHO
    what: str = "cancelled"


class Recalls:
    """Stops each fulfilment once and for good, also when several ask for it."""

    def __init__(
        self,
        steps: Steps,
        book: OrderBook,
        payments: OrderPayments,
        replacements: Replacements,
        start: Callable[[Fulfilment], None],
        *,
        keeps_label: bool,
    ) -> None:
        self._start = start  # sets a new fulfilment on its way
        self._keeps_label = keeps_label
        self._steps = steps
        self._book = book
        self._payments = payments
        self._replacements = replacements
        self._order_id = book.order_id

    async def take_out(
        self, fulfilment: Fulfilment, units: LineUnits, effect: str, removal: Removal
    ) -> TakenOut:
        """Take units out of one in place; its row decides. It goes on with the others."""
        async with fulfilment.changing:
            if fulfilment.recalled:
                return TakenOut(outcome="gone")
            taken = await self._steps.record(
                Removals.take_out,
                TakeOut(
                    order_id=self._order_id,
                    fulfilment_id=fulfilment.id,
                    units=dict(units),
                    effect=effect,
                    what=removal.what,
                    why=removal.why,
                    who=removal.who,
                    keeps_label=self._keeps_label,
                ),
                fulfilment.id,
                f"Take {count_of(sum(units.values()), 'unit')} out of {fulfilment.id}",
            )
            if taken.outcome == "taken":
                self._book.taken_away({}, {fulfilment.id: taken.units})
        return taken

    async def give_label_back(self, fulfilment: Fulfilment) -> None:
        """Undo the label of a parcel that was opened. It is packed and gets another one."""
        part, step = Part(fulfilment_id=fulfilment.id), Fulfilments.pick_pack_ship
        async with fulfilment.undoing:
            await self._steps.unwind(step, "labelled", part, fulfilment.id, back_to="packed")

    async def cancel_units(
        self, fulfilment: Fulfilment, units: LineUnits, effect: str, removal: Removal
    ) -> Granted | None:
        """Release and cancel units of a recalled one. Returns what is to be paid back."""
        released = await self._steps.undo(
            Inventory.reserve_stock,
            ReleaseStock(
                order_id=self._order_id,
                effect=effect,
                units={fulfilment.id: dict(units)},
                what=removal.what,
                why=removal.why,
                who=removal.who,
            ),
            fulfilment.id,
            f"Release stock of {fulfilment.id}",
        )
        self._book.cancelled(units, allocated=True)
        refund: Granted | None = released.refund
        return refund

    async def least_advanced(self, among: Sequence[Fulfilment]) -> Fulfilment | None:
        """The one that costs the warehouse least to stop: the rows say which."""
        if len(among) < 2:
            return next(iter(among), None)
        look = Look(fulfilment_ids=tuple(each.id for each in among))
        found = await self._steps.record(
            Fulfilments.stages, look, self._order_id, "Look which has come least far"
        )
        states = [found.stages[each.id].state for each in among]
        ranks = [
            RECALLABLE.index(state) if state in RECALLABLE else len(RECALLABLE) for state in states
        ]
        return among[ranks.index(min(ranks))]

    async def give_up(self, fulfilment: Fulfilment, why: str) -> bool:
        """Undo one that cannot go on, and cancel its units. Nothing was charged for it.

        False: somebody else stopped it, or it is too late.
        """
        stopped = await self.stop(fulfilment)
        if stopped is None:
            return False
        await self.unwind(fulfilment, stopped)
        effect = f"cancel:{fulfilment.id}"
        refund = await self.cancel_units(fulfilment, fulfilment.units, effect, Removal(why))
        await self._payments.pay_back(refund)
        fulfilment.outcome = why
        return True

    async def stop(self, fulfilment: Fulfilment) -> Recalled | None:
        """Stop one for good. None if it was too late, or if it had been stopped before.

        The row in the database decides, so a report of a moment ago counts. A workshop is asked
        first. None also where it is `kept_by` somebody.
        """
        async with fulfilment.changing:
            if fulfilment.recalled:
                return None
            part = Part(fulfilment_id=fulfilment.id)
            if is_outside(fulfilment.handling):
                asked = await self._steps.record(
                    OutsideWork.stop_work, part, fulfilment.id, f"Ask to stop {fulfilment.id}"
                )
                if asked.outcome == "goes_on":
                    fulfilment.kept_by = "at_work"
                    return None
            stopped = await self._steps.record(
                Fulfilments.recall, part, fulfilment.id, f"Stop {fulfilment.id}"
            )
            await workflow.wait_condition(lambda: not self._book.being_edited)
            fulfilment.kept_by = stopped.kept_by
            if stopped.caught is None:
                return None
            fulfilment.recalled = True
            return stopped

    async def unwind(self, fulfilment: Fulfilment, stopped: Recalled) -> None:
        """Undo what a stopped fulfilment had come to, which its row in the database says."""
        found = stopped.units
        missing = {k: n - found[k] for k, n in fulfilment.units.items() if n > found[k]}
        if missing:
            await self._replacements.not_found(fulfilment, missing)
        reached = "labelled" if stopped.labelled else str(stopped.caught)
        part = Part(fulfilment_id=fulfilment.id)
        async with fulfilment.undoing:
            await self._steps.unwind(Fulfilments.pick_pack_ship, reached, part, fulfilment.id)

    async def news_of(self, fulfilment: Fulfilment) -> None:
        """Its row is ahead: it was handed over, not found, or given up. Wait until that is known.

        It continues by itself.
        """
        if fulfilment.task is None:
            self._start(fulfilment)
        units = dict(fulfilment.units)
        await workflow.wait_condition(
            lambda: (
                fulfilment.ended
                or fulfilment.stage == "await_delivery"
                or fulfilment.units != units
            )
        )

    async def carry_on(self, fulfilment: Fulfilment, units: LineUnits) -> None:
        """Send the units of a recalled one that are still wanted in a new one."""
        planned = await self._steps.record(
            Inventory.reassign,
            Reassign(fulfilment_id=fulfilment.id, units=dict(units)),
            fulfilment.id,
            f"Start {fulfilment.id} again",
        )
        self._start(self._book.reassigned(planned))
