"""Standard input, output and error: whatever the caller's terminal is, and if it closed them.

Python has None for a stream that was closed, as with `orderloom orders >&-`, and the system gives
its number to the next file or connection that is opened: what is written for the terminal would go
there. And a terminal may have an encoding that lacks letters which a name or our own words have.
"""

from __future__ import annotations

import codecs
import io
import os
import sys
from typing import Final

_PLAIN: Final = "orderloom.plain"
_SIGNS: Final = {"×": "x", "→": "->", "…": "...", "–": "-", "—": "-", "−": "-", "·": "."}
"""The signs that our own texts use, as a typewriter has them."""


def prepare_streams() -> None:
    """Make the standard streams take whatever a program may say, so that none ends by a name.

    Closed streams are replaced. Reading standard input and writing standard output then fail as
    what they are, a bad file descriptor. Complaints on standard error are dropped: there is nobody
    to tell.
    """
    if sys.stdin is None:
        sys.stdin = open(_taken(0, os.O_WRONLY), encoding="utf-8")  # noqa: SIM115  # for good
    if sys.stdout is None:
        sys.stdout = open(_taken(1, os.O_RDONLY), "w", encoding="utf-8")  # noqa: SIM115  # for good
    if sys.stderr is None:
        sys.stderr = open(_taken(2, os.O_WRONLY), "w", encoding="utf-8")  # noqa: SIM115  # for good
    codecs.register_error(_PLAIN, _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_PLAIN)


def _plain(error: UnicodeError) -> tuple[str | bytes, int]:
    """The replacement for letters that the terminal's encoding lacks."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letter = error.object[error.start]
    return _SIGNS.get(letter) or ascii(letter)[1:-1], error.start + 1


def _taken(number: int, mode: int) -> int:
    """The null device under the stream's own number, if nothing else has that by now."""
    handle = os.open(os.devnull, mode)
    try:
        os.fstat(number)
    except OSError:
        os.dup2(handle, number)
        os.close(handle)
        return number
    return handle
