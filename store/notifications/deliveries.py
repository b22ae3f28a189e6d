"""What is sent to subscriptions, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from domain.customers.ids import customer_id
from domain.errors import InvalidInput
from domain.notifications.event_types import TEST_TYPE
from domain.notifications.subscriptions import Attempt, OpenDelivery, Replay
from store.database import Connection, Record, load_queries
from store.notifications.messages import EventOut

_sql = load_queries(__file__)


@dataclass(frozen=True)
class Target:
    """A subscription, for the one who delivers to it. `latest`: the position up to which it looks.

    `failures`: of new events, one after the other. `rests`: nothing but tests is sent now.
    """

    subscription_id: str
    holder: str
    url: str
    secrets: tuple[str, ...] = field(repr=False)
    state: str
    round: int
    cursor: int
    latest: int
    failures: int
    failing_since: datetime | None
    rests: bool


@dataclass(frozen=True)
class Due:
    """An event that is to be sent. `delivery_id`: None when it is sent for the first time.

    `event`: None for a test. `held_back`: an earlier one of its order, or customer, is tried again.
    """

    delivery_id: int | None
    event: EventOut | None
    type: str
    at: datetime
    tries: int = 0
    held_back: bool = False

    @property
    def message_id(self) -> str:
        """The same in each attempt."""
        return test_id(self.delivery_id) if self.event is None else self.event.message_id


@dataclass(frozen=True)
class Outcome:
    """What came of one attempt. `pause`: until it is tried again; None: it is not.

    `counts`: a failure counts against the receiver. `rest`: so long nothing is sent to it.
    `over`: why the subscription is disabled.
    """

    delivered: bool
    status: int | None
    took_ms: int
    error: str = ""
    answer: str = ""
    pause: timedelta | None = None
    counts: bool = False
    rest: timedelta | None = None
    over: str | None = None


def test_id(delivery_id: int | None) -> str:
    """The message id of a test."""
    return f"test_{delivery_id}"


async def start(conn: Connection, subscription_id: str, holder: str) -> Target | None:
    """Deliver from now on: whoever else is still at it stops. None: it is not there any more."""
    row = await _sql.start(conn, subscription_id=subscription_id, holder=holder)
    if row is None:
        return None
    found = dict(row)
    found["secrets"] = tuple(found["secrets"])
    return Target(subscription_id=subscription_id, holder=holder, **found)


async def finish(conn: Connection, target: Target, upto: int) -> datetime | None:
    """Everything up to this position was sent, or has a row. Returns when there is more to do."""
    at: datetime | None = await _sql.finish(
        conn,
        subscription_id=target.subscription_id,
        holder=target.holder,
        round=target.round,
        upto=upto,
    )
    return at


async def due(conn: Connection, target: Target, at_most: int) -> list[Due]:
    """What is to be tried again by now, the oldest first."""
    rows = _sql.due(
        conn,
        subscription_id=target.subscription_id,
        only_tests=target.rests or target.state != "active",
        at_most=at_most,
    )
    return [
        Due(
            delivery_id=row["delivery_id"],
            event=None if row["position"] is None else _event(row),
            type=row["type"],
            at=row["at"],
            tries=row["tries"],
        )
        async for row in rows
    ]


async def new_events(conn: Connection, target: Target, at_most: int) -> list[Due]:
    """Events that it has not looked at, in their sequence.

    Those that are held back are on record as waiting, from here on.
    """
    rows = _sql.new_events(
        conn, subscription_id=target.subscription_id, upto=target.latest, at_most=at_most
    )
    return [
        Due(
            delivery_id=None,
            event=_event(row),
            type=row["type"],
            at=row["at"],
            held_back=row["held_back"],
        )
        async for row in rows
    ]


async def hold_back(conn: Connection, target: Target, positions: Sequence[int]) -> None:
    """These wait: an earlier event of their order is tried again."""
    await _sql.hold_back(conn, subscription_id=target.subscription_id, positions=list(positions))


async def attempted(conn: Connection, target: Target, one: Due, outcome: Outcome) -> bool:
    """Record an attempt. False: somebody else delivers by now, so this one stops."""
    event = one.event
    goes_on: bool = await _sql.attempt_made(
        conn,
        subscription_id=target.subscription_id,
        holder=target.holder,
        round=target.round,
        delivery_id=one.delivery_id,
        message_id=one.message_id,
        position=event and event.position,
        order_no=event and event.order_no,
        customer_no=event and event.customer_no,
        event_id=event and event.event_id,
        type=one.type,
        at=one.at,
        delivered=outcome.delivered,
        status=outcome.status,
        took_ms=outcome.took_ms,
        error=outcome.error,
        answer=outcome.answer,
        pause=outcome.pause,
        counts=outcome.counts,
        rest=outcome.rest,
        over=outcome.over,
    )
    return goes_on


async def unmade(conn: Connection, target: Target, one: Due, error: str) -> bool:
    """It cannot be made: it is a dead letter, and nothing counts against the receiver.

    False: somebody else delivers by now, so this one stops.
    """
    event = one.event
    goes_on: bool = await _sql.unmade(
        conn,
        subscription_id=target.subscription_id,
        holder=target.holder,
        round=target.round,
        position=event and event.position,
        order_no=event and event.order_no,
        customer_no=event and event.customer_no,
        event_id=event and event.event_id,
        type=one.type,
        at=one.at,
        error=error,
    )
    return goes_on


async def attempts(
    conn: Connection,
    subscription_id: str,
    *,
    message_id: str | None = None,
    before: int | None = None,
    at_most: int = 100,
) -> list[Attempt]:
    """Attempts, newest first; of one message only, or `before` an attempt's id."""
    rows = _sql.attempts(
        conn,
        subscription_id=subscription_id,
        message_id=message_id,
        before=before,
        at_most=at_most,
    )
    return [Attempt(**_shown(row)) async for row in rows]


