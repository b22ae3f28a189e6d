"""What doors say, in HTTP's words: they name commands and settings, which a caller may not have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

OPERATIONS: Final[Mapping[str, str]] = {
    "api-keys list": "GET /v1/api-keys",
    "api-keys make": "POST /v1/api-keys",
    "attention": "GET /v1/attention",
    "carrier-claims list": "GET /v1/carrier-claims",
    "channels import": "PUT /v1/channels/{channel}",
    "channels list": "GET /v1/channels",
    "channels reopen": "POST /v1/channels/{channel}/reopen",
    "channels retire": "POST /v1/channels/{channel}/retire",
    "claims list": "GET /v1/claims",
    "codes import": "POST /v1/codes",
    "customers erase": "POST /v1/customers/erase",
    "customers export": "GET /v1/customers/export",
    "customers find": "GET /v1/customers",
    "customers segments": "GET /v1/customer-segments",
    "disputes": "GET /v1/disputes",
    "holds put-on": "PUT /v1/hold-lists/{name}",
    "edit": "POST /v1/orders/{order_id}/edit",
    "holds rules": "GET /v1/hold-rules",
    "invoices": "GET /v1/documents",
    "items import": "PUT /v1/items",
    "kits list": "GET /v1/kits",
    "locations add": "PUT /v1/locations",
    "locations list": "GET /v1/locations",
    "locations reopen": "POST /v1/locations/{location}/reopen",
    "locations retire": "POST /v1/locations/{location}/retire",
    "orders": "GET /v1/orders",
    "purchase-orders list": "GET /v1/purchase-orders",
    "reconcile": "POST /v1/reconciliation/comparisons",
    "reconcile list": "GET /v1/reconciliation/differences",
    "refund": "POST /v1/orders/{order_id}/refund",
    "release": "POST /v1/orders/{order_id}/release",
    "resume": "POST /v1/orders/{order_id}/resume",
    "returns approve": "POST /v1/orders/{order_id}/decide-return",
    "returns list": "GET /v1/returns",
    "returns parcels": "GET /v1/unannounced-parcels",
    "returns take-parcel": "POST /v1/unannounced-parcels/{parcel_no}/take",
    "returns settle-parcel": "POST /v1/unannounced-parcels/{parcel_no}/settle",
    "returns refuse": "POST /v1/orders/{order_id}/decide-return",
    "returns set-rules": "PUT /v1/return-rules",
    "sellers import": "PUT /v1/sellers/{seller}",
    "sellers list": "GET /v1/sellers",
    "sellers reopen": "POST /v1/sellers/{seller}/reopen",
    "edi import-partners": "PUT /v1/edi/partners",
    "edi list": "GET /v1/edi/interchanges",
    "edi partners": "GET /v1/edi/partners",
    "edi read-again": "POST /v1/edi/interchanges",
    "shops check": "POST /v1/shops/{channel}/check",
    "shops connect": "PUT /v1/shops/{channel}",
    "shops messages": "GET /v1/shop-messages",
    "show": "GET /v1/orders/{order_id}",
    "stock list": "GET /v1/stock",
    "stock receive": "POST /v1/stock/receipts",
    "stock transfer": "POST /v1/transfers",
    "stock transfers": "GET /v1/transfers",
    "suppliers import": "PUT /v1/supplier-terms",
    "suppliers list": "GET /v1/suppliers",
    "suppliers show": "GET /v1/suppliers/{supplier}",
    "warehouse put-back": "POST /v1/put-backs/{put_back_id}/done",
    "warehouse refuse": "POST /v1/fulfilments/{fulfilment_id}/refuse",
    "warehouse tasks": "GET /v1/warehouse-tasks",
    "webhooks list": "GET /v1/subscriptions",
}
"""The first words of a command → the operation that does the same, or tells it."""

OPERATOR_S: Final = frozenset(
    ("codec-keys", "codec-server", "extensions", "report", "schema", "serve", "setup", "up")
)
"""Commands of whoever runs this installation: no operation does the same."""

_PROGRAM: Final = "orderloom"
_COMMAND: Final = re.compile(rf"`{_PROGRAM} ([^`]+)`")
_SETTING: Final = re.compile(r"\bORDERLOOM_[A-Z0-9_]+(?:=[^\s,;)]+)?")
_OPTION: Final = re.compile(r" \(--[a-z-]+\)")


def in_http(text: str) -> str:
    """The text with operations in the place of commands, and nobody's settings by their names."""
    text = _COMMAND.sub(lambda found: _operation(found[1]), text)
    text = _SETTING.sub("a setting of the operator's", text)
    return _OPTION.sub("", text)


def operation_of(command: str) -> str | None:
    """The operation that does what a command does; None: there is none."""
    words = command.split()
    return OPERATIONS.get(" ".join(words[:2])) or OPERATIONS.get(words[0])


def _operation(command: str) -> str:
    found = operation_of(command)
    return "the operator's command line" if found is None else f"`{found}`"
