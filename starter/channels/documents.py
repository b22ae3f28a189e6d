"""Orders in any supported format, recognized by content and never by a file's name."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from domain.errors import InvalidInput
from starter.channels.json_orders import has_record_lines, read_json, read_json_lines
from starter.channels.marketplace import CHANNEL, read_marketplace, table_of
from starter.channels.northwind import is_northwind, read_northwind
from starter.channels.read_results import Record, unreadable
from starter.channels.text import (
    NOT_UTF8,
    LineNumbers,
    decode,
    first_undecoded,
    is_marked,
    no_text,
)

BYTES_MAX: Final = 200_000_000
"""The largest file: a hundred thousand orders and more. It is read at once."""

STANDARD_INPUT: Final = "-"


def read_orders(
    data: bytes, customers: Mapping[str, str] | None = None, *, channel: str = CHANNEL
) -> Iterator[Record]:
    """Every order in `data`, in order: JSON, JSON Lines, a marketplace's file, a Northwind export.

    Never raises: wrong data gives a record with problems. `customers` gives names to the customer
    ids of a Northwind export. `channel`: of a marketplace's orders.
    """
    text = decode(data)
    content = text.lstrip(" \t\n")
    if fault := no_text(data) or ("" if content else "is empty: there is no order in it"):
        return iter([unreadable(1, fault)])
    if content[0] in "{[":
        return read_json(text)
    return _read_lines(data, text, customers, channel)


def _read_lines(
    data: bytes, text: str, customers: Mapping[str, str] | None, channel: str
) -> Iterator[Record]:
    """What is no JSON document: a table, or a record on each line."""
    if table := table_of(text):
        return read_marketplace(text, table, channel, is_utf8=not is_marked(data))
    if is_northwind(text):
        return read_northwind(text, customers)
    if has_record_lines(text):
        return read_json_lines(text)
    line = LineNumbers(text).at(len(text) - len(text.lstrip(" \t\n")))
    undecoded = first_undecoded(text)
    if undecoded is not None:
        return iter([unreadable(LineNumbers(text).at(undecoded), NOT_UTF8)])
    return iter(
        [
            unreadable(
                line,
                "is neither orders in JSON (an object, an array, or one on each line) "
                "nor a marketplace's order file, nor a Northwind CSV export",
            )
        ]
    )


class Source:
    """A file that is read line by line and not held in memory. It knows how much has been read.

    `size`: its bytes, if that is known before the end.
    """

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()
        self.name = name
        self.bytes_read = 0
        try:
            about = os.fstat(stream.fileno())
        except OSError as error:
            raise _unreadable(error, name) from None
        self.size = about.st_size if stat.S_ISREG(about.st_mode) else None

    def readline(self, size: int, /) -> bytes:
        """The next line, or its first `size` bytes. Raises InvalidInput when it cannot be read."""
        try:
            line = self._stream.readline(size)
        except (OSError, ValueError) as error:
            raise _unreadable(error, self.name) from None
        self._digest.update(line)
        self.bytes_read += len(line)
        return line

    @property
    def digest(self) -> str:
        """A hash of the content that has been read so far."""
        return self._digest.hexdigest()


@contextmanager
def opened(file: str) -> Iterator[Source]:
    """A file, or standard input for `-`, to be read line by line. Raises InvalidInput."""
    if file == STANDARD_INPUT:
        yield Source(sys.stdin.buffer, label(file))
        return
    with ExitStack() as closing:
        try:
            stream = closing.enter_context(Path(file).open("rb"))
        except (OSError, ValueError) as error:
            raise _unreadable(error, file) from None
        yield Source(stream, file)


def _unreadable(error: OSError | ValueError, where: str) -> InvalidInput:
    if getattr(error, "errno", None) == errno.EBADF:
        return InvalidInput("is closed; name a file", where=where)
    reason = getattr(error, "strerror", None) or str(error)
    return InvalidInput(
        f"cannot be read ({reason}); name a file that can, or - for standard input", where=where
    )


def load(file: str) -> bytes:
    """The content of a file, or of standard input for `-`. Raises InvalidInput that names it."""
    try:
        if file == STANDARD_INPUT:
            data = sys.stdin.buffer.read(BYTES_MAX + 1)
        else:
            with Path(file).open("rb") as stream:
                data = stream.read(BYTES_MAX + 1)
    except (OSError, ValueError) as error:
        raise _unreadable(error, label(file)) from None
    if len(data) > BYTES_MAX:
        raise InvalidInput(
            f"is larger than {BYTES_MAX // 1_000_000} MB; split it", where=label(file)
        )
    return data


def label(file: str) -> str:
    """The file's name in a message."""
    return "standard input" if file == STANDARD_INPUT else file
