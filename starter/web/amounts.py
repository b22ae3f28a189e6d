"""Amounts and rates as people type them into forms: in their language, or plain.

A German types 12,50 and 1.234,50; who reads English or Korean types 12.50 and 1,234.50. A plain
12.50, as documents have it, is fine for all. What can be read in two ways is never guessed at.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from babel import Locale
from babel.numbers import NumberFormatError, get_decimal_symbol, parse_decimal

_PLAIN: Final = re.compile(r"[0-9]+(\.[0-9]+)?")
_SIGNS: Final = re.compile(r"[0-9.,]+")
"""Babel reads more than people mean by an amount: 1e3, NaN, and digits of other scripts."""


class TwoReadings(ValueError):
    """What was typed is one amount in the language, and another one where it is plain."""


def amount_typed(amount: str, locale: Locale) -> str:
    """An amount of a document as people of this language type it, without signs for thousands."""
    return amount.replace(".", get_decimal_symbol(locale))


def amount_read(typed: str, locale: Locale) -> str:
    """What was typed, as documents have it. What is no amount stays: the document refuses it.

    Raises TwoReadings.
    """
    text = typed.strip()
    plain = text if _PLAIN.fullmatch(text) else None
    theirs = _in_language(text, locale)
    if plain is not None and theirs is not None and Decimal(plain) != Decimal(theirs):
        raise TwoReadings(text)
    return plain or theirs or text


def _in_language(text: str, locale: Locale) -> str | None:
    if not _SIGNS.fullmatch(text):
        return None
    try:
        return format(parse_decimal(text, locale=locale, strict=True), "f")
    except NumberFormatError:
        return None
