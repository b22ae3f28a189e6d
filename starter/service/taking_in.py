"""Writes orders down as their channels say: the first thing that happens to an order."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Final

from domain.access.request_keys import KeyReused, RequestKey
from domain.errors import InvalidInput, OrderloomError, Unreachable
from domain.orders.order import Order
from domain.orders.policy import Policy
from store.access import request_keys
from store.batching import Batching
from store.database import Connection, DatabaseAway, Pool
from store.orders import channels, hold_rules, intake
from store.orders.channels import Known
from store.orders.hold_rules import Rules
from store.orders.intake import ChannelChanged, Received

WRITE_DOWN_SECONDS_MAX: Final = 8.0
"""The time for writing an order down, a wait for a free connection included."""

LINES_TOGETHER_MAX: Final = 500
"""Order lines that are written down in one statement, at most; an order has no more."""


@dataclass(frozen=True)
class Asked:
    """An order that is to be written down. `differing`: what of the policy is its own.

    `as_sent`: the order as its channel sent it, where something was added. `key`: what its sender
    calls this request.
    """

    order: Order
    differing: Policy | None = None
    bulk: bool = False
    as_sent: Order | None = None
    key: RequestKey | None = None


@dataclass(frozen=True)
class Taken:
    """An order that is on record. `new`: it was not before. `policy`: by which it goes if so.

    `repeated`: a request with the same key was answered before.
    """

    new: bool
    policy: Policy
    repeated: bool = False


class TakingIn:
    """Writes orders down. `usual`: the policy where neither channel nor order says otherwise.

    Orders that come together are written together, in the sequence in which they came. Channels,
    and the rules that hold orders, are remembered: the statement that writes orders down says
    whether they have changed, and before one is refused they are read again.
    """

    def __init__(self, pool: Pool, usual: Policy) -> None:
        self._pool = pool
        self._usual = usual
        self._channels: dict[str, Known] = {}  # as they were when they were last read
        self._rules = hold_rules.NO_RULES  # by which orders are held: the same
        self._batches = Batching(
            self._write_down,
            rivals_over=lambda _: ("intake",),
            size=lambda one: len(one.order.lines),
            size_max=LINES_TOGETHER_MAX,
            writers_max=1,
            hopeless=DatabaseAway,
        )

    async def take_in(self, asked: Asked) -> Taken:
        """Write the order down. Raises InvalidInput where its channel does not take it.

        Raises KeyReused where its request's key had other content, and Unreachable in bounded time.
        """
        try:
            async with asyncio.timeout(WRITE_DOWN_SECONDS_MAX):
                answer = await self._batches.answer(asked)
        except TimeoutError as error:
            raise Unreachable(
                f"the database did not answer within {WRITE_DOWN_SECONDS_MAX:.0f} s, so it is not "
                f"known what became of order {asked.order.order_id}: place it again, and it is "
                "placed once"
            ) from error
        if isinstance(answer, OrderloomError):
            raise answer
        return answer

    async def _write_down(self, asked: Sequence[Asked]) -> Sequence[Taken | OrderloomError]:
        async with self._pool.acquire() as conn:
            judged = [self._judge(one) for one in asked]
            read = any(isinstance(each, InvalidInput) for each in judged)
            while True:
                if read:
                    self._channels = await channels.known(conn)
                    self._rules = await hold_rules.known(conn)
                    judged = [self._judge(one) for one in asked]
                sound = [
                    (one, each)
                    for one, each in zip(asked, judged, strict=True)
                    if isinstance(each, Received)
                ]
                try:
                    taken = iter(await _written(conn, sound, self._rules))
                except ChannelChanged:
                    read = True
                else:
                    break
        return [next(taken) if isinstance(each, Received) else each for each in judged]

    def _judge(self, one: Asked) -> Received | InvalidInput:
        """The order as its channel takes it, or why it does not, by what is remembered of it."""
        try:
            return intake.judged(
                self._channels,
                self._usual,
                one.order,
                differing=one.differing,
                bulk=one.bulk,
                as_sent=one.as_sent,
            )
        except InvalidInput as refusal:
            return refusal


async def _written(
    conn: Connection, sound: Sequence[tuple[Asked, Received]], rules: Rules
) -> list[Taken | KeyReused]:
    """Write down orders that their channels take, those with a key together with it."""
    keys = [one.key for one, _ in sound if one.key is not None]
    async with conn.transaction() if keys else nullcontext():
        claimed = iter(await request_keys.claim(conn, keys) if keys else ())
        first = [one.key is None or next(claimed) for one, _ in sound]
        received = [each for (_, each), is_first in zip(sound, first, strict=True) if is_first]
        new = iter(await intake.take_in(conn, received, rules) if received else ())
        return [
            Taken(new=next(new), policy=each.policy)
            if is_first or one.key is None
            else await _repeated(conn, one.key, each.policy)
            for (one, each), is_first in zip(sound, first, strict=True)
        ]


async def _repeated(conn: Connection, key: RequestKey, policy: Policy) -> Taken | KeyReused:
    try:
        await request_keys.find(conn, key)
    except KeyReused as error:
        return error
    return Taken(new=False, policy=policy, repeated=True)
