"""What must be bought: purchase orders that wait for a person, and stock that nobody ordered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from urllib.parse import quote, unquote

from domain.money import Money, Price, price_text, worth_of_units
from domain.purchasing.purchase_orders import SupplierItem, version_of
from starter.web.buying.limits import may_approve, places
from starter.web.screens.visits import Visit
from store.purchasing.outlook import Outlook
from store.purchasing.purchase_reads import LineState, PurchaseEvent, PurchaseOrder

PROPOSED_MAX: Final = 50
NEEDED_MAX: Final = 100


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
    def name(self) -> str:
        """As an address has it."""
        return named(self.row.location, self.row.sku)

    @property
    def cost(self) -> Money | None:
        """What these units cost; None: nobody sells it."""
        if self.terms is None:
            return None
        minor = worth_of_units(self.terms.unit_price, self.units, self.terms.currency)
        return Money(minor=minor, currency=self.terms.currency)


def named(*parts: str) -> str:
    """Several ids as one name, for an address or a field."""
    return "/".join(quote(part, safe="") for part in parts)


def named_parts(name: str) -> list[str]:
    """The ids of such a name; none, where it cannot be one."""
    parts = [unquote(part) for part in name.split("/")]
    return [] if any("\0" in part for part in parts) else parts


def total(amounts: Iterable[Money]) -> dict[str, int]:
    """Currency → what these come to, in minor units."""
    found = Counter[str]()
    for one in amounts:
        found[one.currency] += one.minor
    return dict(found)


async def waiting(visit: Visit) -> list[Proposal]:
    """Purchase orders that nobody has approved yet, the most urgent first."""
    buying = visit.here.purchasing
    found = await buying.orders(
        states=["proposed"], locations=places(visit), at_most=PROPOSED_MAX + 1
    )
    skus = sorted({line.sku for order in found for line in order.lines})
    rows = await buying.outlook(skus=skus, locations=places(visit)) if skus else ()
    sold = await buying.terms(skus=skus) if skus else ()
    by_place = {(row.sku, row.location): row for row in rows}
    proposals = []
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
        proposals.append(Proposal(order, story, lines, min(last, default=None), mine, its))
    return sorted(proposals, key=lambda one: (one.order_by or date.max, one.order.number))


async def needs(visit: Visit, until: date, skus: Sequence[str] | None = None) -> list[Need]:
    """Stock to be ordered by a day of which nothing is proposed, the most urgent first.

    `skus`: all of these; else there is one more than `NEEDED_MAX` where there are more.
    """
    buying = visit.here.purchasing
    rows = await buying.outlook(
        skus=skus,
        order_by=until,
        locations=places(visit),
        at_most=NEEDED_MAX + 1 if skus is None else None,
    )
    sold = await buying.terms(skus=[row.sku for row in rows]) if rows else ()
    terms = {(item.supplier, item.sku): item for item in sold}
    found = []
    for row in rows:
        best = terms.get((row.supplier or "", row.sku))
        found.append(Need(row, best, 0 if best is None else buying.suggested(row, best)))
    return found
