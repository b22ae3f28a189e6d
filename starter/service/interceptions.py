"""Has parcels stopped on their way, where their carriers can, and sent anew that come back."""

from __future__ import annotations

from domain.orders.interception_messages import (
    Interception,
    InterceptOutcome,
    ParcelAnew,
    SendAnewOutcome,
)
from starter.service import personal_requests
from starter.service.order_requests import OrderRequests
from starter.service.updates import Taken
from store.database import Pool


class Interceptions:
    """Interceptions of parcels. The carrier decides; each call may be repeated with its id."""

    def __init__(self, pool: Pool, requests: OrderRequests) -> None:
        self._pool = pool
        self._requests = requests

    async def intercept(
        self, order_id: str, request: Interception, *, taken: Taken | None = None
    ) -> InterceptOutcome:
        """Have a parcel redirected, or sent back. Raises Refused with the reason.

        What comes of it is told by the carrier's scans.
        """
        return await personal_requests.send(
            *(self._pool, self._requests, order_id, request, InterceptOutcome), taken=taken
        )

    async def send_anew(
        self, order_id: str, request: ParcelAnew, *, taken: Taken | None = None
    ) -> SendAnewOutcome:
        """Have a parcel sent once more that comes back, once it is counted. Raises Refused."""
        return await personal_requests.send(
            *(self._pool, self._requests, order_id, request, SendAnewOutcome), taken=taken
        )
