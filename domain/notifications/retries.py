"""When a message is sent again, and what a receiver's answer means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

PAUSES: Final[Sequence[timedelta]] = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)),
)
"""Before the second attempt, the third, and so on. After the last one an event is a dead letter."""

_JITTER: Final = 0.1

SLOW_DOWN: Final = (429, 502, 504)
GONE: Final = 410

REST: Final = timedelta(seconds=5)
REST_MAX: Final = timedelta(minutes=5)
ASKED_REST_MAX: Final = timedelta(hours=1)
FAILURES_BEFORE_REST: Final = 3
"""So many new events one after the other have failed: the receiver is away, whatever they say."""

GIVE_UP: Final = timedelta(days=5)
"""A subscription that has taken nothing for so long is disabled."""


@dataclass(frozen=True)
class Verdict:
    """What an answer means. `rest`: for so long nothing at all is sent to this receiver."""

    delivered: bool
    gone: bool = False
    rest: timedelta | None = None


def verdict(status: int | None, retry_after: timedelta | None = None) -> Verdict:
    """By the status of HTTP; None: no answer came. Any 2xx is a yes, and a redirect is none."""
    if status is not None and 200 <= status < 300:
        return Verdict(delivered=True)
    if status == GONE:
        return Verdict(delivered=False, gone=True)
    if status in SLOW_DOWN or (status == 503 and retry_after is not None):
        asked = REST if retry_after is None else retry_after
        return Verdict(delivered=False, rest=max(REST, min(asked, ASKED_REST_MAX)))
    return Verdict(delivered=False)


def pause_after(tries: int, chance: float) -> timedelta | None:
    """How long to wait after so many attempts, at least one; None: that was the last one.

    `chance`: 0 to 1, so that many messages do not all come again in the same second.
    """
    if tries > len(PAUSES):
        return None
    return PAUSES[tries - 1] * (1 + _JITTER * (2 * chance - 1))


def rest_after(failures: int) -> timedelta | None:
    """How long a receiver rests after so many new events, one after the other, have failed."""
    if failures < FAILURES_BEFORE_REST:
        return None
    doublings = min(failures - FAILURES_BEFORE_REST, 10)
    return min(REST * (1 << doublings), REST_MAX)
