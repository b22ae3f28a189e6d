"""Buying by hand: a supplier, a location, and units of what the supplier sells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from domain.errors import NotFound
from domain.money import price_text
from domain.purchasing.purchase_orders import SupplierItem
from domain.purchasing.supplier_places import is_place_at
from starter.web.buying import asked
from starter.web.buying.limits import locations, supplier_choice
from starter.web.buying.shown import show
from starter.web.screens.forms import NotAsked, Said, met
from starter.web.screens.visits import ScreenRoute, Visit, may
from store.purchasing.suppliers import Supplier

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

Writes = Annotated[Visit, may("purchasing:read", "purchasing:write")]
_PAGE: Final = 200


@router.get("/app/purchases/new")
async def new(
    visit: Writes, supplier: str = "", sku: str = "", units: str = "", location: str = ""
) -> Response:
    """The form, once it is known of whom. `sku`, `units`, `location`: filled in already."""
    sent = {f"{asked.UNITS}{sku}": [units]} if sku else {}
    return await _form(visit, supplier, {"location": [location], **sent}, only=sku)


@router.post("/app/purchases/new")
async def buy(visit: Writes) -> Response:
    """Order it; above the policy's limit it waits for somebody's approval."""
    supplier = visit.field("supplier")
    po_id = f"PO-{visit.field('request_id').removeprefix('desk-')[:12]}"

    async def act() -> str:
        told = {
            name.removeprefix(asked.UNITS): asked.number(values[0])
            for name, values in visit.sent.items()
            if name.startswith(asked.UNITS)
        }
        wanted = {sku: n for sku, n in told.items() if n}
        if not wanted:
            raise NotAsked("no_units")
        place = visit.field("location")
        if not visit.person.works_at(place):
            raise NotAsked("no_such_location")
        await visit.here.purchasing.propose(
            *(supplier, place, wanted),
            po_id=po_id,
            who=visit.person.who,
            why=asked.why(visit),
        )
        return "po_made"

    async def again(status: int, trouble: Sequence[str]) -> Response:
        return await _form(visit, supplier, visit.sent, status=status, trouble=trouble)

    return await met(visit, act, f"app/purchases/{quote(po_id)}", again)


async def _found(visit: Visit, supplier: str) -> Supplier | None:
    """The supplier with this code, if it is there."""
    try:
        (found,) = await visit.here.purchasing.suppliers(supplier)
    except NotFound:
        return None
    return found


async def _form(
    visit: Visit,
    supplier: str,
    sent: dict[str, list[str]],
    *,
    only: str = "",
    status: int = 200,
    trouble: Sequence[str] = (),
) -> Response:
    """`only`: show this SKU alone, of the many that a supplier may sell."""
    chosen = await _found(visit, supplier)
    terms: Sequence[SupplierItem] = ()
    if chosen is not None:
        terms = await visit.here.purchasing.terms(
            supplier=supplier, skus=[only] if only else None, at_most=_PAGE + 1
        )
    suppliers = await supplier_choice(visit, "" if chosen is None else chosen.supplier)
    codes = [code for code, _ in suppliers]
    # The preferred one comes first, so it is chosen before anybody chooses.
    sites = sorted(
        (one for one in await locations(visit) if not is_place_at(one.location, codes)),
        key=lambda one: (one.priority, one.location),
    )
    values: dict[str, Any] = {
        "status": status,
        "trouble": trouble,
        "chosen": chosen,
        "suppliers": suppliers,
        "terms": terms[:_PAGE],
        "names": await visit.here.catalogue.names([one.sku for one in terms[:_PAGE]]),
        "more": len(terms) > _PAGE,
        "only": only,
        "sites": [(one.location, one.location) for one in sites],
        "said": Said.of(sent),
        "request_id": visit.field("request_id") or asked.new_request(),
        "price": lambda one: f"{price_text(one.unit_price, one.currency)} {one.currency}",
    }
    return await show(visit, "buying/new_purchase", **values)
