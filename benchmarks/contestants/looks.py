"""One look for all who wait: a single question asks how far every order in flight is.

If each simulated customer looked for itself, the generator would cost as much as what it measures.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Generic, TypeVar

T = TypeVar("T")

TICK_S: Final = 0.1
"""From one look to the next, in seconds."""


class Looks(Generic[T]):
    """Answers for everybody who waits for the same kind of news.

    `look` is given the names that are waited for, and returns news of those that have any.
    """

    def __init__(
        self, look: Callable[[Sequence[str]], Awaitable[Mapping[str, T]]], tick_s: float = TICK_S
    ) -> None:
        self._look = look
        self._tick_s = tick_s
        self._waiting: dict[str, asyncio.Future[T]] = {}
        self._looking: asyncio.Task[None] | None = None

    async def of(self, name: str) -> T:
        """Wait for the news of this name. Raises the error of the look."""
        answer = self._waiting[name] = asyncio.get_running_loop().create_future()
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._go_on())
        try:
            news: T = await answer
            return news
        finally:
            del self._waiting[name]

    async def _go_on(self) -> None:
        while True:
            await asyncio.sleep(self._tick_s)
            names = [name for name, answer in self._waiting.items() if not answer.done()]
            if not names:
                return
            try:
                news = await self._look(names)
            except Exception as error:  # noqa: BLE001 - handed on to each caller of `of`, which raises it
                for name in names:
                    self._settle(name, error)
                return
            for name in names:
                if name in news:
                    self._settle(name, news[name])

    def _settle(self, name: str, outcome: T | Exception) -> None:
        answer = self._waiting.get(name)
        if answer is None or answer.done():  # its caller was cancelled
            return
        if isinstance(outcome, Exception):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)
