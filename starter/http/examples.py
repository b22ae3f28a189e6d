"""An example of what each operation takes, for its description. A test sends each of them."""

from __future__ import annotations

from typing import Any, Final

from fastapi import Body

ORDER: Final[dict[str, Any]] = {
    "channel": "web",
    "channel_order_id": "#1001",
    "placed_at": "2026-11-20T09:15:00Z",
    "customer": {"id": "C-2041", "name": "Kim Minji", "email": "kim@example.com"},
    "currency": "EUR",
    "lines": [
        {
            "line_id": "1",
            "sku": "TEA-ASSAM-250",
            "quantity": 2,
            "unit_price": "12.50",
            "tax": "1.75",
        }
    ],
    "shipping": {
        "service": "standard",
        "price": "4.90",
        "address": {
            "name": "Kim Minji",
            "line1": "Hafenstr. 3",
            "city": "Bremen",
            "postal_code": "28195",
            "country": "DE",
        },
    },
    "payment": {"provider": "sandbox", "token": "tok_visa"},
}


def example(value: Any) -> Any:
    """The body of an operation, with an example: `Annotated[Model, example({…})]`."""
    return Body(openapi_examples={"usual": {"value": value}})
