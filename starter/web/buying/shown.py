"""Pages of this room: shown with the ways between them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from starlette.responses import Response

from domain.access.keys import Scope
from starter.service.purchase_reads import COUNTED_MAX
from starter.web.buying import asked
from starter.web.buying.limits import places
from starter.web.desk.reasons import IN_TEMPLATES
from starter.web.screens.visits import Visit

_STOCK: Final[tuple[tuple[str, str, Scope], ...]] = (
    ("app/stock", "place_stock", "stock:read"),
    ("app/transfers", "transfers", "stock:read"),
    ("app/kits", "kits", "catalogue:read"),
    ("app/baskets", "baskets", "stock:read"),
    ("app/codes", "codes", "catalogue:read"),
)
_PURCHASES: Final[tuple[tuple[str, str, Scope], ...]] = (
    ("app/purchases/proposals", "to_buy", "purchasing:read"),
    ("app/purchases", "purchase_orders", "purchasing:read"),
    ("app/purchases/new", "buy_by_hand", "purchasing:write"),
    ("app/suppliers", "suppliers", "purchasing:read"),
)


async def show(visit: Visit, name: str, **values: Any) -> Response:
    """A page of purchases, such as buying/purchase: with how much each part of this place has."""
    week = asked.friday(datetime.now(UTC).date())
    counts = await visit.here.purchasing.counts(locations=places(visit), due_by=week)
    notes = {
        "app/purchases/proposals": _note(visit, "n_to_approve", counts.proposed),
        "app/purchases": _note(visit, "n_open", counts.open),
        "app/suppliers": _note(visit, "n_known", counts.suppliers),
    }
    by_week = {"day": week, "due": counts.due if counts.open <= COUNTED_MAX else None}
    told = {**IN_TEMPLATES, **values}
    return visit.show(name, tabs=_PURCHASES, notes=notes, by_week=by_week, **told)


def show_stock(visit: Visit, name: str, **values: Any) -> Response:
    """A page of stock, such as buying/stock."""
    return visit.show(name, tabs=_STOCK, notes={}, by_week=None, **{**IN_TEMPLATES, **values})


def _note(visit: Visit, key: str, n: int) -> str:
    """How many there are; more than are counted are told as that."""
    if n > COUNTED_MAX:
        return visit.words("more_than_n", n=visit.words.number(COUNTED_MAX))
    return visit.words.many(key, n)
