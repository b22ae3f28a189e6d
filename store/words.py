"""What somebody typed, as the indexes of words are asked for it (`words_within` in the schema)."""

from __future__ import annotations

import unicodedata
from typing import Final, NamedTuple

_INDEXED: Final = 40
"""Letters of a word that the index has."""


class Words(NamedTuple):
    """All of some words: as PostgreSQL's text search writes it, and as patterns for `like all`."""

    insides: str
    like_beginnings: list[str]


def words_in(text: str) -> list[str]:
    """The words of a text, in small letters, each as long as the index has it.

    A mark above or below a letter belongs to it. One letter becomes one letter, as in PostgreSQL.
    """
    letters = (one.lower()[0] if _is_of_a_word(one) else " " for one in _composed(text))
    return [word[:_INDEXED] for word in "".join(letters).split()]


def _composed(text: str) -> str:
    """A letter and its mark as one letter, however they were typed."""
    return unicodedata.normalize("NFC", text)


def _is_of_a_word(letter: str) -> bool:
    return letter.isalnum() or unicodedata.category(letter).startswith("M")


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
