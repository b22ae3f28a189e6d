"""What people read who work with orders: the sentences of all rooms."""

from __future__ import annotations

from typing import Final

from starter.web.screens.rooms import ROOMS
from starter.web.words import Words

FOLDERS: Final = tuple(
    folder
    for room in ROOMS
    for folder in (
        room / "words",
        *sorted(one for one in (room / "words").iterdir() if one.is_dir()),
    )
)
"""A room that has many sentences keeps those of one page in a folder below its `words`."""


def screen_words(locale: str, time_zone: str = "UTC") -> Words:
    """The words of somebody who reads this language."""
    return Words(locale, time_zone, of=FOLDERS)
