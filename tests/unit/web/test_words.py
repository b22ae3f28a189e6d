"""What customers read: the three catalogues say the same, and days and amounts are a language's."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from string import Formatter

import pytest

from domain.messages.kinds import KINDS
from domain.sellers import LANGUAGES, Language
from starter.web.customer import faults, parcels, requests, shown
from starter.web.customer.languages import FOLDER, customer_words
from starter.web.customer.offers import ASKS, LOOKED_AT_FIRST
from starter.web.words import Sentence, accepted, catalogue, language_of

HERE = FOLDER.parent


def places(sentence: Sentence) -> list[set[str]]:
    forms = [sentence] if isinstance(sentence, str) else list(sentence.values())
    return [{name for _, name, _, _ in Formatter().parse(form) if name} for form in forms]


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_the_same_sentences_with_the_same_places(language: Language) -> None:
    english, other = catalogue("en", FOLDER), catalogue(language, FOLDER)
    assert other.keys() == english.keys()
    for key, sentence in other.items():
        wanted = places(english[key])[0]
        assert all(found == wanted for found in places(sentence)), key
        assert isinstance(sentence, str) == isinstance(english[key], str), key
        assert isinstance(sentence, str) or "other" in sentence, key


BUILT = re.compile(
    r"(ask|done|why|scan|state|document|return|claim|cancel_why|wish|address|tender|message)_\w+"
    r"|sums_sure_\w+"
    r"|(nothing_here|expired|erased|away|not_so|too_\w+|refused|defect)_about"
)
"""Sentences whose keys are put together."""


def test_each_sentence_is_used() -> None:
    files = [*HERE.glob("*.py"), *HERE.glob("templates/*.html")]
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    known = {key for key in catalogue("en", FOLDER) if re.search(rf"[\"']{key}[\"']", text)}
    assert [k for k in catalogue("en", FOLDER) if k not in known and not BUILT.fullmatch(k)] == []


def test_what_is_built_of_parts_is_there() -> None:
    known = catalogue("en", FOLDER)
    wanted = [
        *(f"ask_{ask}" for ask in ASKS),
        *(f"ask_{ask}_about" for ask in ASKS),
        *(f"cancel_why_{one}" for one in requests.CANCEL_WHY),
        *(f"return_why_{one}" for one in requests.RETURN_WHY),
        *(f"claim_{one}" for one in requests.CLAIM_KINDS),
        *(f"address_{one}" for one in requests.ADDRESS_FIELDS),
        *shown._TOLD.values(),
        *shown._TENDERS.values(),
        *parcels._ON_ITS_WAY.values(),
        *parcels._STEPS,
        *(f"message_{kind}" for kind in KINDS),
        *(f"sums_sure_{ask}" for ask in LOOKED_AT_FIRST),
        *(faults._KEYS.values()),
        *(f"{key}_about" for key in (*faults._KEYS.values(), "refused", "expired", "erased")),
    ]
    assert [key for key in wanted if key not in known] == []


@pytest.mark.parametrize(
    ("locale", "day", "moment", "amount", "two"),
    [
        ("en", "Fri, Dec 4, 2026", "9:30", "$1,234.50", "2 cancelled"),
        ("en-GB", "Fri, 4 Dec 2026", "9:30", "US$1,234.50", "2 cancelled"),
        ("de-DE", "Fr., 4. Dez. 2026", "09:30", "1.234,50\xa0$", "2 storniert"),
        ("ko-KR", "2026년 12월 4일 (금)", "오전 9:30", "US$1,234.50", "2개 취소"),
    ],
)
def test_days_and_amounts_are_written_as_in_the_language(
    locale: str, day: str, moment: str, amount: str, two: str
) -> None:
    words = customer_words(locale, "Europe/Berlin")
    assert words.day(date(2026, 12, 4)) == day
    told = words.moment(datetime(2026, 12, 4, 8, 30, tzinfo=UTC))
    assert told.startswith(day)
    assert moment in told
    assert words.money(123450, "USD") == amount
    assert words.many("cancelled_units", 2) == two


def test_who_reads_none_of_them_gets_english() -> None:
    assert (language_of("fr-FR"), language_of("DE-at"), language_of("ko")) == ("en", "de", "ko")
    assert accepted("fr-FR, de;q=0.8, en;q=0.7") == "de"
    assert accepted("") == "en"
    assert customer_words("fr-FR").language == "en"
    assert customer_words("de-XX-nonsense").language == "de"


def test_a_time_zone_that_nobody_knows_any_more_counts_as_utc() -> None:
    noon = datetime(2026, 12, 4, 12, tzinfo=UTC)
    for unknown in ("Mars/Olympus", "../../etc/passwd", ""):
        assert customer_words("de", unknown).moment(noon) == customer_words("de").moment(noon)
