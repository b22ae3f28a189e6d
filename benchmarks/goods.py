"""What is ordered: one-parcel orders of two lines, from a shelf that never gets empty."""

from __future__ import annotations

from typing import Any, Final

from domain.orders.order import Order

SKUS: Final = tuple(f"SKU-{number:03}" for number in range(200))
UNITS: Final = 10_000_000
"""Of each of them there is more than can be ordered."""


def a_document(contestant: str, number: int) -> dict[str, Any]:
    """The order with this number, as a channel sends it. Its products are not the next order's."""
    return {
        "channel": "web",
        "channel_order_id": f"{contestant}-{number}",
        "placed_at": "2026-11-20T10:00:00+09:00",
        "customer": {"id": f"C-{number}", "name": "Kim Minji", "locale": "ko-KR"},
        "currency": "USD",
        "lines": [
            {"line_id": "1", "sku": _sku(2 * number), "quantity": 2, "unit_price": "12.50"},
            {"line_id": "2", "sku": _sku(2 * number + 1), "quantity": 1, "unit_price": "5.00"},
        ],
        "shipping": {
            "price": "5.00",
            "address": {
                "name": "Kim Minji",
                "line1": "1 Sejong-daero",
                "city": "Seoul",
                "postal_code": "04524",
                "country": "KR",
            },
        },
        "payment": {"token": "tok_ok"},
    }


def an_order(contestant: str, number: int) -> Order:
    """The same as Orderloom reads it."""
    return Order.model_validate(a_document(contestant, number))


def _sku(number: int) -> str:
    return SKUS[number % len(SKUS)]
