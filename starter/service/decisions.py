"""Finds the decisions on orders that were just placed.

Read from the database, where it stands with its effects: an answer from the workflow would cost two
billable actions and two history events an order. One look serves all who wait, however many they
are, and needs no session of its own, as a notification would.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from typing import Any

from domain.errors import Conflict, Unreachable
from domain.orders.messages import Placement, Units, Waiting
from domain.orders.order import Order
from store.database import DatabaseFault, Pool
from store.views.decisions import Decision, decided

PAUSE_S_MIN = 0.01
PAUSE_S_MAX = 0.05
"""From one look to the next, in seconds: longer and longer while nothing is decided, but never so
long that it would be most of what a customer waits for."""

LOOKING_SHARE_MAX = 0.1
PAUSE_S_SLOW = 1.0
"""Looking takes no more of the time than this share, however many wait; but looks never stop."""

READ_SECONDS_MAX = 8.0
"""Time for one read about one order, a wait for a free connection included."""

logger = logging.getLogger(__name__)

_Asked = tuple[str, str]  # order id, digest


class Decisions:
    """Answers for everybody who places orders through one client."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._waiting: dict[_Asked, list[asyncio.Future[Placement]]] = defaultdict(list)
        self._looking: asyncio.Task[None] | None = None

    async def on_record(self, order: Order) -> Placement | None:
        """The decision on an order, or None while there is none.

        Raises Conflict where it is another order, Unreachable where the database does not answer.
        """
        try:
            async with asyncio.timeout(READ_SECONDS_MAX), self._pool.acquire() as conn:
                found = await decided(conn, [(order.order_id, order.digest)])
        except TimeoutError as error:
            raise Unreachable(
                f"the database did not answer within {READ_SECONDS_MAX:.0f} s, so it is not known "
                f"what became of order {order.order_id}: place it again, and it is placed once"
            ) from error
        return _placement(found[0]) if found else None

    async def of(self, order: Order) -> Placement:
        """Wait until it is decided. Raises Conflict where the id was used for other content."""
        asked = (order.order_id, order.digest)
        answer: asyncio.Future[Placement] = asyncio.get_running_loop().create_future()
        self._waiting[asked].append(answer)
        looking = self._looking
        if looking is None or looking.done():
            looking = self._looking = asyncio.create_task(self._look())
        either: set[asyncio.Future[Any]] = {answer, looking}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                looking.result()  # raises what it ended of
            return await answer
        finally:
            self._waiting[asked].remove(answer)
            if not self._waiting[asked]:
                del self._waiting[asked]

    async def _look(self) -> None:
        clock = asyncio.get_running_loop().time
        pause, took_before = PAUSE_S_MIN, 0.0
        while True:
            await asyncio.sleep(pause)
            if not self._waiting:
                return
            try:
                async with self._pool.acquire() as conn:
                    began = clock()
                    found = await decided(conn, list(self._waiting))
            except (Unreachable, *DatabaseFault) as fault:  # the next look may find an answer
                logger.warning("could not look for decisions: %s", fault)
                pause = pause_after(pause)
                continue
            for decision in found:
                self._tell(decision)
            took = clock() - began
            pause = pause_after(pause, found=bool(found), took=took, took_before=took_before)
            took_before = took

    def _tell(self, decision: Decision) -> None:
        for answer in self._waiting.get((decision.order_id, decision.digest), ()):
            if answer.done():
                continue
            try:
                answer.set_result(_placement(decision))
            except Conflict as conflict:
                answer.set_exception(conflict)


def pause_after(
    pause: float, *, found: bool = False, took: float = 0.0, took_before: float = 0.0
) -> float:
    """The pause until the next look, in seconds, after a pause and a look that took so long.

    One slow look can be chance: only the second in a row makes looks rarer.
    """
    usual = PAUSE_S_MIN if found else min(pause * 1.5, PAUSE_S_MAX)
    return max(usual, min(min(took, took_before) / LOOKING_SHARE_MAX, PAUSE_S_SLOW))


def _placement(decision: Decision) -> Placement:
    if decision.outcome is None:
        raise Conflict(
            f"order {decision.order_id} was placed before with other content; "
            "cancel that one, or use another channel_order_id"
        )
    return Placement(
        order_id=decision.order_id,
        outcome=decision.outcome,
        reason=decision.reason,
        missing=tuple(Units(line_id=k, quantity=n) for k, n in decision.missing.items()),
        backordered=tuple(
            Waiting(
                line_id=k,
                quantity=n,
                promised_on=decision.expected[k].arrives_on if k in decision.expected else None,
            )
            for k, n in decision.backordered.items()
        ),
        promised_on=decision.promised_on,
    )
