"""What people read who work with orders; see `starter.web.customer.words` for the catalogues."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from domain.sellers import Language
from starter.web.customer.words import Sentence, Words

_ROOMS: Final = ("screens", "desk")
FOLDERS: Final = tuple(Path(__file__).parents[1] / room / "words" for room in _ROOMS)


@cache
def catalogue(language: Language) -> Mapping[str, Sentence]:
    """All sentences of a language, by their keys: those of each room."""
    together: dict[str, Sentence] = {}
    for folder in FOLDERS:
        with (folder / f"{language}.toml").open("rb") as file:
            together |= tomllib.load(file)
    return together


def screen_words(locale: str, time_zone: str = "UTC") -> Words:
    """The words of somebody who reads this language."""
    return Words(locale, time_zone, of=catalogue)
