"""A whole order document, and ways to change one place of it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

Path = tuple[str | int, ...]

FULL: dict[str, Any] = {
    "channel": "web",
    "channel_order_id": "1001",
    "placed_at": "2026-11-20T10:00:00+09:00",
    "customer": {
        "id": "C-1",
        "name": "Kim Minji",
        "email": "minji@example.com",
        "phone": "+82 2 123 4567",
        "company": "Minji & Partners",
        "tax_number": "123-45-67890",
        "locale": "ko-KR",
    },
    "currency": "USD",
    "prices_include_tax": False,
    "lines": [
        {
            "line_id": "1",
            "sku": "TEA",
            "quantity": 2,
            "unit_price": "12.50",
            "discount": "1.00",
            "tax": "2.40",
            "tax_rate": "10",
            "tax_category": "standard",
            "added": False,
        },
        {"line_id": "2", "sku": "CUP/blue", "quantity": 1, "unit_price": "8.00"},
    ],
    "discount": "2.00",
    "rounding": "0.02",
    "shipping": {
        "service": "express",
        "price": "5.00",
        "tax": "0.50",
        "tax_rate": "10",
        "tax_category": "standard",
        "address": {
            "name": "Kim Minji",
            "company": "Minji & Partners",
            "line1": "1 Sejong-daero",
            "line2": "Floor 3",
            "city": "Seoul",
            "region": "Jung-gu",
            "postal_code": "04524",
            "country": "KR",
        },
    },
    "fees": [
        {
            "name": "Gift wrap",
            "amount": "3.00",
            "tax": "0.30",
            "tax_rate": "10",
            "tax_category": "standard",
        },
    ],
    "payment": {"provider": "sandbox", "token": "tok_ok"},
    "tenders": [{"provider": "store_credit", "token": "CR-1", "amount": "5.00"}],
    "basket": "B-1001",
    "requested_delivery_date": "2026-12-01",
    "note": "Leave it at the door.",
    "gift_message": "Happy birthday!",
    "billing": {
        "name": "Accounts",
        "company": "Minji & Partners",
        "line1": "2 Sejong-daero",
        "line2": "Floor 1",
        "city": "Seoul",
        "region": "Jung-gu",
        "postal_code": "04524",
        "country": "KR",
    },
    "extra": {"campaign": "spring", "weights": [1, 2.5], "express": True},
    "total": "41.22",
}


def at(path: Path, value: Any, document: dict[str, Any] | None = None) -> dict[str, Any]:
    """The document with another value at one place."""
    changed = copy.deepcopy(FULL if document is None else document)
    place: Any = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return changed


def without(*paths: Path) -> dict[str, Any]:
    """The document with fields left out."""
    changed = copy.deepcopy(FULL)
    for path in paths:
        place: Any = changed
        for step in path[:-1]:
            place = place[step]
        del place[path[-1]]
    return changed


def leaves(value: Any = None, path: Path = ()) -> Iterator[Path]:
    """Every place of the document that holds a plain value."""
    value = FULL if value is None else value
    match value:
        case dict():
            for key, part in value.items():
                yield from leaves(part, (*path, key))
        case list():
            for index, part in enumerate(value):
                yield from leaves(part, (*path, index))
        case _:
            yield path


def objects(value: Any = None, path: Path = ()) -> Iterator[Path]:
    """Every place of the document that holds an object."""
    value = FULL if value is None else value
    if isinstance(value, dict):
        yield path
        for key, part in value.items():
            yield from objects(part, (*path, key))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from objects(part, (*path, index))


def text(path: Path) -> str:
    """As a test is named for it, and as messages write it: lines[0].sku."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".")
