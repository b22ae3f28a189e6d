"""A file may hold several interchanges, one behind the other."""

from __future__ import annotations

import re
from typing import Final

from domain.edi.wire import ISA_CHARACTERS, beginning


def parts(raw: bytes) -> list[bytes]:
    """A file's interchanges, each for itself. What cannot be told apart stays together.

    One that was cut off ends where the next one begins.
    """
    raw = beginning(raw)
    found: list[bytes] = []
    at = 0
    while raw.startswith(b"ISA", at) and len(raw) > at + ISA_CHARACTERS:
        ends = _end_of(raw[at : at + ISA_CHARACTERS]).search(raw, at + ISA_CHARACTERS - 1)
        begins = None if ends is None else _BEHIND.match(raw, ends.end())
        if ends is None or begins is None or begins.end() == len(raw):
            break
        found.append(raw[at : ends.end()])
        at = begins.end()
    return [*found, raw[at:]]


_BEHIND: Final = re.compile(rb"\s*")


def _end_of(header: bytes) -> re.Pattern[bytes]:
    """Its trailer, or the header of the next one. However long a file is, it is read once."""
    element, end = re.escape(header[3:4]), re.escape(header[105:106])
    return re.compile(
        rb"(?:%b|\n)[ \r\n]{0,8}(?:IEA%b[^%b]*%b|(?=ISA%b))" % (end, element, end, end, element)
    )
