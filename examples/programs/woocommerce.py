"""An order as WooCommerce sends it: its REST API, version 3, Orders."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

_RATE_ID: Final = 75
_PERCENT: Final = Decimal(19)
_CENT: Final = Decimal("0.01")


class WooOrder:
    """One order, made of what a customer wants. Prices are entered with tax, and sent without."""

    def __init__(self, wanted: Mapping[str, Any], at: datetime) -> None:
        self._at = at
        self._changes = 0
        digest = hashlib.sha256(wanted["channel_order_id"].encode()).digest()
        self._id = int.from_bytes(digest[:6], "big")
        self._content = self._made(wanted)

    def unpaid(self) -> dict[str, Any]:
        """As it was when it was new."""
        return {
            **self._content,
            "status": "pending",
            "date_paid_gmt": None,
            "refunds": [],
            "date_modified_gmt": _gmt(self._at),
        }

    def now(self) -> dict[str, Any]:
        """As it is. WooCommerce tells whole seconds."""
        at = self._at + timedelta(seconds=1 + self._changes)
        return {**self._content, "date_modified_gmt": _gmt(at)}

    def cancel(self) -> None:
        """The customer does not want it any more."""
        self._changes += 1
        self._content["status"] = "cancelled"

    def pay_back(self, amount: str) -> None:
        """An amount was paid back by the shop."""
        self._changes += 1
        refunds = self._content["refunds"]
        refund = {"id": self._id + len(refunds) + 1, "reason": "", "total": f"-{amount}"}
        self._content["refunds"] = [*refunds, refund]

    def _made(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        shipping = _taxed(Decimal(wanted["shipping"]["price"]))
        lines = [_line(number, line) for number, line in enumerate(wanted["lines"])]
        fees = [
            {"id": 500 + number, "name": fee["name"], **_taxed(Decimal(fee["amount"]))}
            for number, fee in enumerate(wanted.get("fees", ()))
        ]
        parts = [*lines, *fees, shipping]
        address = _address(wanted)
        return {
            "id": self._id,
            "number": wanted["channel_order_id"],
            "status": "processing",
            "currency": wanted["currency"],
            "prices_include_tax": True,
            "date_created_gmt": _gmt(self._at),
            "date_paid_gmt": _gmt(self._at + timedelta(seconds=1)),
            "total": str(_sum(parts, "total") + _sum(parts, "total_tax")),
            "total_tax": str(_sum(parts, "total_tax")),
            "customer_id": self._id % 1000 + 1,
            "customer_note": "",
            "payment_method": "stripe",
            "billing": {**address, "email": "", "phone": ""},
            "shipping": {**address, "phone": ""},
            "line_items": lines,
            "tax_lines": [
                {"id": 318, "rate_code": "DE-MWST", "rate_id": _RATE_ID, "rate_percent": 19}
            ],
            "shipping_lines": [
                {
                    "id": 317,
                    "method_id": wanted["shipping"]["service"],
                    "method_title": wanted["shipping"]["service"],
                    **shipping,
                }
            ],
            "fee_lines": fees,
            "coupon_lines": [],
            "refunds": [],
        }


def _line(number: int, line: Mapping[str, Any]) -> dict[str, Any]:
    listed = Decimal(line["unit_price"]) * line["quantity"]
    paid = _taxed(listed - Decimal(line.get("discount", "0")))
    before = _taxed(listed)
    return {
        "id": int(line["line_id"]),
        "name": line["sku"],
        "product_id": 90 + number,
        "variation_id": 0,
        "sku": line["sku"],
        "quantity": line["quantity"],
        "subtotal": before["total"],
        "subtotal_tax": before["total_tax"],
        **paid,
    }


def _taxed(gross: Decimal) -> dict[str, Any]:
    """An amount with tax in it, as its two parts."""
    net = (gross / (1 + _PERCENT / 100)).quantize(_CENT, ROUND_HALF_UP)
    tax = (net * _PERCENT / 100).quantize(_CENT, ROUND_HALF_UP)
    return {
        "total": str(net),
        "total_tax": str(tax),
        "taxes": [{"id": _RATE_ID, "total": str(tax), "subtotal": str(tax)}],
    }


def _sum(parts: list[dict[str, Any]], name: str) -> Decimal:
    return sum((Decimal(part[name]) for part in parts), Decimal(0))


def _address(wanted: Mapping[str, Any]) -> dict[str, Any]:
    address = wanted["shipping"]["address"]
    first, _, last = wanted["customer"]["name"].partition(" ")
    return {
        "first_name": first,
        "last_name": last,
        "company": "",
        "address_1": address["line1"],
        "address_2": "",
        "city": address["city"],
        "state": address.get("region", ""),
        "postcode": address.get("postal_code", ""),
        "country": address["country"],
    }


def _gmt(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S")
