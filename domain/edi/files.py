"""A file may hold several interchanges, one behind the other."""

from __future__ import annotations

import re

from domain.edi.wire import ISA_CHARACTERS


def parts(raw: bytes) -> list[bytes]:
    """A file's interchanges, each for itself. What cannot be told apart stays together."""
    found: list[bytes] = []
    rest = raw.lstrip()
    while len(rest) > ISA_CHARACTERS and rest.startswith(b"ISA"):
        element, end = re.escape(rest[3:4]), re.escape(rest[105:106])
        trailer = re.search(rb"(?:%b|\n)\s*IEA%b[^%b]*%b" % (end, element, end, end), rest)
        behind = rest[trailer.end() :].lstrip() if trailer else b""
        if trailer is None or not behind:
            break
        found.append(rest[: trailer.end()])
        rest = behind
    return [*found, rest]
