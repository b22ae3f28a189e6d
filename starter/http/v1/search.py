"""One box that finds whatever somebody has in hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from domain.access.keys import Scope
from domain.fields import CustomerId
from starter.http.callers import Caller, may
from starter.http.reading import StrictRoute
from starter.service.search import KINDS, Found, Kind

router = APIRouter(prefix="/v1", tags=["operations"], route_class=StrictRoute)

_NEEDS: Final[dict[Kind, Scope]] = {
    "payment": "payments:read",
    "document": "accounting:read",
    "purchase_order": "purchasing:read",
    "item": "catalogue:read",
    "transfer": "stock:read",
    "claim": "aftersales:read",
    "voucher": "payments:read",
    "customer": "customers:read",
}
"""What else a key must have to find such a one."""


class Hit(BaseModel):
    """What the text names. `href`: where it is read."""

    model_config = ConfigDict(frozen=True)

    kind: Kind
    id: str
    title: str
    href: str


class Hits(BaseModel):
    """All that a text names; nothing where it names nothing that the key sees."""

    model_config = ConfigDict(frozen=True)

    items: tuple[Hit, ...]


@router.get("/search", operation_id="search", summary="Find what a text names")
async def search(
    caller: Annotated[Caller, may("orders:read")],
    q: Annotated[CustomerId, Query(description="The whole of it.", examples=["web-1001"])],
) -> Hits:
    """An order by its id or its channel's number; a parcel by its tracking number; a return.

    With the scopes for it, also a payment by the company's reference, an invoice or a credit note,
    a purchase order, a SKU or a code on its goods, a transfer, a claim, a voucher by its id, and a
    person by the customer's id or a mail address.
    """
    kinds = [kind for kind in KINDS if kind not in _NEEDS or caller.grant.allows(_NEEDS[kind])]
    found = await caller.here.search.found(
        q, kinds=kinds, channels=caller.channels, sellers=caller.sellers
    )
    return Hits(
        items=tuple(
            Hit(kind=one.kind, id=one.id, title=one.title, href=_HREFS[one.kind](one))
            for one in found
        )
    )


def _order(one: Found) -> str:
    return f"/v1/orders/{_quoted(one.order_id or '')}"


def _quoted(text: str) -> str:
    return quote(text, safe="")


_HREFS: Final[dict[Kind, Callable[[Found], str]]] = {
    "order": _order,
    "fulfilment": _order,
    "return": _order,
    "parcel": _order,
    "payment": _order,
    "document": lambda one: f"/v1/documents/{quote(one.id)}?seller={one.seller}",
    "purchase_order": lambda one: f"/v1/purchase-orders/{_quoted(one.id)}",
    "item": lambda one: f"/v1/items?sku={_quoted(one.id)}",
    "transfer": lambda one: f"/v1/transfers/{_quoted(one.id)}",
    "claim": lambda one: f"/v1/claims/{_quoted(one.id)}",
    "voucher": lambda one: f"/v1/vouchers/{_quoted(one.id)}",
    "customer": lambda one: f"/v1/customers/orders?customer={_quoted(one.id)}",
}
