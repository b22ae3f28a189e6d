"""The number of orders of a file that are placed at once: as many as full speed allows."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

SLOWER: Final = 1.25
"""Answers that take so many times as long as the quickest say that orders wait for each other."""

REMEMBERED: Final = 50
"""The quickest is looked for among so many answers: what is slow for long is the usual."""

BEGIN_WITH: Final = 2


class Pace:
    """Gives turns, at first a few at a time and never more than `most`.

    Like TCP Vegas (Brakmo and Peterson, 1995), it watches how long answers take: one more at once
    after a round of quick answers, half as many after a slow one. So a file of many orders takes
    only free capacity, and leaves room for others on the same processors.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._limit = float(min(BEGIN_WITH, most))
        self._taken = 0
        self._recent: deque[float] = deque(maxlen=REMEMBERED)
        self._changed = asyncio.Condition()

    @property
    def limit(self) -> int:
        """The number of turns that may be taken now."""
        return int(self._limit)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn, and give it back after the block.

        In the block, report how long the answer `took`.
        """
        async with self._changed:
            await self._changed.wait_for(lambda: self._taken < self.limit)
            self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1
            async with self._changed:
                self._changed.notify_all()

    def took(self, seconds: float) -> None:
        """Note how long an answer took.

        Do not call it without an answer: the server may be away.
        """
        self._recent.append(seconds)
        if seconds > SLOWER * min(self._recent):
            self._limit = max(1.0, self._limit / 2)
        else:
            self._limit = min(float(self._most), self._limit + 1 / self._limit)
