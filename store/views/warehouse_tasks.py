"""The tasks of a warehouse, as orders wait for them. Reads only."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Literal

from store.database import Connection, load_queries
from store.views.reads import Row

_sql = load_queries(__file__)

TaskKind = Literal["pick", "pack", "handover", "put-back", "receive-return"]


class TaskLine(Row):
    """A line to pick, to pack, to put back, or to expect in a return parcel."""

    line_id: str
    sku: str
    quantity: int


class Task(Row):
    """A task of the warehouse for a fulfilment, a put-back or a return (`part_id`).

    `opens_box`: what is to be put back is in a parcel that was closed already.
    """

    task: TaskKind
    part_id: str
    order_id: str
    location: str | None
    since: datetime
    carrier: str | None
    tracking_number: str | None
    opens_box: bool = False
    lines: tuple[TaskLine, ...]


async def find(
    conn: Connection,
    *,
    task: TaskKind | None = None,
    order_id: str | None = None,
    location: str | None = None,
    channels: Collection[str] | None = None,
    sellers: Collection[str] | None = None,
    after: tuple[datetime, str] | None = None,
    at_most: int = 1000,
) -> list[Task]:
    """Open tasks, the oldest first, that match every filter that is given.

    `channels`, `sellers`: for orders of one of these alone. `after`: a page behind the task since
    then of this part.
    """
    after_at, after_part = after or (None, None)
    rows = _sql.find(
        conn,
        task=task,
        order_id=order_id,
        location=location,
        channels=None if channels is None else sorted(channels),
        sellers=None if sellers is None else sorted(sellers),
        after_at=after_at,
        after_part=after_part,
        at_most=at_most,
    )
    return [Task(**row) async for row in rows]
