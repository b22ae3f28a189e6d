"""Several at once: proposals that are approved, and needs that are ordered, a result for each.

What is ticked is shown first: what it costs, and which purchase orders it makes, one for each
supplier, location and currency.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.responses import Response

from domain.errors import InvalidInput, Refused
from domain.money import Money, price_text
from domain.purchasing.purchase_orders import SupplierItem
from starter.web.buying import asked
from starter.web.buying.approving import all_approved
from starter.web.buying.limits import places
from starter.web.buying.needs import (
    NEEDED_MAX,
    PROPOSED_MAX,
    Need,
    Proposal,
    named,
    named_parts,
    needs,
    total,
    waiting,
)
from starter.web.buying.proposals import Result, Writes, proposals_page
from starter.web.buying.shown import show
from starter.web.screens.forms import NotAsked, Said, whole
from starter.web.screens.visits import ScreenRoute, Visit, in_words

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

_PRICE: Final = "price:"
_COMING: Final = "coming:"
_PARTS: Final = 3


class Line(NamedTuple):
    """What is bought, where it goes, and of whom."""

    location: str
    supplier: str
    sku: str

    @property
    def name(self) -> str:
        """As the fields of a form have it."""
        return named(*self)


class Order(NamedTuple):
    """A purchase order that would be made."""

    supplier: str
    location: str
    needs: Sequence[Need]
    cost: Money
    is_sent_at_once: bool


@router.get("/app/purchases/together")
async def look_first(visit: Writes, by: str = "", of: str = "") -> Response:
    """What is ticked (`po`, `need`), or all that one location needs `of` a supplier."""
    query = visit.request.query_params
    return await _page(visit, by, query.getlist("po"), query.getlist("need"), of=of)


@router.post("/app/purchases/together")
async def act(visit: Writes) -> Response:
    """Approve and order it, and tell what came of each."""
    ticked, by = visit.sent.get("po", [])[:PROPOSED_MAX], visit.field("by")
    lines = _lines(visit)
    try:
        wanted = {line: n for line, text in lines.items() if (n := asked.number(text))}
        why = asked.why(visit) if visit.field("why").strip() else ""
    except NotAsked as no:
        return await _again(visit, by, ticked, lines, [visit.words(no.key)])
    except ValidationError as wrong:
        return await _again(visit, by, ticked, lines, in_words(visit.words, wrong))
    if not ticked and not wanted:
        trouble = [visit.words("done_nothing_ticked")]
        return await proposals_page(visit, by, status=422, trouble=trouble)
    results = [*await all_approved(visit, ticked, why), *await _all_ordered(visit, wanted, why)]
    return await proposals_page(visit, by, results=results)


async def _again(
    visit: Visit, by: str, ticked: Sequence[str], lines: Iterable[Line], trouble: Sequence[str]
) -> Response:
    """The page as it was filled in. Nothing was done."""
    needed = [named(line.location, line.sku) for line in lines]
    return await _page(visit, by, ticked, needed, trouble=trouble, said=Said.of(visit.sent))


async def _page(
    visit: Visit,
    by: str,
    ticked: Sequence[str],
    wanted: Sequence[str],
    *,
    of: str = "",
    trouble: Sequence[str] = (),
    said: Said | None = None,
) -> Response:
    until = asked.day_in_address(by) or asked.friday(datetime.now(UTC).date())
    proposals = [one for one in await waiting(visit) if _is_one(one, ticked, of)][:PROPOSED_MAX]
    parts = [named_parts(one) for one in wanted[:NEEDED_MAX]]
    skus = None if of else [one[-1] for one in parts if one]
    found = await needs(visit, until, skus) if skus is None or skus else []
    chosen = [one for one in found if one.units and _is_needed(one, wanted, of)][:NEEDED_MAX]
    if not proposals and not chosen:
        return visit.lead(f"app/purchases/proposals?by={until}&done=nothing_ticked")
    mine = [one for one in proposals if one.may_approve]
    orders = _orders(visit, chosen)
    values: dict[str, Any] = {
        "status": 422 if trouble else 200,
        "trouble": trouble,
        "until": until,
        "mine": mine,
        "others": [one for one in proposals if not one.may_approve],
        "gone": len(set(ticked)) + len(set(wanted)) - len(proposals) - len(chosen) if not of else 0,
        "orders": orders,
        "line": lambda one: named(one.row.location, one.terms.supplier, one.row.sku),
        "price": _price,
        "to_approve": total(one.order.worth for one in mine),
        "to_order": total(one.cost for one in orders),
        "total": total([*(one.order.worth for one in mine), *(one.cost for one in orders)]),
        "said": said or Said(),
        "request_id": asked.new_request(),
    }
    return await show(visit, "buying/together", **values)


def _is_one(one: Proposal, ticked: Collection[str], of: str) -> bool:
    its = named(one.order.location, one.order.supplier)
    return of == its if of else f"{one.order.po_id}~{one.version}" in ticked


def _is_needed(one: Need, wanted: Collection[str], of: str) -> bool:
    if one.terms is None:
        return False
    if of:
        return of == named(one.row.location, one.terms.supplier)
    return one.name in wanted


def _orders(visit: Visit, chosen: Sequence[Need]) -> list[Order]:
    """The purchase orders that these needs make, the most urgent first."""
    grouped: dict[tuple[str, str, str], list[Need]] = defaultdict(list)
    for one in chosen:
        if one.terms is not None:
            key = (one.terms.supplier, one.row.location, one.terms.currency)
            grouped[key].append(one)
    orders = []
    for (supplier, location, currency), its in grouped.items():
        minor = total(one.cost for one in its if one.cost is not None)[currency]
        cost = Money(minor=minor, currency=currency)
        at_once = visit.here.purchasing.is_sent_at_once(cost)
        orders.append(Order(supplier, location, its, cost, at_once))
    return orders


def _price(terms: SupplierItem) -> str:
    return f"{price_text(terms.unit_price, terms.currency)} {terms.currency}"


def _lines(visit: Visit) -> dict[Line, str]:
    """What is to be ordered, and what is typed for its units."""
    lines = {
        Line(*parts): values[0]
        for name, values in visit.sent.items()
        if name.startswith(asked.UNITS)
        and len(parts := named_parts(name.removeprefix(asked.UNITS))) == _PARTS
    }
    return dict(list(lines.items())[:NEEDED_MAX])


async def _all_ordered(visit: Visit, wanted: Mapping[Line, int], why: str) -> list[Result]:
    """What came of each purchase order."""
    if not wanted:
        return []
    skus = sorted({line.sku for line in wanted})
    terms = {(one.supplier, one.sku): one for one in await visit.here.purchasing.terms(skus=skus)}
    rows = await visit.here.purchasing.outlook(skus=skus, locations=places(visit))
    coming = {(row.location, row.sku): row.incoming + row.proposed for row in rows}
    grouped: dict[tuple[str, str, str], dict[Line, int]] = defaultdict(dict)
    for line, n in wanted.items():
        item = terms.get((line.supplier, line.sku))
        currency = "" if item is None else item.currency
        grouped[line.supplier, line.location, currency][line] = n
    return [
        await _ordered(visit, supplier, location, currency, its, terms, coming, why)
        for (supplier, location, currency), its in grouped.items()
    ]


async def _ordered(
    visit: Visit,
    supplier: str,
    location: str,
    currency: str,
    lines: Mapping[Line, int],
    terms: Mapping[tuple[str, str], SupplierItem],
    coming: Mapping[tuple[str, str], int],
    why: str,
) -> Result:
    """One purchase order: the same form makes it once."""
    buying, label = visit.here.purchasing, f"{supplier}, {location}"
    if not visit.person.works_at(location):
        return Result(label, "", is_done=False, told=visit.words("no_such_location"))
    key = f"{visit.field('request_id')} {supplier} {location} {currency}"
    po_id = f"PO-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
    if not await buying.was_told(po_id, "propose"):
        for line in lines:
            if told := _news(visit, line, terms.get((supplier, line.sku)), coming):
                return Result(label, "", is_done=False, told=f"{line.sku}: {told}")
    until = asked.day_in_address(visit.field("by"))
    try:
        await buying.propose(
            *(supplier, location, {line.sku: n for line, n in lines.items()}),
            po_id=po_id,
            who=visit.person.who,
            why=why or ("bought" if until is None else f"to buy by {until}"),
        )
        order = await buying.order(po_id)
    except (InvalidInput, Refused) as no:
        told = " ".join(in_words(visit.words, no))
        return Result(label, "", is_done=False, told=told)
    money = visit.words.money(order.worth.minor, order.currency)
    told = f"{order.supplier_name}, {location}, {money}: {visit.words(f'po_{order.state}')}"
    return Result(po_id, po_id, is_done=True, told=told)


def _news(
    visit: Visit, line: Line, terms: SupplierItem | None, coming: Mapping[tuple[str, str], int]
) -> str:
    """What the page did not show: another price, or more on order than then; "": nothing."""
    if terms is not None and _price(terms) != visit.field(f"{_PRICE}{line.name}"):
        return visit.words("price_is_now", price=_price(terms))
    now = coming.get((line.location, line.sku), 0)
    if now > whole(visit.field(f"{_COMING}{line.name}")):
        return visit.words("on_order_by_now", n=visit.words.number(now))
    return ""
