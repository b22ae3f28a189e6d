"""What must be bought, and by when: proposals that wait for a person, and what nobody ordered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, NamedTuple
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from domain.money import price_text
from starter.web.buying import asked
from starter.web.buying.limits import purchase_order
from starter.web.buying.needs import (
    NEEDED_MAX,
    PROPOSED_MAX,
    Need,
    Proposal,
    named,
    needs,
    total,
    waiting,
)
from starter.web.buying.shown import show
from starter.web.screens.forms import NotAsked, Said, met, told_by
from starter.web.screens.visits import ScreenRoute, Visit, may

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

Reads = Annotated[Visit, may("purchasing:read", "stock:read")]
Writes = Annotated[Visit, may("purchasing:read", "purchasing:write", "stock:read")]
_SUPPLIERS_MAX: Final = 30
LISTED: Final = 25
"""So many needs are on the page at first."""


class Result(NamedTuple):
    """What came of one of several. `po_id`: its purchase order; "": none was made."""

    name: str
    po_id: str
    is_done: bool
    told: str


class BySupplier(NamedTuple):
    """What is to be approved and to be ordered of one supplier for one location."""

    supplier: str
    name: str
    location: str
    proposals: Sequence[Proposal]
    needs: Sequence[Need]

    @property
    def name_of(self) -> str:
        """As an address has it."""
        return named(self.location, self.supplier)

    @property
    def total(self) -> dict[str, int]:
        """What all of it costs, by currency, in minor units."""
        costs = [one.cost for one in self.needs if one.cost is not None]
        return total([*(one.order.worth for one in self.proposals), *costs])


@router.get("/app/purchases/proposals")
async def proposals(visit: Reads, by: str = "", all: str = "", done: str = "") -> Response:
    """All that must be bought by a day; the next Friday, where none is said.

    `all`: not the most urgent ones alone.
    """
    return await proposals_page(visit, by, told=told_by(visit, done), whole=bool(all))


@router.post("/app/purchases/{po_id}/change")
async def change(visit: Writes, po_id: str) -> Response:
    """Buy other numbers of units than were proposed."""
    order = await purchase_order(visit, po_id)
    key, who = visit.field("request_id"), visit.person.who

    async def act() -> str:
        told = asked.units(visit, [line.sku for line in order.lines])
        if not told:
            raise NotAsked("no_units")
        async with visit.here.in_one_transaction() as doors:
            held = await doors.purchasing.hold(po_id)
            if not await doors.purchasing.was_told(po_id, f"change:{key}"):
                if held != visit.field("version"):
                    raise NotAsked("po_changed_look")
                await doors.purchasing.change(po_id, key, told, who=who, why=asked.why(visit))
        return "po_changed"

    async def again(status: int, trouble: Sequence[str]) -> Response:
        return await proposals_page(visit, status=status, trouble=trouble, said=Said.of(visit.sent))

    return await met(visit, act, f"app/purchases/{quote(po_id)}", again)


async def proposals_page(
    visit: Visit,
    by: str = "",
    *,
    status: int = 200,
    told: str = "",
    trouble: Sequence[str] = (),
    results: Sequence[Result] = (),
    whole: bool = False,
    said: Said | None = None,
) -> Response:
    """What must be bought by a day; the next Friday, where `by` is none."""
    until = asked.day_in_address(by) or asked.friday(datetime.now(UTC).date())
    proposed = await waiting(visit)
    needed = await needs(visit, until)
    shown = needed[:NEEDED_MAX]
    listed = NEEDED_MAX if whole else LISTED
    waits = proposed[:PROPOSED_MAX]
    urgent = [one for one in waits if one.order_by is not None and one.order_by <= until]
    values: dict[str, Any] = {
        "status": status,
        "told": told,
        "trouble": trouble,
        "results": results,
        "until": until,
        "today": datetime.now(UTC).date(),
        "proposed": proposed[:PROPOSED_MAX],
        "more_proposed": len(proposed) > PROPOSED_MAX,
        "to_approve": total(one.order.worth for one in proposed[:PROPOSED_MAX]),
        "urgent": urgent,
        "later": [one for one in waits if one not in urgent],
        "needs": shown,
        "listed": listed,
        "hidden_needs": max(0, len(shown) - listed),
        "more_needs": len(needed) > NEEDED_MAX,
        "to_order": total(one.cost for one in shown if one.cost is not None),
        "suppliers": _by_supplier(proposed[:PROPOSED_MAX], shown)[:_SUPPLIERS_MAX],
        "said": said or Said(),
        "request_id": asked.new_request(),
        "may_write": visit.person.allows("purchasing:write"),
        "price": lambda each, currency: f"{price_text(each, currency)} {currency}",
    }
    return await show(visit, "buying/proposals", **values)


def _by_supplier(proposed: Sequence[Proposal], needed: Sequence[Need]) -> list[BySupplier]:
    """The same by supplier and location, the most urgent first."""
    found: dict[tuple[str, str], BySupplier] = {}
    for one in proposed:
        order = one.order
        its = found.setdefault(
            (order.supplier, order.location),
            BySupplier(order.supplier, order.supplier_name, order.location, [], []),
        )
        found[order.supplier, order.location] = its._replace(proposals=[*its.proposals, one])
    for need in needed:
        terms, place = need.terms, need.row.location
        if terms is None or not need.units:
            continue
        its = found.setdefault(
            (terms.supplier, place), BySupplier(terms.supplier, terms.name or "", place, [], [])
        )
        found[terms.supplier, place] = its._replace(needs=[*its.needs, need])
    return list(found.values())
