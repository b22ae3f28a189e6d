"""Which stock and purchases somebody sees: those of their locations."""

from __future__ import annotations

from typing import Final

from domain.access.keys import LEADS
from domain.errors import NotFound
from domain.stock.locations import Location
from starter.web.screens.visits import Visit
from store.purchasing.purchase_reads import PurchaseOrder

_SUPPLIERS_MAX: Final = 500


def places(visit: Visit) -> list[str] | None:
    """The locations that are their business; None: all."""
    mine = visit.person.locations
    return None if mine is None else sorted(mine)


async def locations(visit: Visit) -> list[Location]:
    """The locations that are their business, by name."""
    return [one for one in await visit.here.locations.list() if visit.person.works_at(one.location)]


def is_buyer(visit: Visit) -> bool:
    """Whether they approve as a buyer does: up to a limit."""
    return visit.person.grant.role not in LEADS


def may_approve(visit: Visit, order: PurchaseOrder) -> bool:
    """Whether they may have it sent."""
    within = not is_buyer(visit) or order.policy.buyer_may_approve(order.worth)
    return within and visit.person.allows("purchasing:write")


async def supplier_choice(visit: Visit, chosen: str) -> list[tuple[str, str]]:
    """Suppliers to choose from, by name: the first ones, and the one that is chosen."""
    found = await visit.here.purchasing.supplier_names(at_most=_SUPPLIERS_MAX)
    if chosen and chosen not in found:
        found[chosen] = chosen
    return list(found.items())


async def purchase_order(visit: Visit, po_id: str) -> PurchaseOrder:
    """A purchase order. Raises NotFound, also for another location's: nobody can tell."""
    found = await visit.here.purchasing.order(po_id)
    if not visit.person.works_at(found.location):
        raise NotFound(f"there is no purchase order {po_id}", reason="no_purchase_order")
    return found
