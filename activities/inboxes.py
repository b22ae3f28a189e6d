"""Shared by the readers of messages from outside: when to try one again, and how to say why."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from domain.errors import OrderloomError
from domain.plain_text import one_line

PAUSE_MAX: Final = timedelta(hours=1)
ERROR_CHARACTERS_MAX: Final = 500


def pause_after(tries: int) -> timedelta:
    """How long a message that could not be applied waits: longer each time."""
    return min(PAUSE_MAX, timedelta(seconds=2.0 ** min(tries, 12)))


def said(error: Exception) -> str:
    """Why it could not, for a person. One message's defect must not stop the others."""
    return for_a_person(str(error) if isinstance(error, OrderloomError) else f"defect: {error!r}")


def for_a_person(text: str) -> str:
    """A reason as it is kept: short, on one line, without signs that no database takes.

    It may repeat a name out of the message, and that can be anything.
    """
    return str(one_line(text))[:ERROR_CHARACTERS_MAX]
