"""Several at once: proposals that are approved, and needs that are ordered, a result for each.

What is ticked is shown first: what it costs, and which purchase orders it makes, one for each
supplier, location and currency.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from fastapi import APIRouter
from starlette.responses import Response

from domain.errors import InvalidInput, Refused, Unreachable
from domain.money import Money, price_text
from domain.purchasing.purchase_orders import SupplierItem
from starter.web.buying import asked
from starter.web.buying.limits import is_buyer
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
from starter.web.buying.purchase_page import look
from starter.web.buying.shown import show
from starter.web.screens.forms import NotAsked, Said
from starter.web.screens.visits import ScreenRoute, Visit, in_words

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

_PRICE: Final = "price:"
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
    until = asked.day_in_address(by) or asked.friday(datetime.now(UTC).date())
    ticked, wanted = query.getlist("po"), query.getlist("need")
    proposals = [one for one in await waiting(visit) if _is_one(one, ticked, of)]
    parts = [named_parts(one) for one in wanted[:NEEDED_MAX]]
    skus = None if of else [one[-1] for one in parts if one]
    found = await needs(visit, until, skus) if skus is None or skus else []
    chosen = [one for one in found[:NEEDED_MAX] if one.units and _is_needed(one, wanted, of)]
    if not proposals and not chosen:
        return visit.lead(f"app/purchases/proposals?by={until}&done=nothing_ticked")
    mine = [one for one in proposals if one.may_approve]
    orders = _orders(visit, chosen)
    values: dict[str, Any] = {
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
        "said": Said(),
        "request_id": asked.new_request(),
    }
    return await show(visit, "buying/together", **values)


@router.post("/app/purchases/together")
async def act(visit: Writes) -> Response:
    """Approve and order it, and tell what came of each."""
    ticked, by = visit.sent.get("po", [])[:PROPOSED_MAX], visit.field("by")
    try:
        wanted = _wanted(visit)
        if not ticked and not wanted:
            raise NotAsked("done_nothing_ticked")
    except NotAsked as no:
        return await proposals_page(visit, by, status=422, trouble=[visit.words(no.key)])
    results = [*await _all_approved(visit, ticked), *await _all_ordered(visit, wanted)]
    return await proposals_page(visit, by, results=results)


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


def _wanted(visit: Visit) -> dict[Line, int]:
    """Units of what is to be ordered. Raises NotAsked for a number that is none."""
    lines = {
        Line(*parts): asked.number(values[0])
        for name, values in visit.sent.items()
        if name.startswith(asked.UNITS)
        and len(parts := named_parts(name.removeprefix(asked.UNITS))) == _PARTS
    }
    return {line: n for line, n in list(lines.items())[:NEEDED_MAX] if n}


async def _all_ordered(visit: Visit, wanted: Mapping[Line, int]) -> list[Result]:
    """What came of each purchase order."""
    sold = await visit.here.purchasing.terms(skus=[line.sku for line in wanted]) if wanted else ()
    terms = {(item.supplier, item.sku): item for item in sold}
    grouped: dict[tuple[str, str, str], dict[Line, int]] = defaultdict(dict)
    for line, n in wanted.items():
        item = terms.get((line.supplier, line.sku))
        currency = "" if item is None else item.currency
        grouped[line.supplier, line.location, currency][line] = n
    return [
        await _ordered(visit, supplier, location, currency, its, terms)
        for (supplier, location, currency), its in grouped.items()
    ]


async def _ordered(
    visit: Visit,
    supplier: str,
    location: str,
    currency: str,
    lines: Mapping[Line, int],
    terms: Mapping[tuple[str, str], SupplierItem],
) -> Result:
    """One purchase order: the same form makes it once."""
    buying, label = visit.here.purchasing, f"{supplier}, {location}"
    if not visit.person.works_at(location):
        return Result(label, "", is_done=False, told=visit.words("no_such_location"))
    for line in lines:
        item = terms.get((supplier, line.sku))
        if item is not None and _price(item) != visit.field(f"{_PRICE}{line.name}"):
            now = visit.words("price_is_now", price=_price(item))
            return Result(label, "", is_done=False, told=f"{line.sku}: {now}")
    key = f"{visit.field('request_id')} {supplier} {location} {currency}"
    try:
        until = asked.day_in_address(visit.field("by"))
        why = visit.field("why").strip() or ("bought" if until is None else f"to buy by {until}")
        po_id = await buying.propose(
            *(supplier, location, {line.sku: n for line, n in lines.items()}),
            po_id=f"PO-{hashlib.sha256(key.encode()).hexdigest()[:12]}",
            who=visit.person.who,
            why=asked.Why.model_validate({"why": why}).why,
        )
        order = await buying.order(po_id)
    except (InvalidInput, Refused) as no:
        told = " ".join(in_words(visit.words, no))
        return Result(label, "", is_done=False, told=told)
    money = visit.words.money(order.worth.minor, order.currency)
    told = f"{order.supplier_name}, {location}, {money}: {visit.words(f'po_{order.state}')}"
    return Result(po_id, po_id, is_done=True, told=told)


async def _all_approved(visit: Visit, ticked: Sequence[str]) -> list[Result]:
    """What came of each. After one that nobody answers, no other is tried."""
    results = []
    is_away = False
    for one in ticked:
        po_id, _, version = one.partition("~")
        if is_away:
            results.append(Result(po_id, po_id, is_done=False, told=visit.words("not_tried")))
            continue
        try:
            results.append(await _approved(visit, po_id, version))
        except Unreachable:
            is_away = True
            results.append(Result(po_id, po_id, is_done=False, told=visit.words("not_known")))
    return results


async def _approved(visit: Visit, po_id: str, version: str) -> Result:
    """Whether a purchase order is approved now, and what to say of it. Raises Unreachable."""

    def result(told: str, *, is_done: bool = False) -> Result:
        return Result(po_id, po_id, is_done=is_done, told=told)

    try:
        shown = await look(visit, po_id)
        if shown.order.state != "proposed":
            return result(visit.words(f"po_{shown.order.state}"))
        if shown.version != version:
            return result(visit.words("po_changed_look"))
        await visit.here.purchasing.approve(
            po_id,
            by=visit.person.who,
            as_buyer=is_buyer(visit),
            seen_minor=shown.order.worth.minor,
        )
    except Refused as no:
        return result(" ".join(in_words(visit.words, no)))
    return result(visit.words("done_po_approved"), is_done=True)
