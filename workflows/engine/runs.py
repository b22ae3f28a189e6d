"""Temporal's demands on a workflow that lives long: new runs, and cancellation from its UI.

An order continues as new when its history has grown long, and only while nothing but waits for the
outside is under way. A wait begins again in the new run under the same activity id: its report is
kept in the database until then, and its effects are recorded as done. Messages that arrive at that
moment are not lost either: the server does not close a run while it holds an event or a message
that the workflow has not seen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from pydantic import BaseModel

T = TypeVar("T")

FIRST_TASK_EVENTS = 3
"""A run that continued before anything happened in it would do so for ever."""

A_MOMENT = timedelta(milliseconds=50)


class UiCancellation:
    """A cancellation from the Temporal UI is a request like any other, and the story goes on."""

    def __init__(self) -> None:
        self._asked: asyncio.Task[None] | None = None

    @property
    def idle(self) -> bool:
        """Whether no cancellation was requested, or the requested one is done."""
        return self._asked is None or (self._asked.done() and not broken(self._asked))

    async def shield(
        self, story: Coroutine[Any, Any, T], heed: Callable[[], Coroutine[Any, Any, None]]
    ) -> T:
        """Live the story to its end, and heed a cancellation on the way."""
        life = asyncio.create_task(story)
        while True:
            try:
                return await asyncio.shield(life)
            except asyncio.CancelledError:
                # A worker that forgets the workflow cancels it too, and asks for nothing.
                if self._asked is not None or workflow.cancellation_reason() is None:
                    raise
                self._asked = asyncio.create_task(heed())

    async def heeded(self) -> None:
        """Wait until the requested cancellation is done."""
        if self._asked is not None:
            await self._asked


class Runs:
    """Lives a story in as many runs as it takes."""

    def __init__(self, after_events: int | None) -> None:
        self._after_events = after_events
        self._first_events = FIRST_TASK_EVENTS
        self._long = False
        self.ui = UiCancellation()

    async def live(
        self,
        story: Coroutine[Any, Any, T],
        *,
        heed: Callable[[], Coroutine[Any, Any, None]],
        idle: Callable[[], bool],
        onward: Callable[[], BaseModel],
    ) -> T:
        """The story to its end. `heed` is what a cancellation from the UI asks for.

        While it is `idle`, it may continue as new with what `onward` says.
        """
        result = await self.ui.shield(self._in_runs(story, idle, onward), heed)
        await self.ui.heeded()
        # Others may have come meanwhile.
        await workflow.wait_condition(workflow.all_handlers_finished)
        return result

    def look(self) -> None:
        """Look whether the history is as long as the server, or the order's input, allows.

        To be called where something happens that is in the history: a request that is rejected is
        not, and what its workflow task looks like is no reason for anything.
        """
        info = workflow.info()
        length = info.get_current_history_length()
        enough = self._after_events is not None and length >= self._after_events
        if length > self._first_events:
            self._long = self._long or enough or info.is_continue_as_new_suggested()

    def taken_up(self) -> None:
        """The state of the earlier run is taken up; only what happens from here on counts.

        A run that continued because of what it takes to take up the state would do so for ever.
        """
        self._first_events = max(FIRST_TASK_EVENTS, workflow.info().get_current_history_length())
        self._long = False

    async def _in_runs(
        self,
        story: Coroutine[Any, Any, T],
        idle: Callable[[], bool],
        onward: Callable[[], BaseModel],
    ) -> T:
        life = asyncio.create_task(story)
        await self._watch(life, idle, onward)
        return await life

    async def _watch(
        self, life: asyncio.Task[Any], idle: Callable[[], bool], onward: Callable[[], BaseModel]
    ) -> None:
        """Until the life is over; or continue as new with what `onward` says.

        Reports come to the workflow after the messages of the same workflow task. So it is decided
        in a task of its own, on a timer, when all that has come is seen.
        """
        while not life.done():
            await workflow.wait_condition(lambda: life.done() or (self._long and idle()))
            if life.done():
                return
            await workflow.sleep(A_MOMENT, summary="Before it continues as new")
            await workflow.wait_condition(lambda: True)  # every other has had its turn
            if not life.done() and idle():
                workflow.continue_as_new(onward())


def broken(task: asyncio.Task[Any] | None) -> bool:
    """The task ended by a fault of ours, which a new run must not forget."""
    return task is not None and task.done() and task.exception() is not None
