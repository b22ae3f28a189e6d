"""One box for whatever somebody has in hand."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Final, NamedTuple
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from domain.access.keys import Scope
from domain.customers.ids import customer_id
from starter.service.customers import Part
from starter.web.desk.access import theirs
from starter.web.screens.visits import ScreenRoute, Visit, may
from store.customers.finding import FoundCustomer
from store.customers.pages import TheirOrder
from store.views.lists import ToldOfOrder
from store.views.search import Found, Kind

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

_TEXT_MAX: Final = 200
_AT_MOST: Final = 20
_WITH_ORDERS: Final = 5
_ORDERS_OF_EACH: Final = 3
"""Of so many customers so many orders are told."""


class Page(NamedTuple):
    """Where something is shown, and the scope that it takes; `is_anywhere`: at no location.

    `path`: "" for what is shown on the page of its order.
    """

    path: str
    scope: Scope
    is_anywhere: bool = True


_PAGES: Final[Mapping[Kind, Page]] = {
    "order": Page("", "orders:read"),
    "fulfilment": Page("", "orders:read"),
    "return": Page("", "orders:read"),
    "parcel": Page("", "orders:read"),
    "payment": Page("", "payments:read"),
    "claim": Page("", "aftersales:read"),
    "document": Page("", "orders:read"),
    "item": Page("app/stock/{id}", "catalogue:read"),
    "purchase_order": Page("app/purchases/{id}", "purchasing:read", is_anywhere=False),
    "transfer": Page("app/transfers/{id}", "stock:read", is_anywhere=False),
    "voucher": Page("app/money/vouchers/{id}", "payments:read"),
}
"""Kind → its page. Whoever works at some locations finds nothing that may be of another one."""


@router.get("/app/find")
async def find(visit: Annotated[Visit, may("orders:read")], q: str = "") -> Response:
    """To the one thing that a text names, or a list of what it may mean.

    An order's id or its channel's number, a parcel's or a tracking number, a return, an invoice, a
    claim; for those who may see them a payment, a SKU, a purchase order, a transfer, a voucher; a
    mail address, the end of a phone number, and a name. Of items a part of SKU and name is enough.
    """
    text = typed(q)
    limits = theirs(visit)
    found: Sequence[tuple[Found, str]] = []
    people: list[FoundCustomer] = []
    if text:
        hits = await visit.here.search.found(
            text, kinds=kinds_of(visit), **limits, at_most=_AT_MOST
        )
        found = [(one, address_of(one)) for one in hits]
        paths = {path for _, path in found}
        if len(paths) == 1:
            return visit.lead(paths.pop())
        found = [*found, *await goods_found(visit, text, paths, at_most=_AT_MOST)]
        if visit.person.allows("customers:read"):
            people = list(
                await visit.here.customer_pages.found(text, part=Part(**limits), at_most=_AT_MOST)
            )
    return visit.show("desk/found", q=text, found=found, people=await _with_orders(visit, people))


async def _with_orders(
    visit: Visit, people: Sequence[FoundCustomer]
) -> list[tuple[FoundCustomer, Sequence[TheirOrder], Mapping[str, ToldOfOrder]]]:
    """Each with their latest orders, and what is told of these; the first few customers alone."""
    part, told = Part(**theirs(visit)), dict[str, Sequence[TheirOrder]]()
    for one in people[:_WITH_ORDERS]:
        customer = customer_id(one.customer_no)
        told[customer] = await visit.here.customer_pages.orders(
            customer, part=part, at_most=_ORDERS_OF_EACH
        )
    order_ids = [row.order_id for rows in told.values() for row in rows]
    more = await visit.here.orders.told_of(order_ids) if order_ids else {}
    return [(one, told.get(customer_id(one.customer_no), ()), more) for one in people]


async def goods_found(
    visit: Visit, text: str, known: Collection[str], *, at_most: int
) -> list[tuple[Found, str]]:
    """Items that a text names in part, for those who may see them; but for the `known` pages."""
    if "item" not in kinds_of(visit):
        return []
    hits = await visit.here.search.goods(text, at_most=at_most)
    return [(one, address_of(one)) for one in hits if address_of(one) not in known]


def typed(q: str) -> str:
    """What was typed or pasted, without signs that nobody sees and that no text of ours has."""
    seen = "".join(sign for sign in q if unicodedata.category(sign) not in ("Cc", "Cf"))
    return seen.strip()[:_TEXT_MAX]


def kinds_of(visit: Visit) -> list[Kind]:
    """What somebody may find."""
    person = visit.person
    return [
        kind
        for kind, page in _PAGES.items()
        if person.allows(page.scope) and (page.is_anywhere or person.locations is None)
    ]


def address_of(one: Found) -> str:
    """The page of what was found."""
    if one.order_id is not None:
        return address_of_order(one.order_id)
    return _PAGES[one.kind].path.format(id=quote(one.id))


def address_of_order(order_id: str) -> str:
    """The page of an order."""
    return f"app/orders/{quote(order_id, safe='')}"
