"""What the list of commands suggests while somebody types: pages, orders, customers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from domain.customers.ids import customer_id
from starter.web.desk.access import theirs
from starter.web.desk.customers import part_of
from starter.web.desk.finding import address_of, address_of_order, goods_found, kinds_of, typed
from starter.web.desk.order_list import channels_of
from starter.web.guards import HEADERS
from starter.web.screens.rooms import PARTS
from starter.web.screens.visits import ScreenRoute, Visit, may

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

_LETTERS_MIN: Final = 2
_OF_A_KIND: Final = 5


class Suggestion(BaseModel):
    """Something to go to. `path`: an address of ours; `note`: what it is."""

    text: str
    note: str
    path: str


@router.get("/app/find/suggestions")
async def suggestions(visit: Annotated[Visit, may("orders:read")], q: str = "") -> Response:
    """As JSON: pages whose names a text is a part of, and what it names or begins to name."""
    text = typed(q)
    found: dict[str, Suggestion] = {}
    if len(text) >= _LETTERS_MIN:
        for one in [*_pages(visit, text), *await _things(visit, text), *await _people(visit, text)]:
            found.setdefault(one.path, one)
    told = [one.model_dump() for one in found.values()]
    return JSONResponse({"items": told}, headers=HEADERS)


def _pages(visit: Visit, text: str) -> Iterator[Suggestion]:
    words = visit.words
    for part in PARTS:
        key = f"place_{part.key}"
        name = words(key if words.has(key) else part.key)
        if part.is_for(visit.person) and text.casefold() in name.casefold():
            yield Suggestion(text=name, note="", path=part.path)


async def _things(visit: Visit, text: str) -> list[Suggestion]:
    """What it names, and orders that it begins to name."""
    words, here, limits = visit.words, visit.here, theirs(visit)
    named = await here.search.found(text, kinds=kinds_of(visit), **limits, at_most=_OF_A_KIND)
    told = [
        Suggestion(text=one.id, note=words(f"kind_{one.kind}"), path=address_of(one))
        for one in named
    ]
    orders = await here.search.beginning(
        text,
        channels=await channels_of(visit),
        sellers=limits["sellers"],
        at_most=_OF_A_KIND,
    )
    told += [
        Suggestion(text=order, note=words(f"order_{state}"), path=address_of_order(order))
        for order, state in orders
    ]
    goods = await goods_found(visit, text, (), at_most=_OF_A_KIND)
    return told + [
        Suggestion(text=one.id, note=f"{words('kind_item')}: {one.title}", path=path)
        for one, path in goods
    ]


async def _people(visit: Visit, text: str) -> list[Suggestion]:
    if not visit.person.allows("customers:read"):
        return []
    people = await visit.here.customer_pages.found(text, part=part_of(visit), at_most=_OF_A_KIND)
    return [
        Suggestion(
            text=one.name or one.company or one.email or visit.words("no_name"),
            note=", ".join(
                filter(None, (one.email or one.phone, visit.words.many("orders_count", one.orders)))
            ),
            path=f"app/customers/{customer_id(one.customer_no)}",
        )
        for one in people
    ]
