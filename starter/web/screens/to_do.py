"""What it takes to deal with what waits for a person, by its kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from domain.access.keys import Scope
from store.views.attention import Kind

TO_DO: Final[Mapping[Kind, tuple[Scope, ...]]] = {
    "order": ("orders:write",),
    "payment": ("payments:read",),
    "refund": ("payments:read",),
    "charge": ("payments:write",),
    "claim": ("aftersales:write",),
    "hold": ("orders:write",),
    "carrier_claim": ("carriers:read", "carriers:write"),
    "dispute": ("payments:read",),
    "difference": ("reconciliation:read", "reconciliation:write"),
    "provider_event": ("payments:read",),
    "approval": ("purchasing:read", "purchasing:write"),
    "purchase_order": ("purchasing:read", "purchasing:write"),
    "purchase_answer": ("purchasing:read", "purchasing:write"),
    "purchase_document": ("purchasing:read", "purchasing:write"),
    "shop_message": ("sellers:read", "operations:write"),
    "carrier_message": ("operations:write",),
    "edi": ("operations:write",),
    "parcel": ("operations:write",),
    "message": ("orders:write", "customers:read"),
    "mail_server": ("operations:write",),
    "subscription": ("events:read", "events:write"),
    "shop": ("sellers:read", "operations:write"),
    "shop_parcel": ("operations:write",),
    "shop_levels": ("sellers:read", "operations:write"),
}
"""Kind → the scopes. The mail server and what customers send by EDI are dealt with by command."""
