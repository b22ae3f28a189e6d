"""The codes that an order's customer has: to collect goods, bought, and of vouchers.

They are secrets. A voucher's code is kept nowhere: it is drawn here, and told once.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from domain.errors import NotFound
from starter.web.desk.access import check_order
from starter.web.desk.acts.pages import new_id
from starter.web.screens.visits import ScreenRoute, Visit, may

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

_ADDRESS = "/app/orders/{order_id}/codes"


@router.get(_ADDRESS)
async def codes(
    visit: Annotated[Visit, may("orders:read", "customers:read")], order_id: str
) -> Response:
    """All of them, but for those of vouchers, which nobody knows."""
    return await _page(visit, order_id)


@router.post(_ADDRESS)
async def draw(
    visit: Annotated[Visit, may("orders:read", "customers:read", "payments:write")], order_id: str
) -> Response:
    """Draw another code of a voucher that was paid back with; it ends the one before."""
    await check_order(visit, order_id)
    voucher_id = visit.field("voucher")
    vouchers = await visit.here.vouchers.list(order_id=order_id)
    if voucher_id not in {one.voucher_id for one in vouchers}:
        raise NotFound(f"there is no voucher {voucher_id} of {order_id}", reason="nothing_here")
    told = {"who": visit.person.who, "why": f"for the customer of {order_id}"}
    drawn = await visit.here.vouchers.new_code(visit.field("request_id"), voucher_id, **told)
    if drawn.code is None:  # the same form again
        return visit.lead(f"app/orders/{quote(order_id)}/codes")
    return await _page(visit, order_id, voucher_id=voucher_id, code=drawn.code)


async def _page(visit: Visit, order_id: str, *, voucher_id: str = "", code: str = "") -> Response:
    await check_order(visit, order_id)
    return visit.show(
        "desk/codes",
        order_id=order_id,
        codes=await visit.here.codes.of_order(order_id),
        vouchers=await visit.here.vouchers.list(order_id=order_id),
        drawn=voucher_id,
        code=code,
        request_id=new_id(),
        may_draw=visit.person.allows("payments:write"),
    )
