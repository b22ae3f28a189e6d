"""What forms of this room say: units, days and reasons, each as it was typed or not at all."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

from domain.fields import Document, Reason
from starter.web.screens.forms import NotAsked
from starter.web.screens.visits import Visit

UNITS: Final = "units:"
_DIGITS_MAX: Final = 9


class Why(Document):
    """Why something is done."""

    why: Reason


def why(visit: Visit, name: str = "why") -> str:
    """The reason in a field. Raises ValidationError for none, and for what is no text of ours."""
    return Why.model_validate({"why": visit.field(name)}).why


def number(text: str) -> int | None:
    """A number from zero on; None for an empty field. Raises NotAsked for what is none."""
    text = text.strip()
    if not text:
        return None
    if len(text) > _DIGITS_MAX or not text.isascii() or not text.isdecimal():
        raise NotAsked("no_number")
    return int(text)


def units(visit: Visit, skus: Iterable[str]) -> dict[str, int]:
    """SKU → the number in its field, of those that have one."""
    told = {sku: number(visit.field(f"{UNITS}{sku}")) for sku in skus}
    return {sku: n for sku, n in told.items() if n is not None}


def day(text: str) -> date | None:
    """A day; None for an empty field. Raises NotAsked for what is none."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise NotAsked("no_day") from None


def day_in_address(text: str) -> date | None:
    """A day as an address has it; None also for what is none."""
    try:
        return day(text)
    except NotAsked:
        return None


def new_request() -> str:
    """The name of what the forms of a page ask for: sent twice, it is one request."""
    return f"desk-{uuid.uuid4().hex}"


def friday(today: date) -> date:
    """The next Friday; on a Friday, this day."""
    return today + timedelta(days=(4 - today.weekday()) % 7)
