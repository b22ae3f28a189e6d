"""What people read on pages: sentences of a catalogue; days and amounts as a language has them.

A catalogue has a TOML file for each language, all with the same keys and `{places}`. A table has
one sentence for each plural form, by the names of the Unicode CLDR.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from datetime import date, datetime
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from babel.dates import format_skeleton, format_time
from babel.numbers import format_decimal

from domain.fields import COUNTRY_CODES
from domain.messages.words import amount_in
from domain.sellers import LANGUAGES, Language
from starter.web.amounts import amount_read, amount_typed

FALLBACK: Final[Language] = "en"

Sentence = str | Mapping[str, str]


@cache
def catalogue(language: Language, *folders: Path) -> Mapping[str, Sentence]:
    """All sentences of a language, by their keys: those of each folder."""
    together: dict[str, Sentence] = {}
    for folder in folders:
        with (folder / f"{language}.toml").open("rb") as file:
            together |= tomllib.load(file)
    return together


def language_of(locale: str) -> Language:
    """The language of this locale, or English, where the pages have none for it."""
    wanted = locale.split("-", maxsplit=1)[0].lower()
    return next((one for one in LANGUAGES if one == wanted), FALLBACK)


def accepted(header: str) -> Language:
    """The first language of an `Accept-Language` header that the pages have. English: none."""
    for part in header.split(","):
        wanted = part.split(";")[0].strip().split("-")[0].lower()
        if wanted in LANGUAGES:
            return language_of(wanted)
    return FALLBACK


class Words:
    """One reader's words: `words("parcel", number=1, count=2)`.

    `locale`: a language tag such as de-AT. `time_zone`: in which moments are told. `of`: the
    folders of its catalogues.
    """

    def __init__(
        self,
        locale: str,
        time_zone: str = "UTC",
        *,
        of: Collection[Path],
    ) -> None:
        self.language = language_of(locale)
        self._sentences = catalogue(self.language, *of)
        self._locale = _known(locale, self.language)
        self._zone = _zone(time_zone)

    def __call__(self, key: str, /, **values: object) -> str:
        """A sentence, filled in. Raises KeyError for one that is not there."""
        sentence = self._sentences[key]
        assert isinstance(sentence, str), f"{key} has plural forms: use `many`"
        return sentence.format(**values)

    def many(self, key: str, n: int, **values: object) -> str:
        """The sentence for so many, filled in."""
        forms = self._sentences[key]
        assert not isinstance(forms, str), f"{key} has no plural forms"
        form = forms.get(self._locale.plural_form(n), forms["other"])
        return form.format(n=self.number(n), **values)

    def has(self, key: str) -> bool:
        """Whether there is such a sentence."""
        return key in self._sentences

    def has_forms(self, key: str) -> bool:
        """Whether a sentence that is there has plural forms."""
        return not isinstance(self._sentences[key], str)

    def number(self, n: int) -> str:
        """A number, such as 1,000."""
        return str(format_decimal(n, locale=self._locale))

    def decimal(self, number: float) -> str:
        """A number with one decimal at most, such as 1,234.5."""
        return str(format_decimal(round(number, 1), locale=self._locale))

    def day(self, day: date) -> str:
        """A day, such as Fri, Dec 4, 2026."""
        return str(format_skeleton("yMMMEd", day, locale=self._locale))

    @property
    def zone(self) -> ZoneInfo:
        """In which moments are told."""
        return self._zone

    def day_of(self, moment: datetime) -> date:
        """The day of a moment, where the seller is."""
        return moment.astimezone(self._zone).date()

    def moment(self, moment: datetime, *, exact: bool = False) -> str:
        """A moment, where the seller is, such as Fri, Dec 4, 2026, 2:30 PM.

        `exact`: to the second.
        """
        time = format_time(
            moment, "medium" if exact else "short", tzinfo=self._zone, locale=self._locale
        )
        return f"{self.day(self.day_of(moment))}, {time}"

    def brief(self, moment: datetime) -> str:
        """A moment in few letters, such as Dec 4, 2:30 PM; or Dec 4, 2025 of another year."""
        day, today = self.day_of(moment), datetime.now(self._zone)
        if day.year != today.year:
            return str(format_skeleton("yMMMd", day, locale=self._locale))
        time = format_time(moment, "short", tzinfo=self._zone, locale=self._locale)
        return f"{format_skeleton('MMMd', day, locale=self._locale)}, {time}"

    def money(self, minor: int, currency: str) -> str:
        """An amount, such as $12.50 or 12,50 €."""
        return amount_in(minor, currency, self._locale)

    def typed(self, amount: str) -> str:
        """An amount or a rate as they type it into a form, such as 12,50."""
        return amount_typed(amount, self._locale)

    def amount(self, typed: str) -> str:
        """What they typed, as documents have it. Raises TwoReadings."""
        return amount_read(typed, self._locale)

    def countries(self) -> list[str]:
        """The codes of all countries that have a name in this language."""
        codes = map(str, self._locale.territories)
        return [code for code in codes if len(code) == 2 and code.isalpha()]

    def country(self, code: str) -> str:
        """The name of a country."""
        return str(self._locale.territories.get(code, code))

    def named_countries(self) -> list[tuple[str, str]]:
        """All that an address may have, by their names: code and name."""
        return sorted(((code, self.country(code)) for code in COUNTRY_CODES), key=itemgetter(1))


def _zone(name: str) -> ZoneInfo:
    """A zone that was known once, and is not any more, counts as UTC."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def _known(locale: str, language: Language) -> Locale:
    if locale.split("-", maxsplit=1)[0].lower() == language:
        try:
            return Locale.parse(locale, sep="-")
        except (ValueError, UnknownLocaleError):
            pass
    return Locale.parse(language)
