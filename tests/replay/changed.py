"""Changed workflows: two that open orders could not follow, and one that they can."""

from __future__ import annotations

from temporalio import workflow

from workflows.order import OrderWorkflow
from workflows.state.fulfilment import Fulfilment

with workflow.unsafe.imports_passed_through():
    from activities.orders.order_records import Notice, OrderRecords
    from domain.orders.continuation import OrderInput
    from domain.orders.messages import Placement
    from domain.orders.terms import TenderTerms, Terms
    from workflows.state.contracts import OrderResult


@workflow.defn(name="Order")
class AuthorizeFirst(OrderWorkflow):
    """Authorizes before it reserves."""

    @workflow.init
    def __init__(self, start: OrderInput) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, start: OrderInput) -> OrderResult:
        return await super().run(start)

    async def place(self) -> Placement:
        card = TenderTerms(provider="sandbox", token="tok_ok")
        self.book.learn(
            Terms(
                order_id=self.order_id,
                channel="web",
                currency="EUR",
                service="standard",
                lines=(),
                tenders=(card,),
            )
        )
        await self.payments.authorizations.authorize_and_confirm(unless=lambda: False)
        return await super().place()


@workflow.defn(name="Order")
class EnsuresNothing(OrderWorkflow):
    """Hands every fulfilment over, whatever has become of the money for it."""

    @workflow.init
    def __init__(self, start: OrderInput) -> None:
        super().__init__(start)
        self.payments.ensure_paid_for = self.ensure_nothing  # type: ignore[method-assign]  # of this order only

    @workflow.run
    async def run(self, start: OrderInput) -> OrderResult:
        return await super().run(start)

    async def ensure_nothing(self, fulfilment: Fulfilment) -> None:
        """Neither charges it first nor renews its authorization."""


@workflow.defn(name="Order")
class TellsTheWarehouse(OrderWorkflow):
    """Has one step more than the orders that are open, and leaves those as they were."""

    @workflow.init
    def __init__(self, start: OrderInput) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, start: OrderInput) -> OrderResult:
        return await super().run(start)

    async def fulfil(self) -> None:
        if workflow.patched("tell-the-warehouse"):
            order_id = self.order_id
            notice = Notice(order_id=order_id, effect="told", what="warehouse told", why="it asked")
            await self.steps.local(OrderRecords.tell, notice, order_id, "Tell the warehouse")
        await super().fulfil()
