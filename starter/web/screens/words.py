"""What people read who work with orders: the sentences of all rooms."""

from __future__ import annotations

from typing import Final

from starter.web.screens.rooms import ROOMS
from starter.web.words import Words

FOLDERS: Final = tuple(room / "words" for room in ROOMS)


def screen_words(locale: str, time_zone: str = "UTC") -> Words:
    """The words of somebody who reads this language."""
    return Words(locale, time_zone, of=FOLDERS)
