"""What the rows know of the ends of parcels, a moment before the order hears of them.

A scan is a row first, and its report reaches the order after that. Somebody who reads the row may
at once ask for a return, an exchange or a claim of what was delivered, or to send anew what turned
back.
"""

from __future__ import annotations

from typing import Final

from temporalio import workflow

from workflows.engine.steps import Steps
from workflows.state.fulfilment import Fulfilment
from workflows.state.order_book import OrderBook

with workflow.unsafe.imports_passed_through():
    from activities.fulfilment.contracts import Look
    from activities.fulfilment.fulfilments import Fulfilments
    from domain.orders.continuation import Stage
    from domain.orders.fulfilment_state import FulfilmentState

_ON_THE_WAY: Final[tuple[Stage, ...]] = ("under_way", "await_delivery")
_ENDS: Final[tuple[FulfilmentState, ...]] = ("delivered", "exception")


class OrderDeliveries:
    """Asks the rows which parcels' ways have ended, and lets the book catch up."""

    def __init__(self, steps: Steps, book: OrderBook) -> None:
        self._steps = steps
        self._book = book

    @property
    def may_be_news(self) -> bool:
        """A parcel may be delivered of which the book does not know it yet."""
        return bool(self._open())

    async def heard(self) -> None:
        """Wait until the book knows of every parcel that is delivered, lost or turned back by now.

        Its report is on the way here by itself.
        """
        parcels = self._open()
        if not parcels:
            return
        found = await self._steps.record(
            Fulfilments.stages,
            Look(fulfilment_ids=tuple(each.id for each in parcels)),
            self._book.order_id,
            "Look what has arrived by now",
        )
        came = [each for each in parcels if found.stages[each.id].state in _ENDS]
        await workflow.wait_condition(lambda: all(_known(each) for each in came))

    def _open(self) -> list[Fulfilment]:
        return [
            each
            for each in self._book.fulfilments.values()
            if each.stage in _ON_THE_WAY and not _known(each)
        ]


def _known(fulfilment: Fulfilment) -> bool:
    return fulfilment.ended or bool(fulfilment.outcome)
