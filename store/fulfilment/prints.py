"""Who has printed a parcel's papers, and how often: lines in its order's story."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from domain.ids import order_of
from domain.words import nth
from store.database import Connection, load_queries
from store.orders import events

_sql = load_queries(__file__)

Paper = Literal["label", "packing slip", "pick list"]

_LINES: Final[dict[Paper, str]] = {
    "label": "label printed",
    "packing slip": "packing slip printed",
    "pick list": "pick list printed",
}


async def tell(
    conn: Connection, fulfilment_ids: Sequence[str], paper: Paper, *, who: str, key: str
) -> None:
    """Tell it of each of these, once for each `key`. From the second time on it says which."""
    whats = {part: f"{_LINES[paper]}: {part}" for part in fulfilment_ids}
    rows = _sql.times(
        conn,
        order_ids=sorted({order_of(part) for part in fulfilment_ids}),
        whats=list(whats.values()),
    )
    times: dict[str, int] = {row["what"]: row["times"] async for row in rows}
    await events.tell_all(
        conn,
        [
            events.Event(
                order_of(part),
                f"printed:{key}:{part}",
                what,
                who,
                why=f"the {nth(times[what] + 1)} time" if what in times else "",
            )
            for part, what in whats.items()
        ],
    )
