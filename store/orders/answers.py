"""Orders' answers to requests that have an id.

An order's workflow remembers its answers for as long as it runs. When it ends it writes them here,
so that a repeat gets the same answer for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from domain.orders.continuation import Answered
from domain.orders.messages import digest_of
from store.database import Connection, load_queries

_sql = load_queries(__file__)


@dataclass(frozen=True)
class KeptAnswer:
    """An answer, and the digest of its request."""

    digest: str
    outcome: dict[str, Any]


async def keep(conn: Connection, order_id: str, answers: Sequence[Answered]) -> None:
    """Write answers down, once per request id."""
    if not answers:
        return
    await _sql.keep_answers(
        conn,
        order_id=order_id,
        request_ids=[item.outcome.request_id for item in answers],
        digests=[digest_of(item.request) for item in answers],
        outcomes=[item.outcome.model_dump(mode="json") for item in answers],
    )


async def find(conn: Connection, order_id: str, request_id: str) -> KeptAnswer | None:
    """The order's answer to the request with this id, or None."""
    row = await _sql.find_answer(conn, order_id=order_id, request_id=request_id)
    return None if row is None else KeptAnswer(row["digest"], row["outcome"])
