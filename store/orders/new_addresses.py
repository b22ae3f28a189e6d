"""Where an order goes from now on, though its parcel has left: a version of its document.

The caller holds the order's lock.
"""

from __future__ import annotations

from domain.errors import Refused
from domain.orders.edit_messages import Change, EditRequest
from domain.orders.order import Order
from domain.orders.people import Address
from domain.stored import stored
from store.database import Connection, load_queries
from store.orders import versions

_sql = load_queries(__file__)


async def kept(conn: Connection, order_id: str, request_id: str) -> Address | None:
    """The address that is kept for this request."""
    row = await _sql.kept(conn, order_id=order_id, request_id=request_id)
    return None if row["address"] is None else stored(Address, row["address"])


async def check(conn: Connection, order_id: str, request_id: str, *, ask: str) -> Address:
    """The same. Raises Refused where there is none any more, or it is in another country.

    `ask`: the request that may be made again.
    """
    row = await _sql.kept(conn, order_id=order_id, request_id=request_id)
    if row["address"] is None:
        raise Refused(
            f"the address of request {request_id} is not kept any more: ask again",
            reason="not_kept",
            instead=(ask,),
        )
    to = stored(Address, row["address"])
    now = stored(Order, row["document"]).shipping.address
    if now is None or now.country != to.country:
        raise Refused(
            f"it cannot go to {to.country}, where other taxes are due: have it come back, and "
            "place the order anew",
            reason="other_country",
            instead=(ask,),
        )
    return to


async def take(
    conn: Connection, order_id: str, request_id: str, to: Address, *, reason: str, who: str
) -> None:
    """The order goes there from now on."""
    row = await _sql.kept(conn, order_id=order_id, request_id=request_id)
    order = stored(Order, row["document"])
    shipping = order.shipping.model_copy(update={"address": to})
    edit = EditRequest(request_id=request_id, reason=reason, by=who, personal=True)
    await versions.edited(
        *(conn, order.model_copy(update={"shipping": shipping}), [], [Change(what="address")]),
        edit,
        request_id,
    )
