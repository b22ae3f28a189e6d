"""The story of each order: an append-only trail of what happened, and what stops it.

A line is written in the transaction of what it tells, together with the effect of the step that
tells it (`store.orders.effects`). So it is told once, however often the step runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from store.database import Connection, Record, load_queries

_sql = load_queries(__file__)


@dataclass(frozen=True)
class Event:
    """One event in an order's story, written once per effect.

    `answer`: what the step answers when it runs again.
    """

    order_id: str
    effect: str
    what: str
    who: str
    why: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    answer: Mapping[str, Any] | None = None


async def tell(
    conn: Connection,
    order_id: str,
    effect: str,
    what: str,
    *,
    who: str,
    why: str = "",
    data: Mapping[str, Any] | None = None,
    answer: Mapping[str, Any] | None = None,
    after_end: bool = False,
) -> None:
    """Append to the order's story, once per effect.

    `after_end`: something that the outside does to an order, also when it is over. Its own rows
    make sure that it is told once.
    """
    event = Event(order_id, effect, what, who, why, data or {}, answer)
    await tell_all(conn, [event], after_end=after_end)


async def tell_all(conn: Connection, events: Sequence[Event], *, after_end: bool = False) -> None:
    """Append to the stories of several orders, in this sequence, once per effect."""
    await _sql.add_events(
        conn,
        order_ids=[event.order_id for event in events],
        effects=[event.effect for event in events],
        **columns(events),
        after_end=after_end,
    )


def columns(events: Sequence[Event]) -> dict[str, list[Any]]:
    """What is told in each event, as the statements that tell it take it."""
    return {
        "answers": [event.answer for event in events],
        "whats": [event.what for event in events],
        "whos": [event.who for event in events],
        "whys": [event.why for event in events],
        "data": [event.data for event in events],
    }


async def is_told(conn: Connection, order_id: str, effect: str) -> bool:
    """Whether the order's story tells this, however long ago."""
    return bool(await _sql.is_told(conn, order_id=order_id, effect=effect))


def attention_effect(step: str, since: datetime, what: Literal["raised", "resolved"]) -> str:
    """The effect by which an order's workflow asks for a person, or takes that back."""
    return f"attention:{step}:{since.astimezone(UTC).isoformat()}:{what}"


async def raise_attention(
    conn: Connection,
    order_id: str,
    step: str,
    reason: str,
    allowed: Sequence[str],
    *,
    since: datetime | None = None,
) -> None:
    """List the order as needing a person at `step`, since now if nothing else is said.

    `allowed`: the answers that a person can give; none when it ends by itself.
    """
    await _sql.raise_attention(
        conn, order_id=order_id, step=step, reason=reason, allowed=list(allowed), since=since
    )


async def resolve_attention(
    conn: Connection, order_id: str, step: str, resolution: str, *, since: datetime | None = None
) -> None:
    """The step no longer needs a person. Does nothing if it did not, or only `since` later."""
    await _sql.resolve_attention(
        conn, order_id=order_id, step=step, resolution=resolution, since=since
    )


async def open_attention(conn: Connection, order_ids: Sequence[str]) -> list[Record]:
    """The steps of these orders that need a person, the oldest first.

    Columns: order_id, step, reason, since, allowed.
    """
    return [row async for row in _sql.list_attention(conn, order_ids=list(order_ids))]


async def settle(conn: Connection, order_id: str, step: str, note: str, *, who: str) -> bool:
    """A person has dealt with something that no step of the order waits for.

    False if nobody was asked to. The caller holds the order's lock.
    """
    asked = {row["step"]: row["since"] for row in await open_attention(conn, [order_id])}
    if step not in asked:
        return False
    await resolve_attention(conn, order_id, step, f"done: {note}")
    await tell(
        conn,
        order_id,
        attention_effect(step, asked[step], "resolved"),
        f"attention resolved: {step}",
        who=who,
        why=note,
        after_end=True,
    )
    return True


async def attention_at(conn: Connection, step: str) -> dict[str, datetime]:
    """The orders that need a person at this step, and since when."""
    return {row["order_id"]: row["since"] async for row in _sql.attention_at(conn, step=step)}
