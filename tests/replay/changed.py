"""A change that open orders could not follow: the steps of placing in another sequence."""

from __future__ import annotations

from temporalio import workflow

from workflows.order import OrderWorkflow

with workflow.unsafe.imports_passed_through():
    from domain.messages import Placement
    from workflows.contracts import OrderInput, OrderResult


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
        await self.paying.authorize(unless=lambda: False)
        return await super().place()
