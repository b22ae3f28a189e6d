"""From bytes to text, keeping the places of bytes that are not text.

Text comes in UTF-8 or UTF-16 (which spreadsheets call Unicode text), with or without a byte order
mark, and its lines end as those of any system do. Another encoding is never guessed: the same bytes
are different letters in each of them.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from typing import Final, Protocol

from domain.errors import InvalidInput

# Bytes that could not be decoded become these characters, and are reported by line.
_UNDECODED: Final = re.compile("[\udc80-\udcff]")
_MARK: Final = "\ufeff"
# Files that were put together have the mark of each in the middle.
_MARKS: Final = re.compile(f"^{_MARK}+", re.MULTILINE)
_LINE_END: Final = re.compile("\r\n?")

NOT_UTF8: Final = "is not valid UTF-8; save it in that encoding"

WESTERN: Final = "cp1252"
"""What programs in the west write where they do not write UTF-8."""

NUMBER_TOO_LONG: Final = "holds a number of thousands of digits, which nothing here has"

LINE_CHARACTERS_MAX: Final = 1_000_000
"""No table has a longer line."""

_ENCODINGS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # It begins as the mark of UTF-16 does.
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NO_TEXT: Final = (
    (b"PK\x03\x04", "is a workbook or an archive"),
    (b"\xd0\xcf\x11\xe0", "is an Excel workbook"),
    (b"%PDF-", "is a PDF"),
    (b"\x1f\x8b", "is compressed"),
)


class Lines(Protocol):
    """A source of lines of bytes."""

    def readline(self, size: int, /) -> bytes: ...


def lines_of(source: bytes | Lines) -> Iterator[str]:
    """The lines of a text without their ends, each read when it is needed.

    Raises InvalidInput for a line that is too long, and for what is no text.
    """
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    where = getattr(stream, "name", None)
    chunk = stream.readline(LINE_CHARACTERS_MAX)
    if fault := no_text(chunk):
        raise InvalidInput(fault, where=where)
    encoding = _encoding_of(chunk)
    decoder = io.IncrementalNewlineDecoder(
        codecs.getincrementaldecoder(encoding)(_errors(encoding)), translate=True
    )
    number, rest = 0, ""
    while chunk:
        *whole, rest = (rest + decoder.decode(chunk)).split("\n")
        for line in whole:
            number += 1
            yield line.lstrip(_MARK)
        if len(rest) > LINE_CHARACTERS_MAX:
            raise InvalidInput(
                f"line {number + 1} has more than {LINE_CHARACTERS_MAX:,} characters, so this is "
                "no table: name a CSV file",
                where=where,
            )
        chunk = stream.readline(LINE_CHARACTERS_MAX)
    rest += decoder.decode(b"", final=True)
    if rest:
        yield from (line.lstrip(_MARK) for line in rest.removesuffix("\n").split("\n"))


def decode(data: bytes) -> str:
    """The whole text: its lines end with a line feed, and hold no byte order mark at the start.

    Bytes that are not text stay recognizable.
    """
    encoding = _encoding_of(data)
    text = data.decode(encoding, errors=_errors(encoding))
    if "\r" in text:
        text = _LINE_END.sub("\n", text)
    if _MARK in text:
        text = _MARKS.sub("", text)
    return text.removesuffix("\x1a")  # MS-DOS ends files with it.


def no_text(data: bytes) -> str:
    """Why a file that begins so cannot be read; empty if it may be text."""
    found = next((what for mark, what in _NO_TEXT if data.startswith(mark)), "")
    return f"{found}; save the table as CSV in UTF-8" if found else ""


def _encoding_of(data: bytes) -> str:
    """By its mark; or UTF-16 by a first letter that is half a zero byte."""
    for mark, encoding in _ENCODINGS:
        if data.startswith(mark):
            return encoding
    if data[:1] == b"\0" and data[1:2] != b"\0":
        return "utf-16-be"
    return "utf-16-le" if data[:1] and data[1:2] == b"\0" else "utf-8"


def _errors(encoding: str) -> str:
    return "surrogateescape" if encoding == "utf-8" else "orderloom.undecoded"


def in_letters(line: str, encoding: str) -> str:
    """A line that is not UTF-8, read in this encoding; as it was where that has no such letter.

    Only for who knows where a line comes from: the same bytes are other letters elsewhere.
    """
    try:
        return line.encode("utf-8", "surrogateescape").decode(encoding)
    except UnicodeDecodeError:
        return line


def is_marked(data: bytes) -> bool:
    """Whether a text says itself, by its first bytes, that it is no UTF-8."""
    return _encoding_of(data) != "utf-8"


def _undecoded(error: UnicodeError) -> tuple[str, int]:
    """A broken letter of two or four bytes is one that `first_undecoded` finds."""
    assert isinstance(error, UnicodeDecodeError)
    return "\udc80", error.end


codecs.register_error("orderloom.undecoded", _undecoded)


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
