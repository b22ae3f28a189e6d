"""Order holds: placed, released, extended and rejected by people; and those that stand."""

from __future__ import annotations

from collections.abc import Sequence

from domain.errors import NotFound
from domain.orders.hold_messages import (
    ExtendRequest,
    HoldOutcome,
    HoldRequest,
    RejectOutcome,
    RejectRequest,
    ReleaseRequest,
    StandingHold,
)
from starter.service.order_requests import OrderRequests
from starter.service.updates import Taken
from store.database import Pool
from store.orders import holds
from store.views import reads


class HoldRecords:
    """The holds that stand. It needs the database alone."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def standing(self, order_id: str) -> Sequence[StandingHold]:
        """The holds of an order that stand, the oldest first. Raises NotFound."""
        async with self._pool.acquire() as conn:
            if await reads.whose(conn, order_id) is None:
                raise NotFound(
                    f"there is no order {order_id}; `orderloom orders` lists what is there"
                )
            return await holds.standing(conn, order_id)


class Holds(HoldRecords):
    """Requests about holds. The order decides; each call may be repeated.

    `taken` is called once the order has the request: it is met then, whoever waits for the answer.
    """

    def __init__(self, pool: Pool, requests: OrderRequests) -> None:
        super().__init__(pool)
        self._requests = requests

    async def hold(
        self, order_id: str, request: HoldRequest, *, taken: Taken | None = None
    ) -> HoldOutcome:
        """Keep an order's goods here. Raises Refused where nothing of it is left here."""
        return await self._requests.send(order_id, request, HoldOutcome, taken=taken)

    async def release(
        self, order_id: str, request: ReleaseRequest, *, taken: Taken | None = None
    ) -> HoldOutcome:
        """End one hold, or all that people and rules have placed. Raises Refused, NotFound."""
        return await self._requests.send(order_id, request, HoldOutcome, taken=taken)

    async def extend(
        self, order_id: str, request: ExtendRequest, *, taken: Taken | None = None
    ) -> HoldOutcome:
        """Give holds another deadline. Raises Refused, NotFound."""
        return await self._requests.send(order_id, request, HoldOutcome, taken=taken)

    async def reject(
        self, order_id: str, request: RejectRequest, *, taken: Taken | None = None
    ) -> RejectOutcome:
        """Cancel all that has not left of an order that is held. Raises Refused where it is not."""
        return await self._requests.send(order_id, request, RejectOutcome, taken=taken)
