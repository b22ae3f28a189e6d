"""What stands around every message, in each language, and how days and amounts are written there.

Babel has the rules of each language: kept by others, after the Unicode consortium's lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from babel import Locale
from babel.dates import format_date
from babel.numbers import parse_pattern

from domain.money import decimals, to_decimal
from domain.sellers import Language


@dataclass(frozen=True)
class Words:
    """One language. `{…}` is filled in."""

    hello: str
    hello_nobody: str
    questions: str
    automatic: str
    more: str
    invoice: str
    credit_note: str


WORDS: Final[Mapping[Language, Words]] = {
    "en": Words(
        hello="Hello {name},",
        hello_nobody="Hello,",
        questions="Any questions? We are happy to help:",
        automatic="This message about order {number} was sent automatically.",
        more="and {number} more",
        invoice="Your invoice {number} is attached.",
        credit_note="Your credit note {number} is attached.",
    ),
    "ko": Words(
        hello="{name} 님, 안녕하세요.",
        hello_nobody="안녕하세요, 고객님.",
        questions="궁금한 점이 있으시면 언제든지 문의해 주세요.",
        automatic="이 메일은 주문 {number}에 관해 자동으로 발송되었습니다.",
        more="외 {number}종",
        invoice="청구서({number})를 첨부해 드립니다.",
        credit_note="환불 명세서({number})를 첨부해 드립니다.",
    ),
    "de": Words(
        hello="Guten Tag {name},",
        hello_nobody="Guten Tag,",
        questions="Haben Sie Fragen? Wir helfen Ihnen gern:",
        automatic="Diese Nachricht zu Ihrer Bestellung {number} wurde automatisch versendet.",
        more="und {number} weitere",
        invoice="Ihre Rechnung {number} finden Sie im Anhang.",
        credit_note="Ihre Rechnungskorrektur {number} finden Sie im Anhang.",
    ),
}


def day_text(day: date, language: Language) -> str:
    """A day with its weekday, as people write it."""
    pattern = {"en": "EEEE, d MMMM y", "ko": "y년 M월 d일 EEEE", "de": "EEEE, d. MMMM y"}
    return format_date(day, pattern[language], locale=language)


def country_text(country: str, language: Language) -> str:
    """A country's name, by its code; the code where it has none."""
    return str(Locale.parse(language).territories.get(country, country))


def amount_text(minor: int, currency: str, language: Language) -> str:
    """An amount with its currency, as people write it."""
    return amount_in(minor, currency, Locale.parse(language))


def amount_in(minor: int, currency: str, locale: Locale) -> str:
    """An amount with all decimals that its currency has, where usage leaves some out, too."""
    pattern = parse_pattern(locale.currency_formats["standard"].pattern)
    pattern.frac_prec = (decimals(currency),) * 2
    amount = to_decimal(minor, currency)
    return str(pattern.apply(amount, locale, currency=currency, currency_digits=False))
