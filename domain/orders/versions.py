"""A version of an order's document, and the edit that put another one in its place."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from domain.money import Money
from domain.orders.edit_messages import Change


class OrderVersion(BaseModel):
    """The document as it was, from the first version on; the last one is the present.

    `changes`: what the edit changed that ended this version, with its request, reason, who and
    when; of the present version there is none of that.
    """

    model_config = ConfigDict(frozen=True)

    version: int
    document: dict[str, Any]
    total: Money
    changes: tuple[Change, ...] = ()
    request_id: str | None = None
    reason: str | None = None
    changed_by: str | None = None
    changed_at: datetime | None = None
