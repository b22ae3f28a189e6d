"""The relay's duties: each as often as it is due, and at once when it is called for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from activities.relay import Duty, Relay


class Done:
    """A duty's work, counted."""

    def __init__(self, then: Callable[[], Awaitable[None]] | None = None) -> None:
        self.times = 0
        self._then = then

    async def __call__(self) -> None:
        self.times += 1
        if self._then is not None:
            await self._then()


async def relaying(*duties: Duty, until: Callable[[Relay], Awaitable[None]]) -> None:
    """Have a relay do these duties, without a database, until the function returns."""
    nothing: Any = None
    relay = Relay(nothing, duties)
    working = asyncio.create_task(relay._work_for_ever())
    try:
        await asyncio.wait_for(until(relay), 10)
    finally:
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working


async def test_each_duty_is_done_as_often_as_it_is_due() -> None:
    often, seldom = Done(), Done()

    async def until(_: Relay) -> None:
        while often.times < 5:
            await asyncio.sleep(0.001)

    await relaying(Duty(often, 0.01), Duty(seldom, 3600), until=until)
    assert seldom.times == 1


async def test_a_duty_that_hangs_beside_the_others_keeps_none_waiting_and_runs_once() -> None:
    ended = asyncio.Event()

    async def hang() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            ended.set()

    hanging, often = Done(hang), Done()

    async def until(_: Relay) -> None:
        while often.times < 5:
            await asyncio.sleep(0.001)

    await relaying(Duty(hanging, 0.001, beside=True), Duty(often, 0.01), until=until)
    assert hanging.times == 1
    assert ended.is_set()


async def test_what_a_duty_beside_the_others_fails_with_ends_the_relay() -> None:
    async def fail() -> None:
        raise ValueError("a defect")

    failing = Done(fail)

    async def until(_: Relay) -> None:
        await asyncio.sleep(3600)

    nothing: Any = None
    relay = Relay(nothing, [Duty(failing, 0.01, beside=True)])
    with pytest.raises(ValueError, match="a defect"):
        await asyncio.wait_for(relay._work_for_ever(), 10)
    assert failing.times == 1


async def test_a_duty_that_is_called_for_is_done_at_once_and_no_other_with_it() -> None:
    called, other = Done(), Done()
    duty = Duty(called, 3600)

    async def until(relay: Relay) -> None:
        while other.times == 0:
            await asyncio.sleep(0.001)
        duty.called()
        relay._wake.set()
        while called.times < 2:
            await asyncio.sleep(0.001)

    await relaying(duty, Duty(other, 3600), until=until)
    assert (called.times, other.times) == (2, 1)


async def test_what_is_called_for_while_it_is_done_is_done_once_more() -> None:
    began, go_on = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        began.set()
        await go_on.wait()

    done = Done(work)
    duty = Duty(done, 3600)

    async def until(relay: Relay) -> None:
        await began.wait()
        duty.called()
        relay._wake.set()
        go_on.set()
        while done.times < 2:
            await asyncio.sleep(0.001)

    await relaying(duty, until=until)


async def test_what_was_called_for_while_nobody_heard_is_done_first() -> None:
    done = Done()

    async def until(_: Relay) -> None:
        while done.times == 0:
            await asyncio.sleep(0.001)

    await relaying(Duty(done, 3600, due=float("inf")), until=until)
