"""Passwords: which are good enough, and how they are kept. Argon2id, as RFC 9106 recommends it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from domain.errors import InvalidInput

LENGTH_MIN: Final = 10
LENGTH_MAX: Final = 200
_LOOKED_AT: Final = 70  # the estimate takes long for a long one, and what begins well is good
_GOOD: Final = 3  # of 4: it takes more than 10 to the power of 8 guesses (zxcvbn)
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # none that looks like another one
_hasher = PasswordHasher()


def check(password: str, *, about: Sequence[str]) -> None:
    """Raises InvalidInput for one that can be guessed. `about`: words that name the person."""
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
        raise InvalidInput(
            f"must have {LENGTH_MIN} to {LENGTH_MAX} characters",
            where="password",
            reason="password_length",
        )
    from zxcvbn import zxcvbn  # noqa: PLC0415 - its lists of words load for long, and few need them

    guessed = zxcvbn(password[:_LOOKED_AT], user_inputs=[*about, "orderloom"])
    if guessed["score"] < _GOOD:
        why = guessed["feedback"]["warning"].rstrip(".")
        raise InvalidInput(
            f"is easy to guess{f' ({why.lower()})' if why else ''}: take several words that have "
            "nothing to do with each other",
            where="password",
            reason="password_weak",
        )


def drawn() -> str:
    """A password that nobody guesses, and that can be read out: four groups of five signs."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(4))


async def encoded(password: str) -> str:
    """As it is kept. It takes a while on purpose, and other requests go on meanwhile."""
    return await asyncio.to_thread(_hasher.hash, password)


async def fits(kept: str | None, password: str) -> bool:
    """Whether it is the one that is kept. It takes as long where none is."""
    return await asyncio.to_thread(_fits, kept, password)


def is_outdated(kept: str) -> bool:
    """Whether it was made with a lower cost than new ones are."""
    return _hasher.check_needs_rehash(kept)


@cache
def _nobodys() -> str:
    """What is compared with where nothing is kept."""
    return _hasher.hash(secrets.token_urlsafe(16))


def _fits(kept: str | None, password: str) -> bool:
    try:
        _hasher.verify(kept or _nobodys(), password)
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None
