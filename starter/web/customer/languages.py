"""In which language a page is read: as its address says, or else as its reader's browser does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlencode

from starlette.requests import Request

from domain.sellers import LANGUAGES, Language
from starter.web.words import Words, accepted

FOLDER: Final = Path(__file__).parent / "words"
PARAMETER: Final = "lang"
_NAMES: Final[Mapping[Language, str]] = {"en": "English", "ko": "한국어", "de": "Deutsch"}


class Choice(NamedTuple):
    """A language to choose. `now`: the page is in it."""

    language: Language
    name: str
    address: str
    now: bool


def chosen(request: Request) -> Language | None:
    """The language that the address names. No cookie is needed for it, and every link keeps it."""
    wanted = request.query_params.get(PARAMETER)
    return next((one for one in LANGUAGES if one == wanted), None)


def customer_words(locale: str, time_zone: str = "UTC") -> Words:
    """The words of a customer."""
    return Words(locale, time_zone, of=(FOLDER,))


def words_for(request: Request, locale: str, time_zone: str) -> Words:
    """The words of the language that was chosen, or of the customer's own locale."""
    wanted = chosen(request)
    own = customer_words(locale, time_zone)
    # Who chooses the own language keeps the own country's way to write days and amounts.
    return own if wanted is None or wanted == own.language else customer_words(wanted, time_zone)


def words_of_browser(request: Request) -> Words:
    """The words for somebody of whom no order is known."""
    return customer_words(chosen(request) or accepted(request.headers.get("accept-language", "")))


def query(request: Request, **more: str) -> str:
    """What follows an address of ours, so that it is read in the same language."""
    wanted = chosen(request)
    said = {**more, **({PARAMETER: wanted} if wanted else {})}
    return f"?{urlencode(said)}" if said else ""


def choices(words: Words, done: str) -> tuple[Choice, ...]:
    """All languages, each with the address of the same page in it."""
    kept = {"done": done} if done else {}
    return tuple(
        Choice(one, _NAMES[one], f"?{urlencode({**kept, PARAMETER: one})}", one == words.language)
        for one in LANGUAGES
    )
