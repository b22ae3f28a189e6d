"""Text from outside as it can be kept, printed and shown: nothing that garbles, nothing unseen.

What is not text is returned as it came, so that the caller's own check tells what it is.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any, Final

import pycountry

# Shops send them all the same. They go, with the marks beside them that nobody sees, and with the
# half of a letter that a shop's own limit cut through.
_DROPPED: Final = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def one_line(value: Any) -> Any:
    """Text on one line: white space of any kind becomes one space, and garbling marks go."""
    if not isinstance(value, str):
        return value
    text = value if value.isprintable() else _DROPPED.sub("", value)
    return " ".join(text.split())


def lines(value: Any) -> Any:
    """Text whose lines stay lines. All else that garbles goes."""
    if not isinstance(value, str):
        return value
    text = re.sub(r"\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", "\n", value)
    return _DROPPED.sub("", text.replace("\x1f", " ")).strip()


# Dashes that keyboards and word processors write.
_DASHES: Final = re.compile("[\u2010-\u2015\u2212\u30fc\ufe58\ufe63\uff0d]")


def plain_signs(value: Any) -> Any:
    """One line whose digits, spaces and dashes are those of a plain keyboard."""
    text = one_line(value)
    if not isinstance(text, str):
        return text
    return unicodedata.normalize("NFKC", _DASHES.sub("-", text))


# A language, perhaps a script, perhaps a region; what follows says nothing about the language.
_LANGUAGE_TAG: Final = re.compile(
    r"([a-z]{2,3})(?:[-_]([a-z]{4}))?(?:[-_]([a-z]{2}|[0-9]{3}))?(?:[-_.@,;: ].*)?", re.IGNORECASE
)


def language_tag(value: Any) -> str | None:
    """de_DE, EN_us.UTF-8, nl_NL_formal, de-DE,de;q=0.9 → de-DE, en-US, nl-NL, de-DE."""
    found = _LANGUAGE_TAG.fullmatch(one_line(value)) if isinstance(value, str) else None
    if found is None:
        return None
    language, script, region = (part or "" for part in found.groups())
    code = _language(language.lower())
    return "-".join(filter(None, (code, script.title(), region.upper()))) if code else None


@lru_cache(maxsize=1000)
def _language(code: str) -> str | None:
    """deu and ger → de: a language has a code of three letters only if it has none of two."""
    if len(code) == 2:
        return code
    try:
        language = pycountry.languages.lookup(code)
    except LookupError:
        return None
    return str(getattr(language, "alpha_2", language.alpha_3))
