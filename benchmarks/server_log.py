"""PostgreSQL's own log of what it was asked, one entry for each round trip.

An entry is a simple query, however many statements it holds, or one execution of a prepared
statement, or one fetch from a cursor.
"""

from __future__ import annotations

import re
from collections import Counter

_ENTRY = re.compile(
    r"^\d{4}-[^\]\n]*\] LOG:  (?:statement|execute (?P<portal>[^:]*)): "
    r"(?P<text>[^\n]*(?:\n\t[^\n]*)*)",
    re.MULTILINE,
)


def statements(log: bytes) -> Counter[str]:
    """What a piece of the log tells of, each in one line, and how often."""
    return Counter(
        ("fetch: " if (found["portal"] or "").startswith("fetch") else "")
        + " ".join(found["text"].split())
        for found in _ENTRY.finditer(log.decode(errors="replace"))
    )
