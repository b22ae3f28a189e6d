"""What people read who work with orders; see `starter.web.customer.words` for the catalogues."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from domain.sellers import Language
from starter.web.customer.words import Sentence, Words

FOLDER: Final = Path(__file__).parent / "words"


@cache
def catalogue(language: Language) -> Mapping[str, Sentence]:
    """All sentences of a language, by their keys."""
    with (FOLDER / f"{language}.toml").open("rb") as file:
        return tomllib.load(file)


def screen_words(locale: str, time_zone: str = "UTC") -> Words:
    """The words of somebody who reads this language."""
    return Words(locale, time_zone, of=catalogue)
