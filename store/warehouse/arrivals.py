"""What comes to a location: purchase orders and transfers that are due, and what a code stands for.

Reads only.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.warehouse.codes import forms
from store.database import Connection, load_queries

_sql = load_queries(__file__)


class Arrival(BaseModel):
    """What is to come. `kind`: of the run that receives it. `by`: who sends it, by name.

    `due_on`: None where nobody said so. `is_late`: that day is over, here.
    """

    model_config = ConfigDict(frozen=True)

    kind: Literal["receive", "arrive"]
    part: str
    by: str
    due_on: date | None
    is_late: bool
    units: int
    skus: int


async def expected(
    conn: Connection, location: str, kinds: Sequence[str], at_most: int = 30
) -> list[Arrival]:
    """What is due here and nobody receives yet, those that are due first, first.

    `at_most` of each of these kinds.
    """
    rows = _sql.expected(conn, location=location, kinds=list(kinds), at_most=at_most)
    return [Arrival(**row) async for row in rows]


async def kind_of(conn: Connection, location: str, code: str) -> tuple[str, str] | None:
    """The kind of run that a code begins here, and of what: a purchase order, or a transfer."""
    row = await _sql.kind_of(conn, location=location, forms=forms(code))
    return None if row is None else (row["kind"], row["part"])
