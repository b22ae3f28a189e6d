"""Orders in whatever form they come: told apart by content, never by a file's name."""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from domain.errors import InvalidInput
from starter.channels.csv_rows import columns_of
from starter.channels.json_orders import has_record_lines, read_json, read_json_lines
from starter.channels.northwind import is_northwind, read_northwind
from starter.channels.records import Record, unreadable
from starter.channels.text import NOT_UTF8, LineNumbers, decode, first_undecoded

BYTES_MAX: Final = 200_000_000
"""Of one file: a hundred thousand orders and more. Its bytes are read at once."""

STANDARD_INPUT: Final = "-"


def read_orders(data: bytes, customers: Mapping[str, str] | None = None) -> Iterator[Record]:
    """Every order in `data`, in order: one JSON object, an array, JSON Lines or a Northwind export.

    Never raises: whatever is wrong with the data is a record with problems. `customers` gives names
    to the customer ids of a Northwind export.
    """
    text = decode(data)
    content = text.lstrip(" \t\r\n")
    if not content:
        return iter([unreadable(1, "is empty: there is no order in it")])
    if is_northwind(columns_of(text)):
        return read_northwind(text, customers)
    if content[0] in "{[":
        return read_json(text)
    if has_record_lines(text):
        return read_json_lines(text)
    line = LineNumbers(text).at(len(text) - len(content))
    undecoded = first_undecoded(text)
    if undecoded is not None:
        return iter([unreadable(LineNumbers(text).at(undecoded), NOT_UTF8)])
    return iter(
        [
            unreadable(
                line,
                "is neither orders in JSON (an object, an array, or one on each line) "
                "nor a Northwind CSV export",
            )
        ]
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
        if getattr(error, "errno", None) == errno.EBADF:
            raise InvalidInput("is closed; name a file", where=label(file)) from None
        reason = getattr(error, "strerror", None) or str(error)
        raise InvalidInput(
            f"cannot be read ({reason}); name a file that can, or - for standard input",
            where=label(file),
        ) from None
    if len(data) > BYTES_MAX:
        raise InvalidInput(
            f"is larger than {BYTES_MAX // 1_000_000} MB; split it", where=label(file)
        )
    return data


def label(file: str) -> str:
    """What to call the file in a message."""
    return "standard input" if file == STANDARD_INPUT else file
