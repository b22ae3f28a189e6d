"""Units that went missing: others are reserved for them, or waited for, or they are paid back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from temporalio import workflow

from workflows.chapters.payments import OrderPayments
from workflows.engine.steps import Steps
from workflows.engine.summaries import in_a_line
from workflows.state.fulfilment import Fulfilment
from workflows.state.order_book import OrderBook

with workflow.unsafe.imports_passed_through():
    from activities.stock.backorders import AwaitStock, Backorders
    from activities.stock.contracts import ReserveAgain
    from activities.stock.inventory import Inventory
    from domain.fulfilment.fulfilments import Planned
    from domain.orders.policy import Policy
    from domain.orders.quantities import LineUnits
    from domain.stock.reservations import Reserved
    from domain.words import count_of


class Replacements:
    """Replaces units that were not found, became backordered, or were lost."""

    def __init__(
        self,
        steps: Steps,
        book: OrderBook,
        payments: OrderPayments,
        policy: Policy,
        start: Callable[[Fulfilment], None],
    ) -> None:
        self._steps = steps
        self._book = book
        self._payments = payments
        self._policy = policy
        self._start = start  # sets a new fulfilment on its way
        self._order_id = book.order_id

    async def not_found(
        self, fulfilment: Fulfilment, missing: LineUnits, refused: str = ""
    ) -> None:
        """The picker did not find these, or the location has `refused` to send them."""
        self._book.not_found(fulfilment, missing)
        why = "not found by the picker"
        if refused:
            why = f"{fulfilment.location} refused: {refused}"
        async with self._book.allocating:
            reserved = await self._reserve_again(
                fulfilment, missing, "open", why, avoid=fulfilment.location, refused=bool(refused)
            )
            self._book.cancelled(reserved.missing, allocated=False)
            self._book.backordered(reserved.backordered)
            self._start_all(reserved.fulfilments)
        await self._payments.pay_back(reserved.refund)

    async def fell_back(self, fulfilment: Fulfilment, units: LineUnits) -> None:
        """Fewer are there than orders had claimed: these wait again, in their turn."""
        self._book.not_found(fulfilment, units)
        self._book.backordered(units)
        async with self._book.allocating:
            await self._steps.record(
                Backorders.join_backorders,
                AwaitStock(order_id=self._order_id, round=self._book.round),
                fulfilment.id,
                f"Wait for the units of {fulfilment.id}",
            )

    async def lost(self, fulfilment: Fulfilment, *, anew: bool = False) -> None:
        """The carrier lost the parcel. `anew`: it could not be delivered, and goes out again."""
        fulfilment.replacing = True
        async with self._book.allocating:
            reserved = await self._reserve_again(
                fulfilment,
                fulfilment.units,
                "shipped",
                "could not be delivered" if anew else "lost by the carrier",
                replace=anew or self._policy.replace_missing,
            )
            given_up = reserved.missing
            self._book.lost(
                {k: units - given_up.get(k, 0) for k, units in fulfilment.units.items()}, given_up
            )
            self._book.backordered(reserved.backordered)
            self._start_all(reserved.fulfilments)
            fulfilment.replacing = False
        await self._payments.pay_back(reserved.refund)

    async def _reserve_again(
        self,
        fulfilment: Fulfilment,
        units: LineUnits,
        source: Literal["open", "shipped"],
        reason: str,
        avoid: str | None = None,
        refused: bool = False,
        replace: bool | None = None,
    ) -> Reserved:
        return await self._steps.record(
            Inventory.reserve_again,
            ReserveAgain(
                order_id=self._order_id,
                fulfilment_id=fulfilment.id,
                units=dict(units),
                source=source,
                replace=self._policy.replace_missing if replace is None else replace,
                backorder=self._policy.backorder,
                round=self._book.round,
                avoid=avoid,
                refused=refused,
                sourcing=self._policy.sourcing,
                reason=reason,
            ),
            fulfilment.id,
            in_a_line(
                f"Replace {count_of(sum(units.values()), 'unit')} of {fulfilment.id}: {reason}"
            ),
        )

    def _start_all(self, planned: Iterable[Planned]) -> None:
        for item in planned:
            self._start(self._book.allocated(item))
