"""Orders' answers to requests that have an id.

An order's workflow writes each answer here before it gives it. So a repeat gets the same answer for
ever, also from a later run of the workflow, and when the order has ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from domain.orders.continuation import AnsweredRequest
from store.database import Connection, load_queries

_sql = load_queries(__file__)


@dataclass(frozen=True)
class KeptAnswer:
    """An answer, and the digest of its request."""

    digest: str
    outcome: dict[str, Any]


async def keep(conn: Connection, order_id: str, answered: AnsweredRequest) -> None:
    """Write an answer down, once per request id."""
    await _sql.keep_answer(conn, order_id=order_id, **answered.model_dump())


async def find(conn: Connection, order_id: str, request_id: str) -> KeptAnswer | None:
    """The order's answer to the request with this id, or None."""
    row = await _sql.find_answer(conn, order_id=order_id, request_id=request_id)
    return None if row is None else KeptAnswer(row["digest"], row["outcome"])
