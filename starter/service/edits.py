"""Changes placed orders: shows what a change would do, asks for it, and lists versions."""

from __future__ import annotations

from collections.abc import Sequence

from domain.errors import NotFound
from domain.orders.edit_messages import EditOutcome, EditPreview, OrderEdit
from domain.orders.versions import OrderVersion
from starter.service import personal_requests
from starter.service.order_requests import OrderRequests
from starter.service.updates import Taken
from store.database import Pool
from store.orders import versions
from store.stock import edit_previews


class EditRecords:
    """Previews and versions. They need the database alone."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def preview(self, order_id: str, edit: OrderEdit) -> EditPreview:
        """What an edit would do, and what cannot be changed; nothing is written.

        Raises NotFound, InvalidInput, and Refused where the order has changed since `version`.
        """
        async with self._pool.acquire() as conn:
            return await edit_previews.preview(conn, order_id, edit)

    async def versions(self, order_id: str) -> Sequence[OrderVersion]:
        """All versions of an order's document, oldest first. Raises NotFound."""
        async with self._pool.acquire() as conn:
            found = await versions.listed(conn, order_id)
        if not found:
            raise NotFound(f"there is no order {order_id}; `orderloom orders` lists what is there")
        return found


class Edits(EditRecords):
    """Edits of placed orders. The order decides; each call may be repeated with its request id."""

    def __init__(self, pool: Pool, requests: OrderRequests) -> None:
        super().__init__(pool)
        self._requests = requests

    async def edit(
        self, order_id: str, request: OrderEdit, *, taken: Taken | None = None
    ) -> EditOutcome:
        """Change an order: all of it, or nothing. Raises Refused with the reason.

        What changes of the person is kept beside the person until the order has met the request:
        nothing of it enters Temporal. `taken` is called once the order has the request.
        """
        return await personal_requests.send(
            *(self._pool, self._requests, order_id, request, EditOutcome), taken=taken
        )
