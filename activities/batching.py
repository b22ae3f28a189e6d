"""Group commit: what arrives while others of its kind are written is written together, next.

There is no timer: whatever contends with nobody is written at once. What would only wait for a row
lock that a batch under way holds waits here instead, without a connection, and shares the next one.
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
    """Answers one ask at a time, and writes as many together as have come.

    `write` writes a batch, all of it or nothing, and answers in the batch's sequence. `rivals_over`
    names what an ask contends for: two that share a name are never in two batches at once, and are
    written in the order in which they came. A batch is a single ask, or has a size of `size_max` at
    most; at most `writers_max` batches are written at once.

    Where a batch fails, each of its asks is written alone, so that a bad one fails nobody else;
    unless by one of the errors `hopeless`, of which all would fail.
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
        """Have it written, and return or raise what came of it.

        Whoever is cancelled meanwhile leaves its batch as it is; what has not begun is not written.
        """
        names = frozenset(self._rivals_over(ask))
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Entry(ask, names, self._size(ask), answer))
        if all(names.isdisjoint(busy) for busy in self._writing.values()):
            self._begin()  # a batch under way begins the next one itself
        return await answer

    def _begin(self) -> None:
        """Write what may be written now."""
        while len(self._writing) < self._writers_max and (batch := self._next()):
            # In a context of its own: it is no part of the call that happens to begin it.
            task = asyncio.create_task(self._settle(batch), context=Context())
            self._writing[task] = frozenset().union(*(entry.rivals_over for entry in batch))
            task.add_done_callback(self._ended)

    def _next(self) -> list[_Entry[Ask, Answer]]:
        """Those who have waited longest, of whom no rival is being written or waits before them."""
        busy = set[str]().union(*self._writing.values())
        batch: list[_Entry[Ask, Answer]] = []
        left = []
        room = self._size_max
        for entry in self._waiting:
            if entry.answer.done():
                continue  # cancelled
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
        except Exception as failure:  # noqa: BLE001 - it is for those who asked
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
                entry.answer.cancel()  # nothing, unless the writing itself was cancelled
