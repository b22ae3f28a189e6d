"""The font for each letter, so that a name is printed as its owner writes it.

No font is embedded: Latin letters are in the font that every PDF reader has; Korean, Japanese and
Chinese letters, with Russian and plain Greek, are in the fonts that readers keep for these
languages. A letter that none of them has, or a character that is no letter, is printed as its code.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import groupby
from typing import Final
from xml.sax.saxutils import escape

from reportlab.lib.fonts import addMapping
from reportlab.pdfbase._glyphlist import _glyphname2unicode
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import (
    Encoding,
    Font,
    getTypeFace,
    registerEncoding,
    registerFont,
    stringWidth,
)

REGULAR: Final = "Helvetica"
_BOLD: Final = "Helvetica-Bold"
_BASE: Final = "WinAnsiEncoding"

_WESTERN: Final = "cp1252"
# Central European, Turkish, Baltic: encodings that reach more letters of the same font.
_EUROPEAN: Final = ("cp1250", "cp1254", "cp1257")
# A font of PDF readers, and the character set of its letters.
_ASIAN: Final = {
    "cp949": "HYGothic-Medium",
    "cp932": "HeiseiKakuGo-W5",
    "gbk": "STSong-Light",
    "big5": "MSung-Light",
}


def markup(text: str, *, bold: bool = False) -> str:
    """Text as a paragraph of reportlab: taken literally, with a font for each run of letters."""
    return "<br/>".join(
        "".join(f'<font name="{font}">{escape(run)}</font>' for font, run in _runs(line, bold=bold))
        for line in text.split("\n")
    )


def width(text: str, size: float) -> float:
    """The width of digits and Latin letters, in points."""
    return float(stringWidth(text, REGULAR, size))


def _runs(text: str, *, bold: bool) -> Iterator[tuple[str, str]]:
    """(font, run of letters). Letters that are written in parts are combined first."""
    letters = (shown for letter in unicodedata.normalize("NFC", text) for shown in _shown(letter))
    for charset, run in groupby(letters, key=_charset):
        yield _font(charset or _WESTERN, _BOLD if bold else REGULAR), "".join(run)


def _shown(letter: str) -> str:
    """The letter, or its code, such as \\u200b, when no font has it or it cannot be seen."""
    if unicodedata.category(letter) == "Zs":
        return " "
    if not letter.isprintable() or _charset(letter) is None:
        return ascii(letter)[1:-1]
    return letter


@cache
def _charset(letter: str) -> str | None:
    """The first character set that has the letter."""
    for charset in (_WESTERN, *_EUROPEAN, *_ASIAN):
        try:
            letter.encode(charset)
        except UnicodeEncodeError:
            continue
        return charset
    return None


@cache
def _font(charset: str, face: str) -> str:
    """The name of the font for these letters, registered with reportlab."""
    if charset == _WESTERN:
        return face
    if charset in _ASIAN:
        registerFont(UnicodeCIDFont(_ASIAN[charset]))
        return _ASIAN[charset]
    _teach(charset, face)
    name = f"{face}-{charset}"
    registerFont(Font(name, face, charset))
    addMapping(name, 0, 0, name)
    return name


def _teach(charset: str, face: str) -> None:
    """Tell reportlab the codes of a font's glyphs in a charset, and their widths.

    An accent makes no letter wider: a letter of unknown width gets the width of the bare letter.
    That only decides where lines are broken.
    """
    encoding = Encoding(charset, _BASE)
    widths = getTypeFace(face).glyphWidths
    for code in range(0x80, 0x100):
        letter = bytes([code]).decode(charset, errors="replace")
        if _charset(letter) == charset:
            glyph = _glyphs()[letter]
            bare = unicodedata.normalize("NFD", letter)[0]
            widths.setdefault(glyph, stringWidth(bare, face, 1000))
            encoding[code] = glyph
    registerEncoding(encoding)


@cache
def _glyphs() -> dict[str, str]:
    """Letter → the name of its glyph. Of several names, the longest is the standard's."""
    names = sorted(_glyphname2unicode.items(), key=lambda item: len(item[0]))
    return {chr(code): name for name, code in names}
