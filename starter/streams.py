"""Standard input, output and error where the caller closed them, as with `orderloom orders >&-`.

Python has None for such a stream, and the system gives its number to the next file or connection
that is opened: what is written for the terminal would go there.
"""

from __future__ import annotations

import os
import sys


def open_closed_streams() -> None:
    """Put something in the place of each closed stream.

    Reading standard input and writing standard output then fail as what they are, a bad file
    descriptor. Complaints on standard error are dropped: there is nobody to tell.
    """
    if sys.stdin is None:
        sys.stdin = open(_taken(0, os.O_WRONLY), encoding="utf-8")  # noqa: SIM115  # for good
    if sys.stdout is None:
        sys.stdout = open(_taken(1, os.O_RDONLY), "w", encoding="utf-8")  # noqa: SIM115  # for good
    if sys.stderr is None:
        sys.stderr = open(_taken(2, os.O_WRONLY), "w", encoding="utf-8")  # noqa: SIM115  # for good


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
