"""What must be bought, and by when: proposals that wait for a person, and what nobody ordered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from domain.errors import Refused, Unreachable
from domain.money import Money, Price, price_text, worth_of_units
from domain.purchasing.purchase_orders import SupplierItem, version_of
from starter.web.buying import asked
from starter.web.buying.limits import is_buyer, may_approve, places, purchase_order
from starter.web.buying.purchase_list import friday
from starter.web.buying.purchase_page import look
from starter.web.buying.shown import show
from starter.web.screens.forms import NotAsked, Said, met, told_by
from starter.web.screens.visits import ScreenRoute, Visit, in_words, may
from store.purchasing.outlook import Outlook
from store.purchasing.purchase_reads import LineState, PurchaseEvent, PurchaseOrder

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

Reads = Annotated[Visit, may("purchasing:read", "stock:read")]
Writes = Annotated[Visit, may("purchasing:read", "purchasing:write", "stock:read")]
_PROPOSED_MAX: Final = 50
_NEEDED_MAX: Final = 100


@dataclass(frozen=True)
class Proposal:
    """A purchase order that waits, and why: its lines with their stock.

    `order_by`: the last day on which it can be sent and still come in time. `may_approve`: whether
    who looks at it may have it sent. `terms`: SKU → on which terms its supplier sells it now.
    """

    order: PurchaseOrder
    story: Sequence[PurchaseEvent]
    lines: Sequence[tuple[LineState, Outlook | None]]
    order_by: date | None

    may_approve: bool
    terms: Mapping[str, SupplierItem]

    def price_now(self, line: LineState) -> str:
        """What its supplier asks for a unit by now, where that is not what is proposed; or ""."""
        now = self.terms.get(line.sku)
        if now is None or now.price == Price(each=line.unit_price, currency=self.order.currency):
            return ""
        return f"{price_text(now.unit_price, now.currency)} {now.currency}"

    @property
    def version(self) -> str:
        """As of its own page."""
        return version_of(len(self.story), self.order.state)


@dataclass(frozen=True)
class Need:
    """Stock that must be ordered, and has no purchase order: the units that would be bought.

    `terms`: None where no supplier sells it.
    """

    row: Outlook
    terms: SupplierItem | None
    units: int

    @property
    def cost(self) -> Money | None:
        """What these units cost; None: nobody sells it."""
        if self.terms is None:
            return None
        minor = worth_of_units(self.terms.unit_price, self.units, self.terms.currency)
        return Money(minor=minor, currency=self.terms.currency)


@router.get("/app/purchases/proposals")
async def proposals(visit: Reads, by: str = "", done: str = "") -> Response:
    """All that must be bought by a day; the next Friday, where none is said."""
    return await _page(visit, by, told=told_by(visit, done))


@router.post("/app/purchases/proposals")
async def approve(visit: Writes) -> Response:
    """Approve all that are ticked, and tell what came of each."""
    ticked = visit.sent.get("po", [])
    if not ticked:
        return await _page(visit, status=422, trouble=[visit.words("nothing_ticked")])
    return await _page(visit, results=await _all_approved(visit, ticked[:_PROPOSED_MAX]))


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
        return await _page(visit, status=status, trouble=trouble, said=Said.of(visit.sent))

    return await met(visit, act, f"app/purchases/{quote(po_id)}", again)


async def _all_approved(visit: Visit, ticked: Sequence[str]) -> list[tuple[str, bool, str]]:
    """What came of each. After one that nobody answers, no other is tried."""
    results = []
    is_away = False
    for named in ticked:
        po_id, _, version = named.partition("~")
        if is_away:
            results.append((po_id, False, visit.words("not_tried")))
            continue
        try:
            results.append(await _approved(visit, po_id, version))
        except Unreachable:
            is_away = True
            results.append((po_id, False, visit.words("not_known")))
    return results


async def _approved(visit: Visit, po_id: str, version: str) -> tuple[str, bool, str]:
    """A purchase order, whether it is approved now, and what to say of it.

    Raises Unreachable.
    """
    try:
        shown = await look(visit, po_id)
        if shown.order.state != "proposed":
            return po_id, False, visit.words(f"po_{shown.order.state}")
        if shown.version != version:
            return po_id, False, visit.words("po_changed_look")
        await visit.here.purchasing.approve(
            po_id,
            by=visit.person.who,
            as_buyer=is_buyer(visit),
            seen_minor=shown.order.worth.minor,
        )
    except Refused as no:
        return po_id, False, " ".join(in_words(visit.words, no))
    return po_id, True, visit.words("done_po_approved")


async def _page(
    visit: Visit,
    by: str = "",
    *,
    status: int = 200,
    told: str = "",
    trouble: Sequence[str] = (),
    results: Sequence[tuple[str, bool, str]] = (),
    said: Said | None = None,
) -> Response:
    until = asked.day_in_address(by) or friday(datetime.now(UTC).date())
    waiting = await _waiting(visit)
    needs = await _needs(visit, until)
    total: dict[str, int] = {}
    for one in waiting[:_PROPOSED_MAX]:
        total[one.order.currency] = total.get(one.order.currency, 0) + one.order.worth.minor
    values: dict[str, Any] = {
        "status": status,
        "told": told,
        "trouble": trouble,
        "results": results,
        "until": until,
        "today": datetime.now(UTC).date(),
        "proposed": waiting[:_PROPOSED_MAX],
        "more_proposed": len(waiting) > _PROPOSED_MAX,
        "total": total,
        "needs": needs[:_NEEDED_MAX],
        "more_needs": len(needs) > _NEEDED_MAX,
        "said": said or Said(),
        "request_id": asked.new_request(),
        "may_write": visit.person.allows("purchasing:write"),
        "price": lambda each, currency: f"{price_text(each, currency)} {currency}",
    }
    return show(visit, "buying/proposals", **values)


async def _waiting(visit: Visit) -> list[Proposal]:
    """Purchase orders that nobody has approved yet, the most urgent first."""
    buying = visit.here.purchasing
    found = await buying.orders(
        states=["proposed"], locations=places(visit), at_most=_PROPOSED_MAX + 1
    )
    skus = sorted({line.sku for order in found for line in order.lines})
    rows = await buying.outlook(skus=skus, locations=places(visit)) if skus else ()
    sold = await buying.terms(skus=skus) if skus else ()
    by_place = {(row.sku, row.location): row for row in rows}
    waiting = []
    for order in found:
        lines = [(line, by_place.get((line.sku, order.location))) for line in order.lines]
        last = [
            row.covered_until - timedelta(days=line.lead_time_days)
            for line, row in lines
            if row is not None and row.covered_until is not None
        ]
        story = await buying.story(order.po_id)
        mine = may_approve(visit, order)
        its = {item.sku: item for item in sold if item.supplier == order.supplier}
        waiting.append(Proposal(order, story, lines, min(last, default=None), mine, its))
    return sorted(waiting, key=lambda one: (one.order_by or date.max, one.order.number))


async def _needs(visit: Visit, until: date) -> list[Need]:
    """Stock to be ordered by a day of which nothing is proposed, the most urgent first."""
    buying = visit.here.purchasing
    rows = await buying.outlook(order_by=until, locations=places(visit), at_most=_NEEDED_MAX + 1)
    sold = await buying.terms(skus=[row.sku for row in rows]) if rows else ()
    terms = {(item.supplier, item.sku): item for item in sold}
    needs = []
    for row in rows:
        best = terms.get((row.supplier or "", row.sku))
        needs.append(Need(row, best, 0 if best is None else buying.suggested(row, best)))
    return needs
