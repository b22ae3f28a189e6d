"""The time. Everything in `store/` and `activities/` that asks for it asks here.

So a test can give the whole process another one: `with clock.reads(lambda: moment): …`. The
database has a clock of its own, which is set in each of its sessions (`moment()` in
`schema/kernel.sql`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime


class _Clock:
    """Not a context variable: activities begin tasks that share no context with their caller."""

    def __init__(self) -> None:
        self.read: Callable[[], datetime] = lambda: datetime.now(UTC)


_clock = _Clock()


def now() -> datetime:
    """The time, in UTC."""
    return _clock.read()


def today() -> date:
    """The day, by UTC."""
    return now().date()


@contextmanager
def reads(clock: Callable[[], datetime]) -> Iterator[None]:
    """Until the block ends, this clock tells the time in the whole process."""
    before, _clock.read = _clock.read, clock
    try:
        yield
    finally:
        _clock.read = before
