"""The font for each letter, so that a name is printed as its owner writes it.

Latin (Vietnamese, Romanian, Welsh and Maltese among them), Greek and Cyrillic letters are of Noto
Sans; Hebrew, Arabic, Thai and Georgian ones of FiraGO. The letters that a document needs are
embedded in it. No package has an open font with Korean, Japanese and Chinese letters that is kept
up: these are in the fonts that PDF readers keep for them. A letter that none of them has is printed
as the nearest one that they have; no code is ever printed.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from itertools import groupby
from typing import Final
from xml.sax.saxutils import escape

from arabic_reshaper import reshape
from bidi import get_display
from pymupdf_fonts import myfont
from reportlab.lib.fonts import addMapping
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import registerFont, stringWidth
from reportlab.pdfbase.ttfonts import TTFont

from domain.letters import nearest_ascii

REGULAR: Final = "NotoSans"
_BOLD: Final = "NotoSans-Bold"
# A font's name here, and in the package.
_LETTERS: Final = {False: REGULAR, True: _BOLD}
_FURTHER: Final = {False: "FiraGO", True: "FiraGO-Bold"}
_PACKAGED: Final = {
    REGULAR: "notos",
    _BOLD: "notosbo",
    _FURTHER[False]: "figo",
    _FURTHER[True]: "figbo",
}
# A font of PDF readers, and the character set of its letters.
_ASIAN: Final = {
    "cp949": "HYGothic-Medium",
    "cp932": "HeiseiKakuGo-W5",
    "gbk": "STSong-Light",
    "big5": "MSung-Light",
}
# Letters of this script change their places beside each other, which nothing here does.
_UNSHAPED: Final = range(0x900, 0x980)


def markup(text: str, *, bold: bool = False) -> str:
    """Text as a paragraph of reportlab: taken literally, with a font for each run of letters."""
    return "<br/>".join(
        "".join(f'<font name="{font}">{escape(run)}</font>' for font, run in _runs(line, bold=bold))
        for line in text.split("\n")
    )


def width(text: str, size: float) -> float:
    """The width of digits and Latin letters, in points."""
    _embedded(REGULAR)
    return float(stringWidth(text, REGULAR, size))


def _runs(text: str, *, bold: bool) -> Iterator[tuple[str, str]]:
    """(font, run of letters). Letters that are written in parts are combined first."""
    whole = _from_the_right(unicodedata.normalize("NFC", text))
    letters = (shown for letter in whole for shown in _shown(letter))
    for font, run in groupby(letters, key=lambda letter: _font(letter, bold) or REGULAR):
        yield font, "".join(run)


def _from_the_right(text: str) -> str:
    """Letters of scripts that run to the left, in the order and the shape in which they stand."""
    if not any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in text):
        return text
    return str(get_display(reshape(text)))


@cache
def _shown(letter: str) -> str:
    """The letter, or the nearest that a font has; nothing for what cannot be seen."""
    if letter.isspace():
        return " "
    if not letter.isprintable():
        return ""
    if _font(letter, bold=False):
        return letter
    for simpler in (unicodedata.normalize("NFKC", letter), unicodedata.normalize("NFD", letter)[0]):
        if all(_font(part, bold=False) for part in simpler):
            return simpler
    return nearest_ascii(letter, ideographs=True)


@cache
def _font(letter: str, bold: bool) -> str | None:
    """The first font that has the letter, registered with reportlab."""
    for name in (_LETTERS[bold], _FURTHER[bold]):
        if ord(letter) in _embedded(name) and ord(letter) not in _UNSHAPED:
            return name
    for charset, name in _ASIAN.items():
        try:
            letter.encode(charset)
        except UnicodeEncodeError:
            continue
        return _of_readers(name)
    return None


@cache
def _embedded(name: str) -> frozenset[int]:
    """The codes of the letters that a packaged font has; it is registered with reportlab."""
    font = TTFont(name, BytesIO(myfont(_PACKAGED[name])), asciiReadable=False)
    registerFont(font)
    addMapping(name, 0, 0, name)
    return frozenset(font.face.charToGlyph)


@cache
def _of_readers(name: str) -> str:
    registerFont(UnicodeCIDFont(name))
    return name
