"""Amounts as the API tells them: decimal texts of a currency."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel

from domain.money import to_decimal

_MINOR: Final = "_minor"


def amount(minor: int, currency: str) -> str:
    """1250 of USD → "12.50". Raises UnknownCurrency."""
    return format(to_decimal(minor, currency), "f")


def told(row: BaseModel, currency: str | None = None) -> dict[str, Any]:
    """The fields of a row, with its amounts as texts: total_minor 1250 → total "12.50".

    `currency`: of its amounts; left out, its own. What it is made of stays as it is. Raises
    UnknownCurrency.
    """
    fields: dict[str, Any] = dict(row)
    unit = currency or fields.get("currency")
    return {
        name.removesuffix(_MINOR): (
            amount(value, str(unit)) if name.endswith(_MINOR) and value is not None else value
        )
        for name, value in fields.items()
    }
