"""Backorders: wait for units, allocate them when they arrive, give up after the limit."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from functools import partial

from temporalio import workflow

from workflows.chapters.fulfilments import OrderFulfilments
from workflows.chapters.payments import OrderPayments
from workflows.chapters.recalls import Removal
from workflows.engine.outcomes import Done
from workflows.engine.runs import broken
from workflows.engine.steps import Steps
from workflows.state.order_book import OrderBook

with workflow.unsafe.imports_passed_through():
    from activities.purchasing.order_purchases import LinesAsked, OrderPurchases
    from activities.purchasing.purchase_orders import PurchaseDecision, Purchasing
    from activities.stock.backorders import AwaitStock, Backorders, FillBackorder, WaitLonger
    from activities.stock.contracts import ReleaseStock
    from activities.stock.inventory import Inventory
    from domain import ids
    from domain.ids import WHO
    from domain.orders.handling import BOUGHT
    from domain.orders.policy import Policy
    from domain.orders.quantities import LineId, LineUnits
    from domain.orders.refund_rules import Granted
    from domain.words import count_of, span


# A worker that was away until after the limit still finds what came before it.
_AT_LEAST = timedelta(seconds=1)


class OrderBackorders:
    """Looks after the units of one order for which there is no stock yet."""

    def __init__(
        self,
        steps: Steps,
        book: OrderBook,
        payments: OrderPayments,
        fulfilments: OrderFulfilments,
        policy: Policy,
    ) -> None:
        self._steps = steps
        self._book = book
        self._payments = payments
        self._fulfilments = fulfilments
        self._policy = policy
        self._order_id = book.order_id
        self._task: asyncio.Task[None] | None = None
        self._since: datetime | None = None  # an earlier run has waited since then
        self._too_long = False
        self._unneeded = False

    async def take_up(self, since: datetime | None) -> None:
        """Go on with a wait that has lasted since then.

        Units that fell back meanwhile are waited for, too.
        """
        if self._book.waiting:
            self._since = since
            await self._join("Wait for all that is backordered")

    def start(self) -> None:
        """Begin to wait for all that is backordered, now or later."""
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def all_ended(self) -> None:
        """Wait until no unit is backordered, and given-up units are paid back."""
        await workflow.wait_condition(lambda: self.ended or broken(self._task))
        if self._task is not None and self._task.done():
            self._task.result()  # a fault of ours comes to light here, and can be mended

    @property
    def ended(self) -> bool:
        """No unit is backordered, and the last round is over."""
        return not self._book.waiting and self._book.waits_until is None

    @property
    def idle(self) -> bool:
        """Nothing is under way but the wait itself."""
        if broken(self._task):
            return False
        return not self._book.waiting or self._steps.waits_for(Backorders.await_stock, self._part)

    async def cancel(
        self, wanted: LineUnits, effect: str, removal: Removal
    ) -> tuple[LineUnits, Granted | None]:
        """Cancel units as far as they are waited for. Returns those, and what is then owed."""
        # The number of waiting units is not known while a fill is under way.
        async with self._book.allocating:
            waiting = self._book.waiting
            units = {k: n for k in waiting if (n := min(waiting[k], wanted.get(k, 0)))}
            if not units:
                return {}, None
            released = await self._steps.undo(
                Inventory.reserve_stock,
                ReleaseStock(
                    order_id=self._order_id,
                    effect=effect,
                    backordered=units,
                    what=removal.what,
                    why=removal.why,
                    who=removal.who,
                ),
                self._part,
                "Wait for less" if waiting != units else "Wait no more",
            )
            self._book.not_waited_for(units)
            if not self._book.waiting:
                self._since = None  # what lacks from here on is waited for anew
        return units, released.refund

    async def call_back(self, wanted: LineUnits, why: str, who: str) -> frozenset[LineId]:
        """Ask suppliers to stop what they were asked for, of these units.

        Returns the lines that they send all the same.
        """
        bought = tuple(
            k for k in self._book.waiting if wanted.get(k) and self._book.handlings[k] in BOUGHT
        )
        if not bought:
            return frozenset()
        found = await self._steps.record(
            OrderPurchases.open_purchases,
            LinesAsked(order_id=self._order_id, line_ids=bought),
            self._part,
            "Look what suppliers were asked for",
        )
        kept = set()
        for po_id, line_id in found.lines.items():
            stopped = await self._steps.call(
                Purchasing.cancel_purchase,
                partial(_called_back, PurchaseDecision(po_id=po_id, by=who, reason=why)),
                po_id,
                f"Call {po_id} back",
                refusable=("illegal_transition",),
            )
            if not isinstance(stopped, Done):
                kept.add(line_id)
        return frozenset(kept)

    @property
    def _part(self) -> str:
        return ids.backorder_id(self._order_id, self._book.round)

    async def _run(self) -> None:
        while True:
            await workflow.wait_condition(lambda: bool(self._book.waiting))
            until = self._waits_until()
            if await self._come(until):
                await self._fill()
            elif self._unneeded:
                await self._next_round()
            else:
                await self._give_up()
            if not self._book.waiting:
                self._book.waits_until = None

    def _waits_until(self) -> datetime:
        """As long as these units are waited for, whatever round it is."""
        if self._book.waits_until is None:
            since, self._since = self._since or workflow.now(), None
            self._book.waits_until = since + self._policy.backorder_within
        return self._book.waits_until

    async def _come(self, until: datetime) -> bool:
        """Wait until something has come; False where nothing is waited for any more."""
        self._too_long = self._unneeded = False

        async def too_long() -> None:
            self._too_long = True

        outcome = await self._steps.wait(
            Backorders.await_stock,
            AwaitStock(order_id=self._order_id, round=self._book.round),
            self._part,
            f"Stock for {count_of(sum(self._book.waiting.values()), 'unit')}",
            within=lambda: max(until - workflow.now(), _AT_LEAST),
            overdue=too_long,
            stopped=lambda: self._not_needed() or self._too_long,
            cut_short=self._not_needed,
            allowed=("retry", "cancel"),
        )
        return isinstance(outcome, Done)

    def _not_needed(self) -> bool:
        """All that was waited for is cancelled. Once true, it stays true for this round.

        A wait that is cut short cannot go on, so units that are backordered in the same moment are
        waited for in the next round.
        """
        self._unneeded = self._unneeded or not self._book.waiting
        return self._unneeded

    async def _next_round(self) -> None:
        """The round ended without stock: wait in the next one for units that were added since."""
        self._book.waits_until = None
        async with self._book.allocating:  # whatever named the old round has ended
            self._book.round += 1
            if self._book.waiting:
                await self._join("Wait for what is wanted since")

    async def _join(self, summary: str) -> None:
        ask = AwaitStock(order_id=self._order_id, round=self._book.round)
        await self._steps.record(Backorders.join_backorders, ask, self._part, summary)

    async def _give_up(self) -> None:
        """Send what has come at the last moment, and cancel the rest.

        But for what is not on sale for that long yet, and for what suppliers do not stop any more:
        both are waited for, and this is decided again.
        """
        ask = AwaitStock(order_id=self._order_id, round=self._book.round)
        # First when it is on sale, then what has come: what is on sale by then has come, too.
        found = await self._steps.record(
            Backorders.before_giving_up, ask, self._part, "Look when it is on sale"
        )
        await self._fill()
        if not self._book.waiting:
            return
        within, now = self._policy.backorder_within, workflow.now()
        why = "given up by an operator"
        anew: dict[LineId, datetime] = {}  # since when these count as waited for
        if self._too_long:
            why = f"not in stock within {span(within)}"
            anew = {k: day for k, day in found.lines.items() if day + within > now}
        gone = {k: n for k, n in self._book.waiting.items() if k not in anew}
        for line_id in await self.call_back(gone, why, WHO):
            anew[line_id] = now
            del gone[line_id]
        if gone:
            _, refund = await self.cancel(gone, f"give_up:{self._part}", Removal(why))
            await self._payments.pay_back(refund)
        self._book.waits_until = None
        if anew:
            self._book.waits_until = min(anew.values()) + within
            longer = WaitLonger(order_id=self._order_id, since=anew)
            await self._steps.record(Backorders.wait_longer, longer, self._part, "Wait longer")

    async def _fill(self) -> None:
        async with self._book.allocating:
            filled = await self._steps.record(
                Backorders.fill_backorder,
                FillBackorder(
                    order_id=self._order_id,
                    round=self._book.round,
                    units=self._book.waiting,
                ),
                self._part,
                "Allocate what has come",
            )
            for planned in filled.fulfilments:
                self._fulfilments.start(self._book.filled(planned))
            self._book.round += 1


def _called_back(ask: PurchaseDecision, number: int) -> PurchaseDecision:
    """The same however often it is tried: the supplier knows it by the purchase order."""
    del number
    return ask
