"""Delivers events to subscriptions, and calls for that where there is something to deliver."""

from __future__ import annotations

import asyncio
import logging
import random
import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict
from temporalio import activity

from activities.notifications.sending import Sender, signed_headers
from activities.notifications.targets import Targets
from domain.notifications import retries
from domain.notifications.catalogue import message_of_test
from store import clock
from store.database import Pool
from store.notifications import deliveries, messages
from store.notifications.deliveries import Due, Outcome, Target
from store.notifications.messages import Made, moment_text

logger = logging.getLogger(__name__)

EVENTS_AT_ONCE: Final = 50
"""New events that are looked at together; of more than so many, the orders are not all read."""

ORDERS_AT_ONCE: Final = 4
"""Events of so many orders are under way to one receiver at a time; of one order, one is.

So it is with customers.
"""

SECONDS_MAX: Final = 60.0
"""After so long nothing more is begun: the next activity goes on."""


_CHANCE: Final = random.Random()  # noqa: S311 - no secret: many do not come again at once


class Deliver(BaseModel):
    """Deliver to this subscription."""

    model_config = ConfigDict(frozen=True)

    subscription_id: str


class Delivered(BaseModel):
    """`more`: there is something to do at once. `next_at`: when there will be; None: nothing is."""

    model_config = ConfigDict(frozen=True)

    more: bool = False
    next_at: datetime | None = None


class Deliveries:
    """Activities that deliver, with the pool and the sender injected."""

    def __init__(self, pool: Pool, sender: Sender | None) -> None:
        """`sender`: None sends to the world outside alone."""
        self._pool = pool
        self._sender = sender or Sender(Targets())

    @activity.defn
    async def deliver_events(self, ask: Deliver) -> Delivered:
        """Send one subscription the events that are due, those of an order one after the other.

        A repeat sends nothing again that is on record as delivered.
        """
        async with self._pool.acquire() as conn:
            target = await deliveries.start(conn, ask.subscription_id, uuid.uuid4().hex)
            if target is None:
                return Delivered()
            again = await deliveries.due(conn, target, EVENTS_AT_ONCE)
        sending = _Sending(self._pool, self._sender, target)
        # A receiver that is away is asked with one message, and not with all there are.
        away = target.failures >= retries.FAILURES_BEFORE_REST
        if away:
            again = again[:1]
        await sending.all_of([[one] for one in again])
        upto = target.cursor
        if not (sending.stopped or target.rests or target.state != "active" or (away and again)):
            upto = await self._new(target, sending, 1 if away else EVENTS_AT_ONCE)
        async with self._pool.acquire() as conn:
            next_at = await deliveries.finish(conn, target, upto)
        more = next_at is not None and next_at <= clock.now()
        return Delivered(more=more, next_at=None if more else next_at)

    async def _new(self, target: Target, sending: _Sending, at_most: int) -> int:
        """Send new events. Returns the position up to which all are dealt with."""
        async with self._pool.acquire() as conn:
            fresh = await deliveries.new_events(conn, target, at_most)
        lanes: dict[int, list[Due]] = defaultdict(list)
        for one in fresh:
            if one.event is not None and not one.held_back:
                lanes[one.event.lane].append(one)
        if not await sending.all_of(list(lanes.values())):
            return target.cursor  # Some are left, and come again without those that are done.
        last = fresh[-1].event if len(fresh) == at_most else None
        return target.latest if last is None else last.position


class _Sending:
    """What one activity sends to one subscription. `stopped`: nothing more is begun."""

    def __init__(self, pool: Pool, sender: Sender, target: Target) -> None:
        self._pool = pool
        self._sender = sender
        self._target = target
        self._failures = target.failures
        self._ends = asyncio.get_running_loop().time() + SECONDS_MAX
        self._places = asyncio.Semaphore(ORDERS_AT_ONCE)
        self.stopped = False

    async def all_of(self, lanes: Sequence[Sequence[Due]]) -> bool:
        """Send these, each lane in its sequence. False: something was not even tried."""
        events = [one.event for lane in lanes for one in lane if one.event is not None]
        made = await messages.make(self._pool, events)
        async with asyncio.TaskGroup() as tasks:
            done = [tasks.create_task(self._lane(lane, made)) for lane in lanes]
        return all(task.result() for task in done)

    async def _lane(self, lane: Sequence[Due], made: Made) -> bool:
        async with self._places:
            for number, one in enumerate(lane):
                if self.stopped or asyncio.get_running_loop().time() > self._ends:
                    return False
                if not await self._send(one, made):
                    rest = [each.event.position for each in lane[number + 1 :] if each.event]
                    async with self._pool.acquire() as conn:
                        await deliveries.hold_back(conn, self._target, rest)
                    break
            return True

    async def _send(self, one: Due, made: Made) -> bool:
        if activity.in_activity():
            activity.heartbeat()
        now = clock.now()
        if one.event is None:
            message = message_of_test(one.message_id, moment_text(one.at))
        elif (defect := made.defects.get(one.event.position)) is not None:
            return await self._set_aside(one, defect)
        else:
            message = made.messages[one.event.position]
        body = message.body()
        headers = signed_headers(self._target.secrets, message.id, now, body)
        answer = await self._sender.send(self._target.url, headers, body)
        said = retries.verdict(answer.status, answer.retry_after)
        outcome = Outcome(
            delivered=said.delivered,
            status=answer.status,
            took_ms=answer.took_ms,
            error=answer.error,
            answer=answer.answer,
        )
        if not said.delivered:
            outcome = self._failed(one, outcome, said, now)
        else:
            self._failures = 0
        await self._record(one, outcome)
        return said.delivered

    async def _set_aside(self, one: Due, defect: str) -> bool:
        """A dead letter that no attempt can help: the later events of its order go on."""
        logger.error(
            "%s is a dead letter of subscription %s", one.message_id, self._target.subscription_id
        )
        async with self._pool.acquire() as conn:
            if not await deliveries.unmade(conn, self._target, one, defect):
                self.stopped = True
        return True

    def _failed(self, one: Due, outcome: Outcome, said: retries.Verdict, now: datetime) -> Outcome:
        is_new = one.tries == 0 and one.event is not None
        self._failures += is_new
        rest = said.rest or retries.rest_after(self._failures)
        since = self._target.failing_since
        over = None
        if said.gone:
            over = "the receiver answered 410: it wants nothing more"
        elif since is not None and now - since > retries.GIVE_UP:
            over = f"nothing was taken since {since:%Y-%m-%d %H:%M} UTC"
        pause = retries.pause_after(one.tries + 1, _CHANCE.random())
        named = self._target.subscription_id
        if over is not None:
            logger.warning("subscription %s is disabled: %s", named, over)
        if pause is None:
            logger.warning("%s is a dead letter of subscription %s", one.message_id, named)
        self.stopped = self.stopped or over is not None or rest is not None
        return Outcome(
            delivered=False,
            status=outcome.status,
            took_ms=outcome.took_ms,
            error=outcome.error,
            answer=outcome.answer,
            pause=pause,
            counts=is_new,
            rest=rest,
            over=over,
        )

    async def _record(self, one: Due, outcome: Outcome) -> None:
        async with self._pool.acquire() as conn:
            if not await deliveries.attempted(conn, self._target, one, outcome):
                self.stopped = True
