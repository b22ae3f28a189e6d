"""Units that will not be sent: taken out of wherever they are, until they are handed over.

Units of a fulfilment are taken out of it in place. Only all of its units stop it as a whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Container
from dataclasses import dataclass, field
from typing import Literal

from temporalio import workflow

from workflows.chapters.backorders import OrderBackorders
from workflows.chapters.fulfilments import OrderFulfilments
from workflows.chapters.payments import OrderPayments
from workflows.chapters.recalls import Removal
from workflows.state.fulfilment import Fulfilment
from workflows.state.order_book import OrderBook

with workflow.unsafe.imports_passed_through():
    from domain.orders.quantities import LineId, LineUnits
    from domain.orders.refund_rules import Granted


@dataclass
class Removed:
    """What was taken out: `units` by line, `new` of them in this run, and what follows from it.

    `left`: what could not be taken out; `kept`: what somebody does not give back, by line and the
    reason's code. `owed`: what is to be paid back. `opened`: fulfilments with a label that is to be
    given back.
    """

    units: dict[LineId, int]
    new: dict[LineId, int] = field(default_factory=dict)
    left: dict[LineId, int] = field(default_factory=dict)
    kept: dict[tuple[LineId, str], int] = field(default_factory=dict)
    owed: list[Granted | None] = field(default_factory=list)
    opened: list[Fulfilment] = field(default_factory=list)

    def keep(self, line_id: LineId, units: int, reason: str) -> None:
        """So many units of those that are left are not given back."""
        self.kept[line_id, reason] = self.kept.get((line_id, reason), 0) + units
        self.left[line_id] -= units


class OrderRemovals:
    """Takes units out of one order, for whoever asks for it."""

    def __init__(
        self,
        book: OrderBook,
        payments: OrderPayments,
        fulfilments: OrderFulfilments,
        backorders: OrderBackorders,
    ) -> None:
        self._book = book
        self._payments = payments
        self._fulfilments = fulfilments
        self._backorders = backorders

    async def take_out(
        self,
        wanted: LineUnits,
        effect: str,
        removal: Removal,
        *,
        before: LineUnits | None = None,
    ) -> Removed:
        """Take units out of the order before their hand-over, for whatever reason.

        For a cancellation, and for a smaller quantity. The rows decide, unit by unit: first what
        waits for stock, then the fulfilments that have come least far. The units count as cancelled
        from then on, and what was paid for them is owed back. Units that have left stay where they
        are: the answer lacks them.

        Call it while you hold `OrderCancellations.one_at_a_time`, and `settle` what it answers when
        you hold it no more. `effect` begins the names of all effects, and must be the request's
        own, such as `cancel:<request id>`. `before`: what earlier runs have taken out under this
        name.
        """
        removed = Removed(dict(before or {}), left=dict(wanted))
        left = removed.left
        asked: set[str] = set()  # fulfilments that are not given back
        while (source := await self._next(left, asked)) is not None:
            # More may come to be waited for, or be found, while the request is being met.
            number = sum(removed.units.values())
            if source == "backorder":
                for line_id in await self._backorders.call_back(left, removal.why, removal.who):
                    removed.keep(line_id, left[line_id], "with_supplier")
                taken, refund = await self._backorders.cancel(left, f"{effect}:B:{number}", removal)
                removed.owed.append(refund)
            else:
                named = f"{effect}:{source.id}"
                taken = await self._take_out_of(source, left, named, number, removal, removed)
                if source.kept_by:
                    asked.add(source.id)
                    for line_id, units in _of(source, left).items():
                        removed.keep(line_id, units, source.kept_by)
            # Nothing is taken of one that went out or was not found: the next look tells.
            for line_id, units in taken.items():
                removed.units[line_id] = removed.units.get(line_id, 0) + units
                removed.new[line_id] = removed.new.get(line_id, 0) + units
                left[line_id] -= units
        return removed

    async def settle(self, removed: Removed) -> None:
        """Pay back what is owed, and give labels of opened parcels back. Both may need a person."""
        await asyncio.gather(
            *(self._payments.pay_back(each) for each in removed.owed),
            *(self._fulfilments.recalls.give_label_back(each) for each in removed.opened),
        )

    async def _take_out_of(
        self,
        fulfilment: Fulfilment,
        left: LineUnits,
        effect: str,
        number: int,
        removal: Removal,
        removed: Removed,
    ) -> LineUnits:
        """Take the wanted units out of a fulfilment, or stop all of it. Returns those units."""
        recalls = self._fulfilments.recalls
        take = _of(fulfilment, left)
        if take != fulfilment.units:
            taken = await recalls.take_out(fulfilment, take, f"{effect}:{number}", removal)
            if taken.outcome == "taken":
                removed.owed.append(taken.refund)
                if taken.label_unused:
                    removed.opened.append(fulfilment)
                return taken.units
            if taken.outcome == "gone":
                await recalls.news_of(fulfilment)
                return {}
        if not await self._fulfilments.recall(fulfilment):
            return {}
        take = _of(fulfilment, left)
        keep = {k: n - take.get(k, 0) for k, n in fulfilment.units.items() if n > take.get(k, 0)}
        removed.owed.append(await recalls.cancel_units(fulfilment, take, effect, removal))
        if keep:
            await recalls.carry_on(fulfilment, keep)
        return take

    async def _next(
        self, left: LineUnits, asked: Container[str]
    ) -> Fulfilment | Literal["backorder"] | None:
        """What to stop next: to wait for stock, then the fulfilment at the earliest stage.

        Units that are being replaced are in no fulfilment yet: wait until they are.
        """
        await workflow.wait_condition(
            lambda: (
                self._waited_for(left)
                or bool(self._stoppable(left, asked))
                or not self._being_replaced(left)
            )
        )
        if self._waited_for(left):
            return "backorder"
        return await self._fulfilments.recalls.least_advanced(self._stoppable(left, asked))

    def _waited_for(self, left: LineUnits) -> bool:
        return any(left.get(line_id, 0) for line_id in self._book.waiting)

    def _stoppable(self, left: LineUnits, asked: Container[str]) -> list[Fulfilment]:
        return [
            fulfilment
            for fulfilment in self._book.fulfilments.values()
            if fulfilment.stoppable
            and fulfilment.id not in asked
            and any(left.get(line_id, 0) for line_id in fulfilment.units)
        ]

    def _being_replaced(self, left: LineUnits) -> bool:
        lost = [
            fulfilment for fulfilment in self._book.fulfilments.values() if fulfilment.replacing
        ]
        return any(
            units and (self._book.lines[line_id].open or any(line_id in p.units for p in lost))
            for line_id, units in left.items()
        )


def _of(fulfilment: Fulfilment, wanted: LineUnits) -> dict[LineId, int]:
    """As many of the wanted units as it has."""
    return {k: min(wanted[k], n) for k, n in fulfilment.units.items() if wanted.get(k, 0)}
