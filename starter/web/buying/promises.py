"""When units of an item could arrive, if somebody ordered them now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from pydantic import ValidationError

from domain.errors import OrderloomError
from domain.fields import Country, Document, PostalCode
from domain.orders.order import Quantity
from domain.stock.promises import PromisedUnits
from starter.web.screens.visits import Visit, in_words

_DIGITS: Final = 10


class _Asked(Document):
    n: Quantity
    country: Country | None
    postal_code: PostalCode | None


@dataclass(frozen=True)
class Promised:
    """What was asked and answered. `missing`: units that cannot be promised."""

    n: str
    country: str
    postal_code: str
    found: Sequence[PromisedUnits] = ()
    missing: int = 0
    trouble: Sequence[str] = ()


async def promised(
    visit: Visit, sku: str, *, n: str, country: str = "", postal_code: str = ""
) -> Promised:
    """Ask, and tell what was wrong where the question cannot be answered."""
    asked_for = Promised(n, country, postal_code)
    try:
        asked = _Asked.model_validate(
            {
                "n": int(n) if n.isascii() and n.isdecimal() and len(n) < _DIGITS else n,
                "country": country.strip() or None,
                "postal_code": postal_code.strip() or None,
            }
        )
        found = await visit.here.stock.promise(
            sku,
            asked.n,
            country=asked.country,
            postal_code=asked.postal_code,
            now=datetime.now(UTC),
        )
    except (OrderloomError, ValidationError) as no:
        return replace(asked_for, trouble=in_words(visit.words, no))
    missing = asked.n - sum(one.quantity for one in found)
    return replace(asked_for, found=found, missing=missing)
