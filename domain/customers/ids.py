"""The ids of customers: C and a number, which tell nothing about the person."""

from __future__ import annotations

import re
from typing import Final

from domain.errors import NotFound

PATTERN: Final = r"^C[1-9][0-9]{0,17}$"


def customer_id(number: int) -> str:
    """41 → `C41`."""
    return f"C{number}"


def number_in(text: str) -> int | None:
    """`C41` → 41; None: it is the id of no customer, but may be what a channel calls one."""
    return int(text[1:]) if re.fullmatch(PATTERN, text) else None


def number_of(customer_id: str) -> int:
    """`C41` → 41. Raises NotFound for what no customer can be called."""
    number = number_in(customer_id)
    if number is None:
        raise NotFound(f"there is no customer {customer_id}")
    return number
