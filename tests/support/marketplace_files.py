"""Order files as Amazon writes them: tab-separated, a row for each item."""

from __future__ import annotations

from typing import Final

_USUAL: Final = {
    "order-id": "",
    "order-item-id": "",
    "purchase-date": "2026-11-20T10:50:49-08:00",
    "payments-date": "2026-11-20T10:51:00-08:00",
    "buyer-email": "x1@marketplace.example",
    "buyer-name": "Bo Baker",
    "buyer-phone-number": "555-123-4567",
    "sku": "TEA",
    "product-name": "Green tea",
    "quantity-purchased": "2",
    "currency": "USD",
    "item-price": "25.00",
    "item-tax": "",
    "shipping-price": "",
    "shipping-tax": "",
    "gift-wrap-price": "",
    "gift-wrap-tax": "",
    "ship-service-level": "Standard",
    "recipient-name": "Ann Baker",
    "ship-address-1": "1 Main St",
    "ship-address-2": "",
    "ship-address-3": "",
    "ship-city": "Nowhere",
    "ship-state": "FL",
    "ship-postal-code": "55443-3221",
    "ship-country": "US",
    "ship-phone-number": "555-123-4567",
    "item-promotion-discount": "",
    "item-promotion-id": "",
    "ship-promotion-discount": "",
    "quantity-shipped": "",
    "buyer-company-name": "",
    "gift-message-text": "",
    "delivery-Instructions": "",
    "sales-channel": "Amazon.com",
}
COLUMNS: Final = tuple(_USUAL)


def item(order_id: str, **cells: str) -> str:
    """A row: one item of an order. Its id is made of the order's and its SKU, if none is given."""
    assert set(cells) <= set(_USUAL)
    usual = _USUAL | {"order-id": order_id, "order-item-id": f"{order_id}{cells.get('sku', 'TEA')}"}
    return "\t".join({**usual, **cells}.values())


def amazon(*items: str) -> str:
    """A file with these rows."""
    return "".join(f"{line}\n" for line in ("\t".join(COLUMNS), *items))
