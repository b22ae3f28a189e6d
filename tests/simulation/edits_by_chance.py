"""What somebody may want to change about an order."""

from __future__ import annotations

from random import Random
from typing import Any

from domain.money import to_decimal
from domain.orders.edit_messages import EditRequest
from domain.orders.order import Order


def an_edit(rng: Random, order: Order, request_id: str | None) -> EditRequest:
    """Another number or price of a line, another line, another way, or another discount."""
    line = rng.choice(order.lines)
    some: dict[str, Any] = {"line_id": line.line_id}
    if rng.random() < 0.7:
        some["quantity"] = rng.choice((0, 1, 2, line.quantity + 1, line.quantity + 3))
    if len(some) == 1 or rng.random() < 0.3:
        some["unit_price"] = str(to_decimal(rng.randint(0, 3000), order.currency))
    content: dict[str, Any] = {"lines": [some]}
    price = str(to_decimal(rng.randint(0, 900), order.currency))
    match rng.choice(("line", "line", "line", "add", "ship", "wish", "service", "discount")):
        case "add":
            new = {"sku": line.sku, "quantity": rng.randint(1, 3), "unit_price": price}
            content = {"add": [new]}
        case "ship":
            content = {"shipping": {"price": price, "tax_rate": "10"}}
        case "wish":
            content = {"requested_delivery_date": "2026-12-24"}
        case "service":
            content = {"shipping": {"service": rng.choice(("express", "standard"))}}
        case "discount":
            content = {"discount": price}
    return EditRequest.model_validate({"reason": "edit", "request_id": request_id, **content})
