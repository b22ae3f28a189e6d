"""An order as a caller may see it, alone or with what belongs to it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any, Final, Literal, TypeAlias

from fastapi import Query
from pydantic import ConfigDict

from domain.access.keys import OF_ORDERS_DOCUMENTS, Scope
from domain.errors import NotFound
from domain.views.order_snapshot import OrderSnapshot
from starter.http.callers import Caller, check_allows
from starter.http.shown_documents import ListedDocument, listed
from store.views.reads import EventRow

Part: TypeAlias = Literal["document", "documents", "story"]
"""What belongs to an order, by the last word of its own path."""

_NEEDS: Final[dict[str, tuple[Scope, ...]]] = {
    "document": ("customers:read",),
    "documents": OF_ORDERS_DOCUMENTS,
    "story": ("orders:read",),
}
_DOCUMENTS_MAX: Final = 100

Expand = Annotated[
    tuple[Part, ...],
    Query(
        max_length=len(_NEEDS),
        description="Show this of the order, too, as its own path does: `document` (takes "
        f"customers:read), `documents` (the first {_DOCUMENTS_MAX}; takes customers:read "
        "and payments:read), "
        "`story`. Give it several times for several.",
    ),
]


class ExpandedOrder(OrderSnapshot):
    """An order, with what was asked for beside it. What was not asked for is left out."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    document: dict[str, Any] | None = None
    documents: tuple[ListedDocument, ...] | None = None
    story: tuple[EventRow, ...] | None = None


async def mine(caller: Caller, order_id: str) -> OrderSnapshot:
    """An order of the caller's. Raises NotFound, alike for one that is somebody else's."""
    try:
        shown = await caller.here.orders.snapshot(order_id)
    except NotFound:
        shown = None
    if shown is None or not caller.grant.sees(shown.channel, shown.seller):
        raise NotFound(f"there is no order {order_id}")
    return shown


async def expanded(caller: Caller, shown: OrderSnapshot, parts: Collection[Part]) -> str:
    """The JSON of an order with these parts. Raises ProblemError where a scope is lacking."""
    check_allows(caller, *(scope for part in parts for scope in _NEEDS[part]))
    found: dict[str, Any] = {}
    here, order_id = caller.here, shown.order_id
    if "document" in parts:
        found["document"] = (await here.orders.get(order_id)).document
    if "documents" in parts:
        issued = await here.accounting.documents_of(order_id, at_most=_DOCUMENTS_MAX)
        found["documents"] = tuple(map(listed, issued))
    if "story" in parts:
        found["story"] = tuple(await here.orders.events(order_id))
    left_out = set(_NEEDS) - set(parts)
    return ExpandedOrder.model_construct(**dict(shown), **found).model_dump_json(exclude=left_out)
