"""All of one purchase order: its lines, what came and was billed, its documents, its story."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from domain.money import price_text, shown, to_decimal, worth_of_units
from domain.purchasing.answers import not_agreed
from domain.purchasing.purchase_orders import ENDED, version_of
from domain.purchasing.x12 import purchase_order_850
from runtime.papers.purchase import purchase_pdf
from starter.web.buying.asked import new_request
from starter.web.buying.limits import may_approve, purchase_order
from starter.web.buying.purchase_list import WITH_THE_SUPPLIER, days_late
from starter.web.buying.shown import show
from starter.web.guards import HEADERS
from starter.web.screens.forms import Said, told_by
from starter.web.screens.visits import ScreenRoute, Visit, may
from store.edi.bills import Bill
from store.edi.documents import Document
from store.purchasing.purchase_reads import LineState, PurchaseEvent, PurchaseOrder

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

_STORY_MAX: Final = 200


@dataclass(frozen=True)
class Shown:
    """A purchase order as a buyer sees it. `late`: working days; 0: it is not."""

    order: PurchaseOrder
    story: Sequence[PurchaseEvent]
    documents: Sequence[Document]
    bills: Sequence[Bill]
    late: int

    @property
    def version(self) -> str:
        """Another one with each change."""
        return version_of(len(self.story), self.order.state)

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens to it."""
        return self.order.state in ENDED

    @property
    def is_with_supplier(self) -> bool:
        """Whether the supplier has it, and may send something."""
        return self.order.state in WITH_THE_SUPPLIER and self.order.outstanding > 0

    @property
    def otherwise(self) -> str:
        """How the supplier's answers are not what was ordered, where nobody agreed to them."""
        said = not_agreed((one.what, one.why) for one in self.story)
        return "" if self.is_over else "; ".join(said)

    @property
    def one_day(self) -> date | None:
        """The day on which all that is outstanding is due; None: there are several."""
        days = {line.due_on for line in self.order.lines if line.outstanding}
        return days.pop() if len(days) == 1 else None

    @property
    def billed(self) -> Counter[str]:
        """SKU → units of all bills."""
        return sum((Counter(bill.units) for bill in self.bills), Counter[str]())

    def worth(self, line: LineState) -> int:
        """What the units of a line cost together, in minor units."""
        return worth_of_units(line.unit_price, line.quantity, self.order.currency)

    def owed(self, bill: Bill) -> Decimal:
        """What the units of a bill cost at the prices that were agreed."""
        prices = {line.sku: line.unit_price for line in self.order.lines}
        minor = sum(
            worth_of_units(prices[sku], units, self.order.currency)
            for sku, units in bill.units.items()
            if sku in prices
        )
        return to_decimal(minor, self.order.currency)


async def look(visit: Visit, po_id: str) -> Shown:
    """A purchase order as it is now. Raises NotFound, also for another location's."""
    order = await purchase_order(visit, po_id)
    # The story comes last: a form is rather refused than met on what its page did not show.
    (place,) = await visit.here.locations.list(order.location)
    documents = await visit.here.edi.of_order(po_id=po_id)
    bills = await visit.here.edi.bills(po_id)
    story = await visit.here.purchasing.story(po_id)
    return Shown(order, story, documents, bills, days_late(order, place.calendar))


@router.get("/app/purchases/{po_id}")
async def purchase(
    visit: Annotated[Visit, may("purchasing:read")], po_id: str, done: str = ""
) -> Response:
    """All of it."""
    return await page(visit, await look(visit, po_id), told=told_by(visit, done))


@router.get("/app/purchases/{po_id}/850")
async def document(visit: Annotated[Visit, may("purchasing:read")], po_id: str) -> Response:
    """The order as ANSI X12 850, as the supplier gets it."""
    order = await purchase_order(visit, po_id)
    text = purchase_order_850(await visit.here.purchasing.document(po_id), at=order.created_at)
    return Response(text, media_type="text/plain; charset=utf-8", headers=HEADERS)


@router.get("/app/purchases/{po_id}/pdf")
async def printed(visit: Annotated[Visit, may("purchasing:read")], po_id: str) -> Response:
    """The order on paper."""
    await purchase_order(visit, po_id)
    paper = await visit.here.purchasing.paper(po_id)
    content = await asyncio.to_thread(
        purchase_pdf, paper.order, paper.buyer, paper.names, to_customer=paper.to_customer
    )
    named = f"inline; filename*=UTF-8''{quote(f'{po_id}.pdf', safe='')}"
    headers = {**HEADERS, "Content-Disposition": named}
    return Response(content, media_type="application/pdf", headers=headers)


async def page(
    visit: Visit,
    one: Shown,
    *,
    status: int = 200,
    told: str = "",
    trouble: Sequence[str] = (),
    news: Sequence[PurchaseEvent] = (),
    sent: dict[str, list[str]] | None = None,
    act: str = "",
    request_id: str = "",
) -> Response:
    """Its page. `sent`: what was typed into the form `act`, which was not met."""
    values: dict[str, Any] = {
        "status": status,
        "told": told,
        "trouble": trouble,
        "news": news,
        "one": one,
        "order": one.order,
        "story": list(reversed(one.story))[:_STORY_MAX],
        "said": Said.of(sent),
        "act": act,
        "request_id": request_id or new_request(),
        "may_write": visit.person.allows("purchasing:write"),
        "may_receive": visit.person.allows("stock:write"),
        "may_approve": may_approve(visit, one.order),
        "sees_stock": visit.person.allows("stock:read", "catalogue:read"),
        "sees_orders": visit.person.allows("orders:read"),
        "price": lambda each: f"{price_text(each, one.order.currency)} {one.order.currency}",
        "amount": shown,
    }
    return await show(visit, "buying/purchase", **values)
