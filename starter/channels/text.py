"""From bytes to text, keeping the places of bytes that are not text."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from typing import Final, Protocol

from domain.errors import InvalidInput

# Bytes that could not be decoded become these characters, and are reported by line.
_UNDECODED: Final = re.compile("[\udc80-\udcff]")

NOT_UTF8: Final = "is not valid UTF-8; save it in that encoding"

NUMBER_TOO_LONG: Final = "holds a number of thousands of digits, which nothing here has"

LINE_BYTES_MAX: Final = 1_000_000
"""No table has a longer line."""


class Lines(Protocol):
    """A source of lines of bytes."""

    def readline(self, size: int, /) -> bytes: ...


def lines_of(source: bytes | Lines) -> Iterator[str]:
    """The lines of a text without their ends, each read when it is needed.

    Raises InvalidInput for a line that is too long.
    """
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    number = 0
    decoder: codecs.IncrementalDecoder | None = None
    rest = ""
    while line := stream.readline(LINE_BYTES_MAX + 1):
        number += 1
        if len(line) > LINE_BYTES_MAX:
            raise InvalidInput(
                f"line {number} has more than {LINE_BYTES_MAX:,} bytes, so this is no table: "
                "name a CSV file",
                where=getattr(stream, "name", None),
            )
        if number == 1 and (encoding := _utf16_of(line)):
            decoder = codecs.getincrementaldecoder(encoding)("replace")
        if decoder is not None:  # a line feed is half of a letter there
            *whole, rest = (rest + decoder.decode(line)).split("\n")
            yield from (text.rstrip("\r") for text in whole)
            continue
        text = decode(line) if number == 1 else line.decode("utf-8", errors="surrogateescape")
        yield text.removesuffix("\n").rstrip("\r")
    if rest:
        yield rest


def decode(data: bytes) -> str:
    """UTF-8 with or without a byte order mark. Other bytes stay recognizable.

    UTF-16, which spreadsheets call Unicode text, is understood as well.
    """
    if encoding := _utf16_of(data):
        return data.decode(encoding, errors="replace")
    return data.decode("utf-8-sig", errors="surrogateescape")


def _utf16_of(data: bytes) -> str | None:
    """Which UTF-16 it is: by its mark, or by a first letter that is half a zero byte."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if data[:1] == b"\0":
        return "utf-16-be"
    return "utf-16-le" if data[1:2] == b"\0" else None


def first_undecoded(text: str, start: int = 0, end: int | None = None) -> int | None:
    """Position of the first byte that was not UTF-8, or None."""
    found = _UNDECODED.search(text, start, len(text) if end is None else end)
    return None if found is None else found.start()


class LineNumbers:
    """Line numbers of positions in a text. Fast as long as the positions grow."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._line = 1

    def at(self, position: int) -> int:
        """The line of this position, counted from 1."""
        if position < self._position:
            self._position, self._line = 0, 1
        self._line += self._text.count("\n", self._position, position)
        self._position = position
        return self._line
