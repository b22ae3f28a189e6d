"""What comes for an order that is closed: a late return, goodwill, a claim."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from temporalio import workflow

from workflows.chapters.payments import OrderPayments
from workflows.chapters.refunds import OrderRefunds
from workflows.chapters.returns import OrderReturns
from workflows.engine.steps import Steps
from workflows.state.order_book import OrderBook

with workflow.unsafe.imports_passed_through():
    from activities.orders.order_records import Late, OrderRecords
    from domain.orders.continuation import OrderState


class LateRequests:
    """Meets them in a run of their own, and goes on with those that an earlier one has begun."""

    def __init__(
        self,
        steps: Steps,
        book: OrderBook,
        payments: OrderPayments,
        returns: OrderReturns,
        refunds: OrderRefunds,
    ) -> None:
        self._steps = steps
        self._book = book
        self._payments = payments
        self._returns = returns
        self._refunds = refunds
        self.reopened = False
        self._openings = 0

    async def reopen(self, state: OrderState) -> None:
        """Take up an order that is closed. Nothing else of it goes on."""
        await self._open("Meet what came late")
        self.reopened = True
        self._book.take_up(state)
        for fulfilment in self._book.fulfilments.values():
            fulfilment.stage = "ended"
        await self._payments.take_up(state)
        self._returns.take_up(state.returns, state.begun)
        self._refunds.take_up(state.owed)

    async def all_met(
        self, answered: Callable[[], Awaitable[None]], more: Callable[[], bool]
    ) -> None:
        """Until each is `answered` and done, and no `more` have come while that was recorded."""
        while True:
            await answered()
            await self._returns.all_ended()
            await self._refunds.all_ended()
            await self._record(OrderRecords.close_again, "Record: closed again")
            if not more():
                return
            await self._open("Another request came late")

    async def _open(self, summary: str) -> None:
        self._openings += 1
        await self._record(OrderRecords.reopen_order, summary)

    async def _record(self, do: Callable[..., Awaitable[None]], summary: str) -> None:
        # Attempts of earlier openings may still be under way.
        opening = f"{workflow.info().run_id}:{self._openings}"
        late = Late(order_id=self._book.order_id, opening=opening)
        await self._steps.record(do, late, late.order_id, summary)
