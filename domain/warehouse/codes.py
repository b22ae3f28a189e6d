"""A code as a scanner types it, and what it may have been on the goods. Pure.

The same GTIN is written with more or fewer zeros, within a GS1 code with a lot behind it, or in a
web address. A scanner types like a keyboard: where the computer has another layout than the scanner
thinks, or Caps Lock is on, other signs arrive than were printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

_GTIN: Final = range(8, 15)
"""How many digits one has; shorter ones may be written with zeros in front."""
_SYMBOLOGY: Final = re.compile(r"\][A-Za-z][0-9A-Za-z]")
"""What some scanners type before a code: which kind of barcode it was."""
_BRACKETS: Final = re.compile(r"\(0[12]\)(\d{14})")
_LINK: Final = re.compile(r"https?://\S+?/0?1/(\d{8,14})(?=[/?#]|\Z)", re.IGNORECASE)
_ENDS: Final = "\x1d"  # FNC1: the end of a part whose length is not fixed
_FIXED: Final[Mapping[str, int]] = {
    "00": 18,
    "01": 14,
    "02": 14,
    "20": 2,
    **dict.fromkeys(("11", "12", "13", "15", "16", "17"), 6),
}
"""Parts of a GS1 code whose length is fixed: what is in them, and how long it is."""

_FIRST: Final = (
    *("r", "R", "s", "e", "E", "f", "a", "q", "Q", "t"),
    *("T", "d", "w", "W", "c", "z", "x", "v", "g"),
)
_MIDDLE: Final = (
    *("k", "o", "i", "O", "j", "p", "u", "P", "h", "hk", "ho"),
    *("hl", "y", "n", "nj", "np", "nl", "b", "m", "ml", "l"),
)
_LAST: Final = (
    *("", "r", "R", "rt", "s", "sw", "sg", "e", "f", "fr", "fa", "fq", "ft", "fx"),
    *("fv", "fg", "a", "q", "qt", "t", "T", "d", "w", "c", "z", "x", "v", "g"),
)
_LETTERS: Final = "ㄱㄲㄳㄴㄵㄶㄷㄸㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅃㅄㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_LETTER_KEYS: Final = (
    *("r", "R", "rt", "s", "sw", "sg", "e", "E", "f", "fr", "fa", "fq", "ft", "fx", "fv"),
    *("fg", "a", "q", "Q", "qt", "t", "T", "d", "w", "W", "c", "z", "x", "v", "g"),
)
_SYLLABLES: Final = range(0xAC00, 0xD7A4)
_KEYS: Final[Mapping[str, str]] = {
    **dict(zip(_LETTERS, _LETTER_KEYS, strict=True)),
    **{chr(0x314F + n): keys for n, keys in enumerate(_MIDDLE)},
}
"""Single Korean letters, and the keys of an English keyboard on which they lie."""
_GERMAN: Final = str.maketrans("yzYZßÖö", "zyZY-:;")
"""What a German keyboard writes for the keys of an English one."""


def forms(code: str) -> list[str]:
    """What a code may have been on the goods, the most likely first: as it came."""
    code = code.strip()
    return list(dict.fromkeys(form for form in _forms(code) if form))


def _forms(code: str) -> Iterator[str]:
    yield code
    plain = code[3:].lstrip(_ENDS) if _SYMBOLOGY.match(code) else code
    yield plain
    for one in (plain, as_typed(plain)):
        yield one
        gtin = _gtin_in(one)
        if gtin is not None:
            yield from _zeros(gtin)
        elif _is_gtin(one):
            yield from _zeros(one)
        yield from (one.upper(), one.lower(), one.swapcase())


def as_typed(code: str) -> str:
    """The keys that were pressed, where a Korean or German keyboard made other signs of them."""
    if any(sign in _KEYS or ord(sign) in _SYLLABLES for sign in code):
        return "".join(_keys_of(sign) for sign in code)
    return code.translate(_GERMAN) if any(sign in code for sign in "ßÖö") else code


def _keys_of(sign: str) -> str:
    if ord(sign) not in _SYLLABLES:
        return _KEYS.get(sign, sign)
    rest, last = divmod(ord(sign) - _SYLLABLES.start, len(_LAST))
    first, middle = divmod(rest, len(_MIDDLE))
    return _FIRST[first] + _MIDDLE[middle] + _LAST[last]


def _gtin_in(code: str) -> str | None:
    """The GTIN in a GS1 code or in the web address of an item."""
    found = _BRACKETS.search(code) or _LINK.match(code)
    return found[1] if found else _element(code)


def _element(code: str) -> str | None:
    """The GTIN among the parts of a GS1 code that is written without brackets."""
    while code:
        part = code[:2]
        if part not in _FIXED:
            _, _, code = code.partition(_ENDS)
            continue
        value, code = code[2 : 2 + _FIXED[part]], code[2 + _FIXED[part] :].lstrip(_ENDS)
        if part in ("01", "02"):
            return value if len(value) == _FIXED[part] and _is_valid(value) else None
    return None


def _is_valid(gtin: str) -> bool:
    """Whether its last digit is the one that the others call for."""
    if not (gtin.isascii() and gtin.isdecimal()):
        return False
    return sum(int(digit) * (3, 1)[n % 2] for n, digit in enumerate(reversed(gtin), 1)) % 10 == 0


def _is_gtin(code: str) -> bool:
    return code.isascii() and code.isdecimal() and len(code) in _GTIN


def _zeros(gtin: str) -> Iterator[str]:
    """The same GTIN as readers and lists write it: with and without zeros in front."""
    digits = gtin.lstrip("0")
    yield gtin
    yield from (digits.zfill(n) for n in reversed(_GTIN) if n >= len(digits))
