"""Suppliers: how well they keep their word, and on which terms they sell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from domain.money import price_text
from domain.purchasing.purchase_orders import SupplierItem
from domain.purchasing.scorecards import Scorecard, by_month, scorecard
from starter.web.buying import asked
from starter.web.buying.limits import places
from starter.web.buying.scorecard_charts import Charts, charts
from starter.web.buying.shown import show
from starter.web.screens.forms import NotAsked, Said, met, told_by
from starter.web.screens.visits import ScreenRoute, Visit, may
from store.purchasing.suppliers import Supplier

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

Reads = Annotated[Visit, may("purchasing:read")]
Writes = Annotated[Visit, may("purchasing:read", "purchasing:write")]
WINDOWS: Final = (30, 90, 365)
_USUALLY: Final = 90
_YEAR: Final = timedelta(days=365)
_PAGE: Final = 50
_LISTED_LINES: Final = 100
"""Of each supplier, a list counts so many of the latest lines; its page counts more."""
_FIELDS: Final = (
    *("supplier", "name", "sku", "lead_time_days", "unit_price", "currency"),
    *("minimum", "multiple", "priority"),
)


@dataclass(frozen=True)
class Shown:
    """A supplier, its figures over some days, its trend over a year, and a page of its terms."""

    supplier: Supplier
    days: int
    figures: Scorecard
    trend: Charts
    terms: Sequence[SupplierItem]
    names: Mapping[str, str]
    more: str


@router.get("/app/suppliers")
async def suppliers(visit: Reads, after: str = "") -> Response:
    """All of them by code, with how well each keeps its word. `after`: behind this code."""
    return await _list(visit, after)


@router.post("/app/suppliers")
async def add(visit: Writes) -> Response:
    """Make a supplier known, with its first terms."""

    async def act() -> str:
        terms = _terms(visit, visit.field("supplier"))
        known = await visit.here.purchasing.terms(supplier=terms.supplier, skus=[terms.sku])
        if known:
            raise NotAsked("terms_are_there")
        await visit.here.purchasing.set_terms([terms])
        return "terms_set"

    async def again(status: int, trouble: Sequence[str]) -> Response:
        return await _list(visit, "", status=status, trouble=trouble, sent=visit.sent)

    return await met(visit, act, f"app/suppliers/{quote(visit.field('supplier').strip())}", again)


@router.get("/app/suppliers/{supplier}")
async def one_supplier(
    visit: Reads, supplier: str, days: str = "", after: str = "", sku: str = "", done: str = ""
) -> Response:
    """One of them. `days`: of the figures. `after`: its terms behind this SKU. `sku`: to change."""
    one = await _look(visit, supplier, days, after)
    return await _page(visit, one, sku=sku, told=told_by(visit, done))


@router.post("/app/suppliers/{supplier}")
async def set_terms(visit: Writes, supplier: str) -> Response:
    """Set on which terms it sells a SKU: never over what somebody else has set meanwhile."""
    sku = visit.field("sku").strip()

    async def act() -> str:
        terms = _terms(visit, supplier)
        if await _version(visit, supplier, terms.sku) != visit.field("version"):
            raise NotAsked("terms_changed_meanwhile")
        await visit.here.purchasing.set_terms([terms])
        return "terms_set"

    async def again(status: int, trouble: Sequence[str]) -> Response:
        one = await _look(visit, supplier)
        return await _page(visit, one, sku=sku, status=status, trouble=trouble, sent=visit.sent)

    return await met(visit, act, f"app/suppliers/{quote(supplier)}", again)


async def _look(visit: Visit, supplier: str, days: str = "", after: str = "") -> Shown:
    """A supplier as it is now. Raises NotFound."""
    buying = visit.here.purchasing
    (found,) = await buying.suppliers(supplier, locations=places(visit))
    today = datetime.now(UTC).date()
    chosen = next((n for n in WINDOWS if str(n) == days), _USUALLY)
    since = today - _YEAR
    lines = await buying.bought_lines([supplier], since=since, locations=places(visit))
    recent = [x for x in lines if x.ordered_on > today - timedelta(days=chosen)]
    place = (supplier, after) if after else None
    terms = await buying.terms(supplier=supplier, after=place, at_most=_PAGE + 1)
    return Shown(
        supplier=found,
        days=chosen,
        figures=scorecard(recent, today),
        trend=charts(visit.words, by_month(lines, today), today),
        terms=terms[:_PAGE],
        names=await visit.here.catalogue.names([item.sku for item in terms[:_PAGE]]),
        more=terms[_PAGE - 1].sku if len(terms) > _PAGE else "",
    )


async def _page(
    visit: Visit,
    one: Shown,
    *,
    sku: str = "",
    status: int = 200,
    told: str = "",
    trouble: Sequence[str] = (),
    sent: dict[str, list[str]] | None = None,
) -> Response:
    """`sku`: whose terms stand in the form."""
    code = one.supplier.supplier
    known = await visit.here.purchasing.terms(supplier=code, skus=[sku]) if sku else ()
    filled = _filled(visit, known[0]) if known else {"sku": [sku]}
    values: dict[str, Any] = {
        "status": status,
        "told": told,
        "trouble": trouble,
        "one": one,
        "windows": WINDOWS,
        "said": Said.of(sent or filled),
        "version": _version_of(known),
        "is_open": bool(sku or sent),
        "may_write": visit.person.allows("purchasing:write"),
        "sees_stock": visit.person.allows("stock:read", "catalogue:read"),
        "price": _price,
    }
    return await show(visit, "buying/supplier", **values)


async def _list(
    visit: Visit,
    after: str,
    *,
    status: int = 200,
    trouble: Sequence[str] = (),
    sent: dict[str, list[str]] | None = None,
) -> Response:
    buying = visit.here.purchasing
    found = await buying.suppliers(locations=places(visit), after=after or None, at_most=_PAGE + 1)
    rows = found[:_PAGE]
    today = datetime.now(UTC).date()
    figures = await _figures(visit, [one.supplier for one in rows], today)
    return await show(
        visit,
        "buying/suppliers",
        status=status,
        trouble=trouble,
        suppliers=[(one, figures[one.supplier]) for one in rows],
        days=_USUALLY,
        lines_max=_LISTED_LINES,
        more=rows[-1].supplier if len(found) > _PAGE else "",
        said=Said.of(sent),
        is_open=sent is not None,
        may_write=visit.person.allows("purchasing:write"),
    )


async def _figures(visit: Visit, codes: Sequence[str], today: date) -> dict[str, Scorecard]:
    """Supplier → its figures over the usual days."""
    since = today - timedelta(days=_USUALLY)
    lines = await visit.here.purchasing.bought_lines(
        codes, since=since, locations=places(visit), at_most=_LISTED_LINES
    )
    return {
        code: scorecard([line for line in lines if line.supplier == code], today) for code in codes
    }


def _terms(visit: Visit, supplier: str) -> SupplierItem:
    """What a form says. Raises ValidationError and NotAsked."""
    said = {name: visit.field(name).strip() for name in _FIELDS}
    said["unit_price"] = visit.amount("unit_price")
    told: dict[str, Any] = {name: text for name, text in said.items() if text}
    for name in ("lead_time_days", "minimum", "multiple", "priority"):
        if name in told:
            told[name] = asked.number(told[name])
    return SupplierItem.model_validate({**told, "supplier": supplier})


def _filled(visit: Visit, terms: SupplierItem) -> dict[str, list[str]]:
    told = terms.model_dump(mode="json", exclude={"unit_price", "name"})
    told["unit_price"] = visit.words.typed(price_text(terms.unit_price, terms.currency))
    return {name: [str(value)] for name, value in told.items()}


async def _version(visit: Visit, supplier: str, sku: str) -> str:
    return _version_of(await visit.here.purchasing.terms(supplier=supplier, skus=[sku]))


def _version_of(terms: Sequence[SupplierItem]) -> str:
    told = "".join(one.model_dump_json() for one in terms)
    return sha256(told.encode()).hexdigest()[:16]


def _price(terms: SupplierItem) -> str:
    return f"{price_text(terms.unit_price, terms.currency)} {terms.currency}"