async def undelivered(
    conn: Connection,
    subscription_id: str | None,
    states: Sequence[str],
    *,
    after: int = 0,
    at_most: int = 100,
) -> list[OpenDelivery]:
    """Events that were not delivered at once and are in one of these states; of one or of all."""
    rows = _sql.undelivered(
        conn, subscription_id=subscription_id, states=list(states), after=after, at_most=at_most
    )
    return [OpenDelivery(**_shown(row)) async for row in rows]


async def add_test(conn: Connection, subscription_id: str) -> str | None:
    """Have a test sent. Returns its message id; None: there is no such subscription."""
    delivery_id: int | None = await _sql.add_test(
        conn, subscription_id=subscription_id, type=TEST_TYPE
    )
    return None if delivery_id is None else test_id(delivery_id)


async def resend(
    conn: Connection, subscription_id: str, positions: Sequence[int] | None = None
) -> int:
    """Send dead letters again, of these positions or all. Returns how many that are."""
    count: int = await _sql.resend(
        conn,
        subscription_id=subscription_id,
        positions=None if positions is None else list(positions),
    )
    return count


async def replay(
    conn: Connection, subscription_id: str, *, since: datetime | None, position: int | None
) -> Replay:
    """Send everything again from a time or a position on. Raises InvalidInput: nothing is kept."""
    first = await _sql.first_position(conn, since=since, position=position)
    if first["position"] is None:
        raise InvalidInput("no event is kept from then on", where="replay")
    await _sql.replay(conn, subscription_id=subscription_id, position=first["position"])
    return Replay(
        subscription_id=subscription_id, from_position=first["position"], events=first["events"]
    )


async def forget(conn: Connection, kept_for: timedelta, batch: int) -> int:
    """Delete some attempts and dead letters that are older. Returns how many of the larger kind."""
    attempts = [row async for row in _sql.forget_attempts(conn, kept_for=kept_for, batch=batch)]
    dead = [row async for row in _sql.forget_dead(conn, kept_for=kept_for, batch=batch)]
    return max(len(attempts), len(dead))


def _event(row: Record) -> EventOut:
    return EventOut(
        position=row["position"],
        order_no=row["order_no"],
        customer_no=row["customer_no"],
        event_id=row["event_id"],
        type=row["type"],
        at=row["at"],
    )


def _shown(row: Record) -> dict[str, Any]:
    fields = dict(row)
    number = fields.pop("customer_no")
    return {**fields, "customer_id": None if number is None else customer_id(number)}
