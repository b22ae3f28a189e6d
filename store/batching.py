"""Group commit: asks that arrive while a batch is being written share the next batch.

There is no timer: an ask without rivals is written at once. An ask that would only wait for a row
lock of the batch being written waits here instead. It needs no connection meanwhile, and shares the
next batch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextvars import Context
from dataclasses import dataclass
from typing import Generic, TypeVar

Ask = TypeVar("Ask")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class _Entry(Generic[Ask, Answer]):
    ask: Ask
    rivals_over: frozenset[str]
    size: int
    answer: asyncio.Future[Answer]


class Batching(Generic[Ask, Answer]):
    """Answers each ask alone, and writes as many together as have arrived.

    `write` writes a batch, all of it or nothing, and returns the answers in the batch's sequence.
    `rivals_over` names the rows that an ask contends for: two asks that share a name are never in
    two batches at once, and are written in the order of their arrival. A batch is one ask of any
    size, or several with a total size of at most `size_max`; at most `writers_max` batches are
    written at once.

    When a batch fails, each of its asks is written alone, so that a bad ask fails no other. The
    errors in `hopeless` would fail each of them, so they are given to all at once.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Ask]], Awaitable[Sequence[Answer]]],
        *,
        rivals_over: Callable[[Ask], Iterable[str]],
        size: Callable[[Ask], int],
        size_max: int,
        writers_max: int,
        hopeless: tuple[type[Exception], ...] = (),
    ) -> None:
        self._write = write
        self._rivals_over = rivals_over
        self._size = size
        self._size_max = size_max
        self._writers_max = writers_max
        self._hopeless = hopeless
        self._waiting: list[_Entry[Ask, Answer]] = []
        self._writing: dict[asyncio.Task[None], frozenset[str]] = {}

    async def answer(self, ask: Ask) -> Answer:
        """Write the ask, perhaps together with others. Returns its answer or raises its failure.

        A caller that is cancelled leaves its batch as it is; an ask whose batch has not begun is
        never written.
        """
        names = frozenset(self._rivals_over(ask))
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Entry(ask, names, self._size(ask), answer))
        if all(names.isdisjoint(busy) for busy in self._writing.values()):
            self._begin()  # A batch under way begins the next one itself.
        return await answer

    def _begin(self) -> None:
        """Start every batch that may start now."""
        while len(self._writing) < self._writers_max and (batch := self._next()):
            # The task gets a context of its own, because it is no part of the call that starts it.
            task = asyncio.create_task(self._settle(batch), context=Context())
            self._writing[task] = frozenset().union(*(entry.rivals_over for entry in batch))
            task.add_done_callback(self._ended)

    def _next(self) -> list[_Entry[Ask, Answer]]:
        """The next batch: the oldest asks without a rival that is being written or waits before."""
        busy = set[str]().union(*self._writing.values())
        batch: list[_Entry[Ask, Answer]] = []
        left = []
        room = self._size_max
        for entry in self._waiting:
            if entry.answer.done():
                continue  # Its caller was cancelled.
            fits = entry.size <= room or not batch
            if fits and busy.isdisjoint(entry.rivals_over):
                batch.append(entry)
                room -= entry.size
            else:
                busy |= entry.rivals_over
                left.append(entry)
        self._waiting = left
        return batch

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._writing[task]
        self._begin()

    async def _settle(self, batch: Sequence[_Entry[Ask, Answer]]) -> None:
        """Give every entry its answer or its failure."""
        try:
            answers = await self._write([entry.ask for entry in batch])
        except Exception as failure:  # noqa: BLE001 - each caller gets the failure of its ask
            if len(batch) > 1 and not isinstance(failure, self._hopeless):
                for entry in batch:
                    if not entry.answer.done():
                        await self._settle([entry])
                return
            for entry in batch:
                if not entry.answer.done():
                    entry.answer.set_exception(failure)
        else:
            for entry, answer in zip(batch, answers, strict=True):
                if not entry.answer.done():
                    entry.answer.set_result(answer)
        finally:
            for entry in batch:
                entry.answer.cancel()  # Does nothing, unless the writing itself was cancelled.
