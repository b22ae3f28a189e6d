"""Pages of this room: shown with the ways between them."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from domain.access.keys import Scope
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


def show(visit: Visit, name: str, **values: Any) -> Response:
    """A page of purchases, such as buying/purchase."""
    return visit.show(name, tabs=_PURCHASES, **values)


def show_stock(visit: Visit, name: str, **values: Any) -> Response:
    """A page of stock, such as buying/stock."""
    return visit.show(name, tabs=_STOCK, **values)
