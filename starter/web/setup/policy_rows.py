"""A policy, setting by setting."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import BaseModel

from domain.words import span


def rows_of(
    policy: BaseModel, *, only_set: bool = False, before: str = ""
) -> list[tuple[str, str]]:
    """Each setting by its name, such as claims.within, and its value. `only_set`: what was said."""
    rows: list[tuple[str, str]] = []
    for name in type(policy).model_fields:
        if only_set and name not in policy.model_fields_set:
            continue
        value = getattr(policy, name)
        if isinstance(value, BaseModel):
            rows += rows_of(value, only_set=only_set, before=f"{before}{name}.")
        else:
            rows.append((f"{before}{name}", _told(value)))
    return rows


def _told(value: Any) -> str:
    if isinstance(value, timedelta):
        return span(value)
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_told(each)}" for name, each in value.items()) or "–"
    if isinstance(value, BaseModel):
        return ", ".join(f"{name} {text}" for name, text in rows_of(value))
    if isinstance(value, list | tuple):
        return ", ".join(_told(one) for one in value) or "–"
    return "–" if value is None else str(value)
