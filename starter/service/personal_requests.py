"""Requests that change something of the person: that part is kept beside the order's person.

Nothing of it enters Temporal. The order finds it by the request's id, and takes or forgets it.
"""

from __future__ import annotations

import uuid
from typing import TypeVar

from domain.errors import InvalidInput, Refused
from domain.orders.edit_messages import OrderEdit
from domain.orders.interception_messages import Interception, ParcelAnew
from starter.service.order_requests import OrderRequests
from starter.service.updates import Taken
from store.database import Pool
from store.orders import versions

Answer = TypeVar("Answer")


async def send(
    pool: Pool,
    requests: OrderRequests,
    order_id: str,
    request: OrderEdit | Interception | ParcelAnew,
    result: type[Answer],
    *,
    taken: Taken | None = None,
) -> Answer:
    """Keep what is about the person, and send the rest. Raises what the order raises."""
    request_id = request.request_id or uuid.uuid4().hex
    request = request.model_copy(update={"request_id": request_id})
    person = request.person
    if person:
        async with pool.acquire() as conn:
            await versions.wish(conn, order_id, request_id, person)
    try:
        return await requests.send(order_id, request.as_met, result, taken=taken)
    except (Refused, InvalidInput):
        if person:
            async with pool.acquire() as conn:
                await versions.forget(conn, order_id, request_id)
        raise
