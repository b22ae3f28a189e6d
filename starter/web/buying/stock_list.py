"""Stock against its demand: what is there, what is on its way, and what runs out when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Final
from urllib.parse import quote, urlencode

from fastapi import APIRouter
from starlette.responses import Response

from domain.stock.items import Item
from starter.web.buying.asked import day_in_address, friday
from starter.web.buying.limits import locations, places
from starter.web.buying.shown import show_stock
from starter.web.screens.forms import Said, met, told_by
from starter.web.screens.visits import ScreenRoute, Visit, may
from store.purchasing.outlook import Outlook

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

_PAGE: Final = 50
_NEVER: Final = "never"
_NOTHING: Final = dict.fromkeys(("q", "location", "low", "out", "after"), "")


@dataclass(frozen=True)
class Bar:
    """A stock row as a picture, in parts of a hundred: what is claimed, free and on its way.

    `level`: where it is bought; None: nobody has said.
    """

    claimed: float
    free: float
    coming: float
    level: float | None


def bar(row: Outlook) -> Bar:
    """The picture of a row, as wide as what there is or should be."""
    free = max(row.on_hand - row.allocated, 0)
    whole = max(row.on_hand + row.incoming, row.order_up_to or 0, row.reorder_point or 0, 1)
    level = None if row.reorder_point is None else 100 * row.reorder_point / whole
    return Bar(
        100 * min(row.allocated, row.on_hand) / whole,
        100 * free / whole,
        100 * row.incoming / whole,
        level,
    )


@router.get("/app/stock")
async def stock(
    visit: Annotated[Visit, may("stock:read")],
    q: str = "",
    location: str = "",
    low: str = "",
    out: str = "",
    after: str = "",
    done: str = "",
) -> Response:
    """Rows of one's locations that match every filter, the first to run out first.

    `q`: how a SKU begins, or a part of a name. `low`: at or below the reorder point. `out`: sold
    out by this day. `after`: a page behind the row with this day, SKU and location.
    """
    asked_for = {"q": q.strip(), "location": location, "low": low, "out": out, "after": after}
    return await _list(visit, asked_for, told=told_by(visit, done))


@router.post("/app/items")
async def new_item(
    visit: Annotated[Visit, may("stock:read", "catalogue:read", "catalogue:write")],
) -> Response:
    """Make an item known. One that is there already is led to as it is."""
    sku = visit.field("sku").strip()

    async def act() -> str:
        wanted = Item.model_validate({"sku": sku, "name": visit.field("name").strip() or None})
        if not await visit.here.catalogue.items(sku=wanted.sku):
            await visit.here.catalogue.set_items([wanted])
        return "item_set"

    async def again(status: int, trouble: Sequence[str]) -> Response:
        return await _list(visit, _NOTHING, status=status, trouble=trouble, sent=visit.sent)

    return await met(visit, act, f"app/stock/{quote(sku)}", again)


async def _list(
    visit: Visit,
    asked_for: Mapping[str, str],
    *,
    status: int = 200,
    told: str = "",
    trouble: Sequence[str] = (),
    sent: dict[str, list[str]] | None = None,
) -> Response:
    """`sent`: what was typed of a new item."""
    text, location = asked_for["q"], asked_for["location"]
    known = [one.location for one in await locations(visit)]
    place = location if location in known else ""
    out_by = day_in_address(asked_for["out"])
    found = await visit.here.purchasing.outlook(
        text=text or None,
        location=place or None,
        locations=places(visit),
        only_low=bool(asked_for["low"]),
        out_by=out_by,
        after=_place(asked_for["after"]),
        at_most=_PAGE + 1,
    )
    filters = {
        "q": text,
        "location": place,
        "low": "1" if asked_for["low"] else "",
        "out": out_by.isoformat() if out_by else "",
    }
    rows = found[:_PAGE]
    onward = {**filters, "after": _name(rows[-1])} if len(found) > _PAGE else {}
    return show_stock(
        visit,
        "buying/stock",
        status=status,
        told=told,
        trouble=trouble,
        rows=[(row, bar(row)) for row in rows],
        elsewhere=await visit.here.catalogue.items(sku=text) if text and not rows else (),
        locations=[(one, one) for one in known],
        filters=filters,
        friday=friday(datetime.now(UTC).date()),
        more=urlencode({name: value for name, value in onward.items() if value}),
        said=Said.of(sent),
        is_open=sent is not None,
        may_describe=visit.person.allows("catalogue:read", "catalogue:write"),
    )


def _name(row: Outlook) -> str:
    day = _NEVER if row.out_on is None else row.out_on.isoformat()
    return f"{day}~{row.location}~{row.sku}"


def _place(text: str) -> tuple[date | None, str, str] | None:
    """Where a page begins; None: at the first row, also for what is no place."""
    day, first, rest = text.partition("~")
    location, second, sku = rest.partition("~")
    moment = day_in_address(day)
    if not first or not second or (moment is None and day != _NEVER):
        return None
    return moment, sku, location
