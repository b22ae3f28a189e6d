"""What is done with an item's stock and said of it: forms, each with a look at what it would do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from domain.accounting.costs import Priced
from domain.stock.items import Item
from domain.stock.kits import Kit
from starter.service.service import Records
from starter.web.buying import asked
from starter.web.buying.item_page import Preview, Shown, look, page, wanted_levels
from starter.web.screens.forms import NotAsked, met
from starter.web.screens.visits import ScreenRoute, Visit, may
from store.purchasing.outlook import Outlook

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

Act = Callable[[Records, Visit, str], Awaitable[None]]
_NOT_KNOWN: Final = 503
"""Whether it was done is not known."""


class _NotYet(Exception):
    """Somebody only looks at what it would do: it is undone."""


async def _receive(here: Records, visit: Visit, sku: str) -> None:
    cost = {name: visit.field(name).strip() or None for name in ("unit_cost", "currency")}
    await here.stock.receive(
        *(_key(visit), sku, _place(visit), _number(visit)),
        unit_cost=Priced.model_validate(cost).cost,
        who=visit.person.who,
        why=asked.why(visit),
    )


async def _adjust(here: Records, visit: Visit, sku: str) -> None:
    text = visit.field("n").strip()
    number = asked.number(text.removeprefix("-").removeprefix("+"))
    if not number:
        raise NotAsked("no_units")
    change = -number if text.startswith("-") else number
    who, why = visit.person.who, asked.why(visit)
    await here.stock.adjust(_key(visit), sku, _place(visit), change, who=who, why=why)


async def _count(here: Records, visit: Visit, sku: str) -> None:
    place, counted = _place(visit), asked.number(visit.field("n"))
    if counted is None:
        raise NotAsked("no_number")
    seen = asked.number(visit.field(f"seen:{place}"))
    who, why = visit.person.who, asked.why(visit)
    await here.stock.count(_key(visit), sku, place, counted, seen=seen, who=who, why=why)


async def _write_off(here: Records, visit: Visit, sku: str) -> None:
    who, why = visit.person.who, asked.why(visit)
    await here.stock.write_off(_key(visit), sku, _place(visit), _number(visit), who=who, why=why)


async def _send(here: Records, visit: Visit, sku: str) -> None:
    there = visit.field("to")
    if not visit.person.works_at(there):
        raise NotAsked("no_such_location")
    await here.transfers.send(
        f"T-{_key(visit).removeprefix('desk-')[:12]}",
        _place(visit),
        there,
        {sku: _number(visit)},
        expected_on=asked.day(visit.field("expected_on")),
        who=visit.person.who,
        why=asked.why(visit),
    )


ACTS: Final[dict[str, Act]] = {
    "receive": _receive,
    "adjust": _adjust,
    "count": _count,
    "write_off": _write_off,
    "send": _send,
}


@router.post("/app/stock/{sku:path}")
async def change(
    visit: Annotated[Visit, may("stock:read", "catalogue:read", "stock:write")], sku: str
) -> Response:
    """Receive, adjust, count, write off, send on, or set its levels: as the field `act` says."""
    one = await look(visit, sku)
    name = visit.field("act")
    if name == "levels":
        return await _met(visit, sku, name, lambda: _set_levels(visit, one))
    if name not in ACTS:
        return await page(visit, one, status=422, trouble=[visit.words("bad_form")])
    if visit.field("preview"):
        return await _looked_at(visit, one, name)

    async def act() -> str:
        await ACTS[name](visit.here, visit, sku)
        return f"stock_{name}"

    return await _met(visit, sku, name, act)


@router.post("/app/items/{sku:path}")
async def describe(
    visit: Annotated[Visit, may("stock:read", "catalogue:read", "catalogue:write")], sku: str
) -> Response:
    """Say what an item is, or what a kit is made of."""
    one = await look(visit, sku)
    name = visit.field("act")
    if name == "item" and visit.field("version") != one.item_version:
        told = [visit.words("item_changed_meanwhile")]
        return await page(visit, one, status=409, trouble=told, sent=visit.sent, act=name)

    async def act() -> str:
        if name == "kit":
            text = visit.field("parts").strip()
            if text:
                await visit.here.catalogue.define_kit(Kit(sku=sku, parts=_parts(text)))
            else:
                await visit.here.catalogue.remove_kit(sku)
            return "kit_set"
        await visit.here.catalogue.set_items([_item(visit, sku)])
        return "item_set"

    return await _met(visit, sku, name, act)


async def _set_levels(visit: Visit, one: Shown) -> str:
    if visit.field("version") != one.levels_version:
        raise NotAsked("levels_changed_meanwhile")
    _place(visit)
    await visit.here.stock.set_levels([wanted_levels(visit, one.sku)])
    return "levels_set"


async def _looked_at(visit: Visit, one: Shown, name: str) -> Response:
    """What a change would do: it is made and undone, so that no rule is written twice."""
    before = {row.location: row for row in one.rows}
    previews: list[Preview] = []

    async def act() -> str:
        try:
            async with visit.here.in_one_transaction() as doors:
                await ACTS[name](doors, visit, one.sku)
                for row in await doors.purchasing.outlook(skus=[one.sku]):
                    was = before.get(row.location) or _nothing_there(row)
                    if visit.person.works_at(row.location) and was != row:
                        previews.append(Preview(row.location, was, row))
                raise _NotYet
        except _NotYet:
            return ""

    async def again(status: int, trouble: Sequence[str]) -> Response:
        return await page(*(visit, one), status=status, trouble=trouble, sent=visit.sent, act=name)

    answer = await met(visit, act, "app/stock", again)
    if answer.status_code >= 400:
        return answer
    return await page(visit, one, sent=visit.sent, act=name, previews=previews)


def _nothing_there(row: Outlook) -> Outlook:
    """A place before the SKU came there for the first time."""
    units = ("on_hand", "allocated", "available", "incoming")
    return row.model_copy(update=dict.fromkeys(units, 0))


async def _met(visit: Visit, sku: str, name: str, act: Callable[[], Awaitable[str]]) -> Response:
    async def again(status: int, trouble: Sequence[str]) -> Response:
        same = _key(visit).rpartition("-")[0] if status == _NOT_KNOWN else ""
        told: dict[str, Any] = {"sent": visit.sent, "act": name, "request_id": same}
        return await page(visit, await look(visit, sku), status=status, trouble=trouble, **told)

    return await met(visit, act, f"app/stock/{quote(sku)}", again)


def _item(visit: Visit, sku: str) -> Item:
    """What the form says of an item. Raises ValidationError."""
    told = {
        name: visit.field(name).strip() or None
        for name in ("name", "available_from", "handling", "category")
    }
    told = {name: text for name, text in told.items() if text is not None}
    flags = {name: bool(visit.field(name)) for name in ("backorder", "discontinued")}
    return Item.model_validate({"sku": sku, **told, **flags})


def _parts(text: str) -> dict[str, int]:
    """`TEA=2, CUP=1` → SKU → units. Raises NotAsked."""
    parts = {}
    for one in text.split(","):
        part, mark, units = one.strip().rpartition("=")
        number = asked.number(units) if mark and part else None
        if not number:
            raise NotAsked("no_parts")
        parts[part.strip()] = number
    return parts


def _key(visit: Visit) -> str:
    return visit.field("request_id")


def _number(visit: Visit) -> int:
    number = asked.number(visit.field("n"))
    if not number:
        raise NotAsked("no_units")
    return number


def _place(visit: Visit) -> str:
    place = visit.field("location")
    if not visit.person.works_at(place):
        raise NotAsked("no_such_location")
    return place
