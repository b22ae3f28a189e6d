"""When services are given to customers: agreed, moved and missed."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from domain.orders.fulfilment_state import FulfilmentState
from store.database import Connection, load_queries
from store.faults import refusals

_sql = load_queries(__file__)


class Appointment(BaseModel):
    """A service that is still to be given. `begins_at` is None where no time is agreed.

    `units`: SKU → how many. `missed`: so often it was not given at its time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    fulfilment_id: str
    order_id: str
    location: str
    state: FulfilmentState
    begins_at: datetime | None
    missed: int
    units: dict[str, int]


async def make(
    conn: Connection, fulfilment_id: str, begins_at: datetime, *, who: str, note: str = ""
) -> None:
    """Agree on a time, or on another one. A repeat changes nothing.

    Raises Refused for what is no service, and for a time that is over, and
    IllegalTransition where it was given or cancelled.
    """
    await _make(conn, fulfilment_id, begins_at, who, note)


async def missed(conn: Connection, fulfilment_id: str, *, who: str, note: str = "") -> None:
    """It was not given at its time: another one is to be agreed. A repeat changes nothing.

    Raises IllegalTransition where its time has not come.
    """
    await _make(conn, fulfilment_id, None, who, note)


async def _make(
    conn: Connection, fulfilment_id: str, begins_at: datetime | None, who: str, note: str
) -> None:
    with refusals():
        await _sql.make(conn, fulfilment_id=fulfilment_id, begins_at=begins_at, who=who, note=note)


async def is_firm(conn: Connection, fulfilment_id: str) -> bool:
    """Whether its appointment is too near to be cancelled, by its order's policy."""
    return bool(await _sql.is_firm(conn, fulfilment_id=fulfilment_id))


async def to_come(
    conn: Connection,
    *,
    location: str | None = None,
    channels: Collection[str] | None = None,
    sellers: Collection[str] | None = None,
    at_most: int = 1000,
) -> list[Appointment]:
    """What is still to be given, the soonest first, that matches every filter that is given."""
    rows = _sql.to_come(
        conn,
        location=location,
        channels=None if channels is None else list(channels),
        sellers=None if sellers is None else list(sellers),
        at_most=at_most,
    )
    return [Appointment(**row) async for row in rows]
