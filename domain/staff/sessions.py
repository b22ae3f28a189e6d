"""How long somebody stays signed in, and how often they may try a password."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from domain.errors import Refused
from domain.words import span

IDLE: Final = timedelta(hours=12)
"""A session ends after so long without a request: a shift, and the way home."""

LASTS: Final = timedelta(days=7)
"""A session ends after so long, whatever happens in it."""

FREE_TRIES: Final = 5
"""So many wrong passwords in a row cost nothing. After that each one costs a wait."""

_FIRST_WAIT: Final = timedelta(seconds=15)
_LONGEST_WAIT: Final = timedelta(minutes=15)
FORGOTTEN_AFTER: Final = timedelta(days=1)
"""Wrong tries count no more after so long without another one."""

Means = Literal["password", "openid"]


class WrongSignIn(Refused):
    """Nobody comes in with this. Which part of it is wrong, is not told."""

    kind = "wrong_sign_in"


class TooManyTries(Refused):
    """Too many wrong passwords for this login. It is the same for one that is not there."""

    kind = "too_many_tries"

    def __init__(self, left: timedelta) -> None:
        super().__init__(
            f"too many wrong passwords: try again in {span(left)}", reason="too_many_tries"
        )
        self.left = left


class Session(BaseModel):
    """Where somebody is signed in. `agent`: what their browser calls itself."""

    model_config = ConfigDict(frozen=True)

    session_no: int
    login: str
    means: Means
    began_at: datetime
    seen_at: datetime
    ends_at: datetime
    agent: str
    address: str


def wait_after(wrong: int) -> timedelta:
    """How long after the last of so many wrong tries in a row the next one may come.

    15 seconds, then twice as long each time, a quarter of an hour at most.
    """
    if wrong < FREE_TRIES:
        return timedelta(0)
    doubled: int = 2 ** min(wrong - FREE_TRIES, 10)
    return min(_FIRST_WAIT * doubled, _LONGEST_WAIT)
