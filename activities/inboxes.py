"""What the readers of messages from outside share: when one is tried again, and what is said."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from domain.errors import OrderloomError

PAUSE_MAX: Final = timedelta(hours=1)
ERROR_CHARACTERS_MAX: Final = 500


def pause_after(tries: int) -> timedelta:
    """How long a message that could not be applied waits: longer each time."""
    return min(PAUSE_MAX, timedelta(seconds=2.0 ** min(tries, 12)))


def said(error: Exception) -> str:
    """Why it could not, for a person. One message's defect must not stop the others."""
    text = str(error) if isinstance(error, OrderloomError) else f"defect: {error!r}"
    return text[:ERROR_CHARACTERS_MAX]
