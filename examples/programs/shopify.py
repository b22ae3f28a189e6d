"""An order as Shopify sends it: https://shopify.dev, REST Admin API, Order."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any


class ShopifyOrder:
    """One order, made of what a customer wants. Prices are net, and no tax is due."""

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
            "financial_status": "pending",
            "refunds": [],
            "cancelled_at": None,
            "updated_at": self._at.isoformat(),
        }

    def now(self) -> dict[str, Any]:
        """As it is."""
        at = self._at + timedelta(seconds=1, milliseconds=self._changes)
        return {**self._content, "updated_at": at.isoformat()}

    def cancel(self) -> None:
        """The customer does not want it any more."""
        self._changes += 1
        self._content["cancelled_at"] = self._at.isoformat()
        self._content["cancel_reason"] = "customer"

    def pay_back(self, amount: str) -> None:
        """An amount was paid back by the shop."""
        self._changes += 1
        refunds = self._content["refunds"]
        refund = {
            "id": self._id + len(refunds) + 1,
            "kind": "refund",
            "status": "success",
            "amount": amount,
        }
        self._content["refunds"] = [*refunds, {"id": refund["id"], "transactions": [refund]}]
        self._content["financial_status"] = "partially_refunded"

    def _made(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        address, shipping = wanted["shipping"]["address"], wanted["shipping"]
        total = sum(
            Decimal(line["unit_price"]) * line["quantity"] - Decimal(line.get("discount", "0"))
            for line in wanted["lines"]
        )
        first, _, last = wanted["customer"]["name"].partition(" ")
        return {
            "id": self._id,
            "name": wanted["channel_order_id"],
            "test": False,
            "created_at": self._at.isoformat(),
            "financial_status": "paid",
            "cancelled_at": None,
            "cancel_reason": None,
            "currency": wanted["currency"],
            "taxes_included": False,
            "total_price": str(total + Decimal(shipping["price"])),
            "email": None,
            "phone": None,
            "note": None,
            "customer_locale": "en-US",
            "customer": {"id": self._id, "first_name": first, "last_name": last},
            "billing_address": None,
            "shipping_address": {
                "first_name": first,
                "last_name": last,
                "company": None,
                "address1": address["line1"],
                "address2": None,
                "city": address["city"],
                "province": address.get("region"),
                "zip": address.get("postal_code"),
                "country_code": address["country"],
                "phone": None,
            },
            "line_items": [
                {
                    "id": int(line["line_id"]),
                    "sku": line["sku"],
                    "title": line["sku"],
                    "quantity": line["quantity"],
                    "current_quantity": line["quantity"],
                    "price": line["unit_price"],
                    "discount_allocations": [{"amount": line.get("discount", "0.00")}],
                    "tax_lines": [],
                    "requires_shipping": True,
                    "gift_card": False,
                }
                for line in wanted["lines"]
            ],
            "shipping_lines": [
                {
                    "title": shipping["service"],
                    "code": shipping["service"],
                    "price": shipping["price"],
                    "discount_allocations": [],
                    "tax_lines": [],
                }
            ],
            "refunds": [],
        }
