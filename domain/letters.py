"""The nearest letters for receivers that know few: names stay readable, and nothing is a code."""

from __future__ import annotations

import unicodedata
from typing import Final

from anyascii import anyascii

# Both are capitals, as registers of companies write them; the library has "Aether".
_LIGATURES: Final = str.maketrans({"Æ": "AE", "Œ": "OE"})


def nearest_ascii(text: str, *, ideographs: bool = False) -> str:
    """The text in ASCII: Łódź is Lodz. Signs that cannot be spelled are left out.

    `ideographs`: spell Chinese characters as Mandarin does. Japanese and Korean readers do not know
    their own names so, and they are left out of names.
    """
    return "".join(_nearest(letter, ideographs) for letter in _composed(text).translate(_LIGATURES))


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _nearest(letter: str, ideographs: bool) -> str:
    if letter.isascii():
        return letter
    if not ideographs and unicodedata.name(letter, "").startswith("CJK "):
        return ""
    if unicodedata.category(letter).startswith("Z"):
        return " "
    spelled = anyascii(letter)
    # The library names pictures: ":coffee:".
    return "" if spelled.startswith(":") and len(spelled) > 1 else spelled
