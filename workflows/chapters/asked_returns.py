"""What is asked about goods that come back: to send them back, to exchange them, and decisions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from temporalio import workflow

from workflows.chapters.deliveries import OrderDeliveries
from workflows.chapters.returns import OrderReturns
from workflows.engine.steps import Steps
from workflows.state.order_book import OrderBook

with workflow.unsafe.imports_passed_through():
    from activities.aftersales.returns import ApproveReturn
    from activities.payments.exchanges import Agreed, AgreeExchange, Exchanges
    from domain.orders.exchange_messages import ExchangeOutcome, ExchangeRequest
    from domain.orders.return_messages import (
        ReturnAnswer,
        ReturnDecided,
        ReturnGivenUp,
        ReturnOutcome,
        ReturnRequest,
    )
    from domain.words import count_of


class AskedReturns:
    """Meets each request once the order's terms are known: before that, nobody can say what of it
    can come back."""

    def __init__(
        self,
        steps: Steps,
        book: OrderBook,
        returns: OrderReturns,
        deliveries: OrderDeliveries,
        on_record: Callable[[], Awaitable[None]],
    ) -> None:
        """`on_record`: waits until the order's terms are known; raises where it has ended."""
        self._steps = steps
        self._book = book
        self._returns = returns
        self._deliveries = deliveries
        self._on_record = on_record

    def check(self, request: ReturnRequest) -> None:
        """Raises ApplicationError where there are no such units to send back.

        While a parcel is on its way, that is known only when the rows were asked.
        """
        if not self._deliveries.may_be_news:
            self._returns.check(request)

    async def take_back(self, request: ReturnRequest, request_id: str) -> ReturnOutcome:
        """Approve a return."""
        asked_at = workflow.now()  # whatever it waits for from here, it came in time
        await self._on_record()
        await self._deliveries.heard()
        async with self._book.taking_back:
            return await self._returns.request(request, request_id, asked_at)

    async def exchange(self, request: ExchangeRequest, request_id: str) -> ExchangeOutcome:
        """Approve a return, for which the customer gets an order of other goods."""
        asked_at = workflow.now()
        await self._on_record()
        await self._deliveries.heard()

        async def agree(back: ApproveReturn) -> Agreed:
            units = count_of(sum(back.units.values()), "unit")
            return await self._steps.record(
                Exchanges.agree_exchange,
                AgreeExchange(back=back, request=request),
                request_id,
                f"Agree on an exchange of {units}",
            )

        async with self._book.taking_back:
            agreed = await self._returns.approve(request, request_id, asked_at, agree)
        assert agreed.outcome is not None  # it was not refused
        return agreed.outcome

    async def decide(self, request: ReturnAnswer | ReturnGivenUp, request_id: str) -> ReturnDecided:
        """Decide about a return, or give it up."""
        await self._on_record()
        return await self._returns.decide(request, request_id)
