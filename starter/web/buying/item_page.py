"""All of one item: its stock at each location, what becomes of it, its settings and its story."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from domain.errors import NotFound
from domain.money import price_text
from domain.stock.items import Item
from domain.stock.stock_levels import StockLevels
from starter.web.buying.asked import new_request, number
from starter.web.buying.item_charts import Charts, charts
from starter.web.buying.limits import locations, places
from starter.web.buying.promises import Promised, promised
from starter.web.buying.shown import show_stock
from starter.web.buying.stock_list import bar
from starter.web.screens.forms import NotAsked, Said, told_by, whole
from starter.web.screens.visits import ScreenRoute, Visit, may
from store.accounting.valuation import Worth
from store.fulfilment.licences import CodesOfSku
from store.purchasing.outlook import Outlook
from store.purchasing.purchase_reads import PurchaseOrder
from store.stock.baskets import Basket
from store.stock.movements import Movement
from store.stock.promises import KitStock
from store.stock.transfers import Transfer

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

_STORY: Final = 50
_BESIDE: Final = 20


@dataclass(frozen=True)
class Preview:
    """What a change would do: a stock row before and after; nothing is done yet."""

    location: str
    before: Outlook
    after: Outlook


@dataclass(frozen=True)
class Shown:
    """An item as a buyer sees it. What belongs to others, or may not be seen, is left out."""

    sku: str
    item: Item | None
    rows: Sequence[Outlook]
    kit: KitStock | None
    baskets: Sequence[Basket] = ()
    codes: Sequence[CodesOfSku] = ()
    orders: Sequence[PurchaseOrder] = ()
    transfers: Sequence[Transfer] = ()
    worth: Sequence[Worth] = ()
    story: Sequence[Movement] = ()

    @property
    def levels_version(self) -> str:
        """Another one with each change of its levels."""
        told = [
            (row.location, row.reorder_point, row.order_up_to, row.service_level, row.safety)
            for row in self.rows
        ]
        return sha256(repr(told).encode()).hexdigest()[:16]

    @property
    def item_version(self) -> str:
        """Another one with each change of its settings."""
        told = "" if self.item is None else self.item.model_dump_json()
        return sha256(told.encode()).hexdigest()[:16]


async def look(visit: Visit, sku: str, before: int = 0) -> Shown:
    """An item as it is now. Raises NotFound for one that nobody knows, or that is not theirs."""
    here, mine = visit.here, places(visit)
    rows = await here.purchasing.outlook(skus=[sku], locations=mine)
    item = next(iter(await here.catalogue.items(sku=sku)), None)
    kit = next(iter(await here.catalogue.kits(sku)), None)
    if not rows and item is None and kit is None:
        raise NotFound(f"there is no item {sku}", reason="no_item")
    buys = visit.person.allows("purchasing:read")
    grant = visit.person.grant
    story = await here.stock.history(
        sku,
        locations=mine,
        before=before or None,
        channels=grant.channels,
        sellers=grant.sellers,
        at_most=_STORY + 1,
    )
    return Shown(
        sku=sku,
        item=item,
        rows=sorted(rows, key=lambda row: row.location),
        kit=kit,
        baskets=await here.baskets.list(sku=sku, at_most=_BESIDE) if mine is None else (),
        codes=await here.codes.counts(sku) if item and item.handling == "digital" else (),
        orders=await here.purchasing.orders(
            only_open=True, sku=sku, locations=mine, at_most=_BESIDE
        )
        if buys
        else (),
        transfers=await here.transfers.list(
            under_way=True, sku=sku, locations=mine, at_most=_BESIDE
        ),
        worth=await here.accounting.worth_of(sku) if buys and mine is None else (),
        story=story[::-1],
    )


@router.get("/app/stock/{sku:path}")
async def item(
    visit: Annotated[Visit, may("stock:read", "catalogue:read")],
    sku: str,
    done: str = "",
    before: str = "",
    n: str = "",
    country: str = "",
    postal_code: str = "",
) -> Response:
    """All of it. `before`: its story from there. `n`, `country`, `postal_code`: asks a promise."""
    one = await look(visit, sku, whole(before))
    said = {"n": n, "country": country, "postal_code": postal_code}
    promise = await promised(visit, sku, **said) if n else None
    return await page(visit, one, told=told_by(visit, done), promise=promise)


async def page(
    visit: Visit,
    one: Shown,
    *,
    status: int = 200,
    told: str = "",
    trouble: Sequence[str] = (),
    sent: dict[str, list[str]] | None = None,
    act: str = "",
    previews: Sequence[Preview] = (),
    promise: Promised | None = None,
    request_id: str = "",
) -> Response:
    """Its page. `sent`: what was typed into the form `act`. `previews`: what it would do."""
    known = await locations(visit)
    drawn: Charts = await charts(visit, one.sku, sum(row.on_hand for row in one.rows))
    person = visit.person
    values: dict[str, Any] = {
        "status": status,
        "told": told,
        "trouble": trouble,
        "one": one,
        "rows": [(row, bar(row)) for row in one.rows],
        "levels": {row.location: row for row in one.rows},
        "settings": one.item or Item.model_construct(sku=one.sku),
        "locations": [(place.location, place.location) for place in known],
        "kept_at": [(row.location, row.location) for row in one.rows],
        "charts": drawn,
        "story": one.story[:_STORY],
        "older": one.story[_STORY - 1].movement_id if len(one.story) > _STORY else 0,
        "said": Said.of(sent),
        "act": act,
        "previews": previews,
        "promise": promise,
        "request_id": request_id or new_request(),
        "may_change": person.allows("stock:write"),
        "may_describe": person.allows("catalogue:write"),
        "may_buy": person.allows("purchasing:read", "purchasing:write"),
        "sees_orders": person.allows("orders:read"),
        "sees_purchases": person.allows("purchasing:read"),
        "terms": await visit.here.purchasing.terms(skus=[one.sku])
        if person.allows("purchasing:read")
        else (),
        "price": lambda one: f"{price_text(one.unit_price, one.currency)} {one.currency}",
        "source": source,
    }
    return show_stock(visit, "buying/item", **values)


def source(move: Movement) -> tuple[str, str]:
    """What a movement was for: the page and its id; ("", "") where it names none.

    The journal's reasons of receipts and transfers begin with their ids.
    """
    if move.order_id is not None:
        return "orders", move.order_id
    if move.kind == "transferred" and move.on_hand_change < 0:
        return "transfers", move.why.partition(" to ")[0]
    name, found, _ = move.why.partition(" from ")
    if move.kind == "received" and found and name.startswith("PO-") and " " not in name:
        return "purchases", name
    return "", ""


def wanted_levels(visit: Visit, sku: str) -> StockLevels:
    """The levels that a form asks for. Raises ValidationError and NotAsked."""
    told: dict[str, Any] = {
        name: visit.field(name).strip() or None
        for name in ("reorder_point", "order_up_to", "service_level", "safety")
    }
    level = told["service_level"]
    if level is not None:
        try:
            told["service_level"] = float(level) / 100
        except ValueError:
            raise NotAsked("no_number") from None
    for name in ("reorder_point", "order_up_to", "safety"):
        told[name] = number(told[name] or "")
    return StockLevels.model_validate({**told, "sku": sku, "location": visit.field("location")})
