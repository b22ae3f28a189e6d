"""Activities that fail as a test tells them to."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor


class Faults(Interceptor):
    """Makes activities fail as told: before their effect, after it (answer lost), or for good."""

    def __init__(self) -> None:
        self.calls: dict[str, int] = defaultdict(int)
        self._before: dict[str, int] = defaultdict(int)
        self._after: dict[str, int] = defaultdict(int)
        self._refused: dict[str, str] = {}
        self._repeated: set[str] = set()
        self._gates: dict[str, asyncio.Event] = {}
        self._gone: dict[str, asyncio.Event] = {}
        self.reached: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def before(self, name: str, times: int = 1) -> None:
        """The next calls of the activity fail before they do anything."""
        self._before[name] = times

    def after(self, name: str, times: int = 1) -> None:
        """The next calls have their effect, and then their answer is lost."""
        self._after[name] = times

    def refuse(self, name: str, kind: str = "refused") -> None:
        """Every call is refused for good, without effect, until `heal`."""
        self._refused[name] = kind

    def repeat(self, name: str) -> None:
        """Every call is made twice."""
        self._repeated.add(name)

    def hold(self, name: str) -> None:
        """Calls stop before their effect until `release`; `reached[name]` is set when one has."""
        self._gates[name] = asyncio.Event()

    def release(self, name: str) -> None:
        """Let held calls go on."""
        self._gates.pop(name).set()

    def lose(self, name: str) -> asyncio.Event:
        """The next call has its effect, and then nothing is heard of it: as if its worker had died.

        Set the event in the end, so that the worker need not wait for the call as it stops.
        """
        return self._gone.setdefault(name, asyncio.Event())

    def heal(self, name: str) -> None:
        """No more faults for this activity."""
        self._before.pop(name, None)
        self._after.pop(name, None)
        self._refused.pop(name, None)

    def still_to_come(self) -> set[str]:
        """The activities that have yet to fail, or to lose an answer, as they were told to."""
        return {name for told in (self._before, self._after) for name in told if told[name] > 0}

    def _lose_answer(self, name: str) -> None:
        if self._after[name] > 0:
            self._after[name] -= 1
            raise ApplicationError(f"the answer of {name} lost by the test", type="fault")

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Faulty(next, self)


class _Faulty(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, faults: Faults) -> None:
        super().__init__(next)
        self._faults = faults

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        name, faults = activity.info().activity_type, self._faults
        faults.calls[name] += 1
        if gate := faults._gates.get(name):
            faults.reached[name].set()
            await gate.wait()
        if name in faults._refused:
            kind = faults._refused[name]
            raise ApplicationError(f"{name} refused by the test", type=kind, non_retryable=True)
        if faults._before[name] > 0:
            faults._before[name] -= 1
            raise ApplicationError(f"{name} failed by the test", type="fault")
        if name in faults._repeated:
            # A call that becomes a wait the first time is a wait the second time too.
            with contextlib.suppress(activity._CompleteAsyncError):
                await self.next.execute_activity(input)
        try:
            result = await self.next.execute_activity(input)
        except activity._CompleteAsyncError:
            faults._lose_answer(name)  # the attempt dies between its effect and its wait
            raise
        if gone := faults._gone.pop(name, None):
            await gone.wait()
        faults._lose_answer(name)
        return result
