"""What all streams of events share: one look for news, and how many of them a key may have."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from starter.http.problems import ProblemError
from starter.service.service import Service

LOOK_EVERY_S: Final = 1.0

OF_A_KEY_MAX: Final = 50
"""Each stream holds a connection, and no key may take those of all others."""


class Streams:
    """The streams of this program. One look a second serves all of them, however many they are."""

    def __init__(self, here: Service) -> None:
        self._here = here
        self._of_keys: Counter[str] = Counter()
        self._newest = 0
        self._next_look = 0.0
        self._one_at_a_time = asyncio.Lock()

    def check_room(self, key_id: str) -> None:
        """Raises ProblemError (429) where the key has too many."""
        if self._of_keys[key_id] >= OF_A_KEY_MAX:
            raise ProblemError(
                429,
                "too_many_streams",
                f"the key has {OF_A_KEY_MAX} streams already: end one of them first",
                retryable=True,
            )

    @contextmanager
    def counted(self, key_id: str) -> Iterator[None]:
        """Count a stream of a key while it flows."""
        self._of_keys[key_id] += 1
        try:
            yield
        finally:
            self._of_keys[key_id] -= 1
            if not self._of_keys[key_id]:
                del self._of_keys[key_id]

    async def newest(self) -> int:
        """The position of the newest event, a second old at most. Raises Unreachable."""
        async with self._one_at_a_time:
            now = asyncio.get_running_loop().time()
            if now >= self._next_look:
                # Set before the look: while the database is away, streams do not wait in a row.
                self._next_look = now + LOOK_EVERY_S
                self._newest = (await self._here.subscriptions.read(None)).position
        return self._newest
