"""What somebody typed, as the indexes of words are asked for it (`words_within` in the schema)."""

from __future__ import annotations

import re
from typing import NamedTuple


class Words(NamedTuple):
    """All of some words: as PostgreSQL's text search writes it, and as patterns for `like all`."""

    insides: str
    like_beginnings: list[str]


def words_in(text: str) -> list[str]:
    """The words of a text, in small letters."""
    return re.findall(r"[^\W_]+", text.lower())


def _is_east_asian(word: str) -> bool:
    """Whether it is written in Chinese, Japanese or Korean: two letters of it say much."""
    return ord(word[0]) > 0x2E80


def as_asked(words: list[str]) -> Words:
    """All of these words. What is shorter than three letters is looked for as a beginning alone."""
    long = [len(one) >= (2 if _is_east_asian(one) else 3) for one in words]
    each = list(zip(words, long, strict=True))
    return Words(
        insides=" & ".join(f"('{x}':* | '~{x}':*)" if y else f"'{x}':*" for x, y in each),
        like_beginnings=[f"% {one}%" for one in words],
    )
