"""What must be true of purchase orders."""

from __future__ import annotations

from typing import Final

from store.database import load_queries
from store.views.audited.check import Check, Checks

_sql = load_queries(__file__)

_AT: Final = "{sku} at {location}"
_PURCHASE: Final = "{po_id}, {sku}"

_OF: Final = (
    Check(
        "purchase_line_adds_up",
        "purchases",
        _PURCHASE,
        "{received} received (of {receivable} that may be) and {cancelled} cancelled of {quantity}",
    ),
    Check(
        "purchase_is_its_movements",
        "purchases",
        _PURCHASE,
        "{received} received, but its movements say {moved}",
    ),
    Check("need_is_ordered_once", "purchases", _AT, "{orders} orders for one need"),
    Check(
        "settled_purchase_is_done",
        "purchases",
        "{po_id}",
        "the purchase order is {state}, but {units} units are outstanding",
    ),
)

CHECKS: Final = Checks(_sql, _OF)
