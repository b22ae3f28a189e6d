"""The order's first claim on stock: made when it is placed, and given back if it cannot be paid."""

from __future__ import annotations

from typing import Literal

from temporalio import workflow

from workflows.engine.outcomes import Refused
from workflows.engine.steps import Steps
from workflows.state.order_book import OrderBook

with workflow.unsafe.imports_passed_through():
    from activities.orders.order_records import OrderRecords, ReadState
    from activities.stock.contracts import ReleaseStock
    from activities.stock.inventory import Inventory
    from domain.orders.continuation import OrderState
    from domain.stock.reservations import ReserveStock


class OrderReservation:
    """Reserves the available units, and waits for the rest if the policy says so."""

    def __init__(self, steps: Steps, book: OrderBook) -> None:
        self._steps = steps
        self._book = book
        self._order_id = book.order_id

    async def reserve(self) -> bool | Refused:
        """Reserve all lines at once. False: none of it can be had, now or later.

        Refused: there is no such order on record, or it has ended.
        """
        outcome = await self._steps.local(
            Inventory.reserve_stock,
            ReserveStock(order_id=self._order_id),
            self._order_id,
            "Reserve stock",
            refusable=("conflict", "not_found"),
        )
        if isinstance(outcome, Refused):
            return outcome
        reserved = outcome.result
        self._book.learn(reserved.terms)
        if not reserved.fulfilments and not reserved.backordered:
            return False
        for planned in reserved.fulfilments:
            self._book.allocated(planned)
        self._book.backordered(reserved.backordered)
        self._book.cancelled(reserved.missing, allocated=False)
        return True

    async def read_state(self) -> OrderState | Refused:
        """Where the order stands, in a run that goes on from an earlier one.

        Refused: there is no such order on record.
        """
        outcome = await self._steps.local(
            OrderRecords.read_state,
            ReadState(order_id=self._order_id),
            self._order_id,
            "Read where the order stands",
            refusable=("not_found",),
        )
        return outcome if isinstance(outcome, Refused) else outcome.result

    async def release(self, decision: Literal["rejected", "cancelled"], why: str) -> bool:
        """Undo all of it, which ends the order. False: it is confirmed, and stays as it is."""
        fulfilments = [each for each in self._book.fulfilments.values() if not each.ended]
        released = await self._steps.undo(
            Inventory.reserve_stock,
            ReleaseStock(
                order_id=self._order_id,
                effect="release_stock",
                units={each.id: each.units for each in fulfilments},
                backordered=self._book.waiting,
                decision=decision,
                what=decision,
                why=why,
            ),
            self._order_id,
            "Release stock",
        )
        if released.confirmed:
            return False
        for each in fulfilments:
            self._book.cancelled(each.units, allocated=True)
            each.stage = "ended"
        self._book.not_waited_for(self._book.waiting)
        return True
