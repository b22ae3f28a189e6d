"""Shopify's order as its GraphQL API has it, made into the body of its webhook.

So that one mapping (`shopify.py`) reads both. docs/shopify.md has the table of fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Node = Mapping[str, Any]


def number_of(gid: str) -> str:
    """The number in `gid://shopify/Order/450789469`, by which webhooks name the same thing."""
    return gid.rpartition("/")[2].partition("?")[0]


def as_webhook(order: Node) -> dict[str, Any]:
    """The body of the webhook that tells of this order."""
    return {
        "id": number_of(order["id"]),
        "name": order["name"],
        "test": order.get("test", False),
        "created_at": order["createdAt"],
        "updated_at": order["updatedAt"],
        "cancelled_at": order.get("cancelledAt"),
        "cancel_reason": _word(order.get("cancelReason")),
        "financial_status": _word(order.get("displayFinancialStatus")),
        "fulfillment_status": _word(order.get("displayFulfillmentStatus")),
        "currency": order["currencyCode"],
        "taxes_included": order.get("taxesIncluded", False),
        "total_price": _amount(order["totalPriceSet"]),
        "total_tip_received": _amount(order.get("totalTipReceivedSet")),
        "original_total_duties_set": _set(order.get("originalTotalDutiesSet")),
        "total_cash_rounding_payment_adjustment_set": _set(
            (order.get("totalCashRoundingAdjustment") or {}).get("paymentSet")
        ),
        "email": order.get("email"),
        "phone": order.get("phone"),
        "note": order.get("note"),
        "customer_locale": order.get("customerLocale"),
        "customer": _customer(order.get("customer")),
        "billing_address": _address(order.get("billingAddress")),
        "shipping_address": _address(order.get("shippingAddress")),
        "line_items": [_line(line) for line in order["lineItems"]["nodes"]],
        "shipping_lines": [
            {
                "title": line.get("title"),
                "code": line.get("code"),
                "price": _amount(line["originalPriceSet"]),
                **_reductions(line),
            }
            for line in order["shippingLines"]["nodes"]
        ],
        "refunds": [_refund(refund) for refund in order.get("refunds", ())],
    }


def _line(line: Node) -> dict[str, Any]:
    variant = line.get("variant")
    return {
        "id": number_of(line["id"]),
        "variant_id": number_of(variant["id"]) if variant else None,
        "sku": line.get("sku"),
        "title": line.get("title"),
        "quantity": line["quantity"],
        "current_quantity": line.get("currentQuantity"),
        "price": _amount(line["originalUnitPriceSet"]),
        "requires_shipping": line.get("requiresShipping", True),
        "gift_card": line.get("isGiftCard", False),
        **_reductions(line),
    }


def _reductions(line: Node) -> dict[str, Any]:
    return {
        "discount_allocations": [
            {"amount": _amount(one["allocatedAmountSet"])}
            for one in line.get("discountAllocations", ())
        ],
        "tax_lines": [
            {"title": one.get("title"), "price": _amount(one["priceSet"]), "rate": one.get("rate")}
            for one in line.get("taxLines", ())
        ],
    }


def _refund(refund: Node) -> dict[str, Any]:
    return {
        "note": refund.get("note"),
        "transactions": [
            {
                "id": number_of(one["id"]),
                "kind": _word(one["kind"]),
                "status": _word(one["status"]),
                "amount": _amount(one["amountSet"]),
            }
            for one in refund["transactions"]["nodes"]
        ],
    }


def _customer(customer: Node | None) -> dict[str, Any] | None:
    if customer is None:
        return None
    return {
        "id": number_of(customer["id"]),
        "first_name": customer.get("firstName"),
        "last_name": customer.get("lastName"),
    }


def _address(address: Node | None) -> dict[str, Any] | None:
    if address is None:
        return None
    return {
        "name": address.get("name"),
        "first_name": address.get("firstName"),
        "last_name": address.get("lastName"),
        "company": address.get("company"),
        "address1": address.get("address1"),
        "address2": address.get("address2"),
        "city": address.get("city"),
        "province": address.get("province"),
        "zip": address.get("zip"),
        "country_code": address.get("countryCodeV2"),
        "phone": address.get("phone"),
    }


def _amount(money: Node | None) -> str:
    return "0" if money is None else str(money["shopMoney"]["amount"])


def _set(money: Node | None) -> dict[str, Any] | None:
    return None if money is None else {"shop_money": {"amount": money["shopMoney"]["amount"]}}


def _word(word: str | None) -> str | None:
    """Its words are in capitals: PARTIALLY_REFUNDED."""
    return None if word is None else word.lower()
