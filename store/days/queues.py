"""What waits in the database for a worker."""

from __future__ import annotations

import time
from typing import Final, NamedTuple

from domain.days.figures import Wait
from store.database import Connection, Pool, load_queries

_sql = load_queries(__file__)

SIZE_MAX: Final = 10_000
"""More are not counted: that would take longer than it tells."""


class Waits(NamedTuple):
    """Seconds for which the oldest one has waited; 0: nothing waits.

    Reports from outside for their steps, orders for their workflow, messages for the mail server,
    and events for their receivers.
    """

    reports_wait: int
    starts_wait: int
    mails_wait: int
    events_wait: int

    def by_name(self) -> dict[Wait, int]:
        """As figures of the hour."""
        return {
            "reports_wait": self.reports_wait,
            "starts_wait": self.starts_wait,
            "mails_wait": self.mails_wait,
            "events_wait": self.events_wait,
        }


class Sizes(NamedTuple):
    """How many there are; `SIZE_MAX` stands for that many, or more."""

    reports: int
    starts: int
    mails: int
    deliveries: int
    open_orders: int


class Connections(NamedTuple):
    """A pool's connections: those in use, and how many there may be."""

    used: int
    most: int


async def waits(conn: Connection) -> Waits:
    """How long the oldest one of each queue has waited."""
    return Waits(**await _sql.waits(conn))


async def sizes(conn: Connection) -> Sizes:
    """How much is in each queue."""
    return Sizes(**await _sql.sizes(conn, at_most=SIZE_MAX))


async def round_trip_us(conn: Connection) -> int:
    """How long the database takes to answer nothing, in microseconds."""
    await _sql.ask(conn)  # the statement is prepared then
    began = time.perf_counter()
    await _sql.ask(conn)
    return round(1_000_000 * (time.perf_counter() - began))


def connections(pool: Pool) -> Connections:
    """Of this program's pool."""
    return Connections(pool.get_size() - pool.get_idle_size(), pool.get_max_size())
