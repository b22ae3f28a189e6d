"""The shapes of single values in documents from outside.

Each shape is checked here, shown in the JSON Schema, and put into words in the error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final

import pycountry
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core.core_schema import with_info_after_validator_function

from domain.currencies import listed
from domain.money import AMOUNT_PATTERN, PRICE_DECIMALS_MAX, PRICE_PATTERN
from domain.plain_text import language_tag, lines, one_line, plain_signs
from domain.stored import is_stored


@dataclass(frozen=True)
class Shape:
    """A regular expression that a whole string must match; in words; `code`: as of `wrong`."""

    pattern: str
    words: str
    code: str = ""

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return with_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**handler(schema), "pattern": self.pattern}

    def _check(self, text: str, info: ValidationInfo) -> str:
        if not is_stored(info) and re.fullmatch(self.pattern, text) is None:
            raise wrong(f"must be {self.words}", self.code)
        return text


class Document(BaseModel):
    """Base of documents from outside: immutable, and unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def wrong(reason: str, code: str = "") -> PydanticCustomError:
    """The error of a validator: what its field lacks, and a code by which screens translate it."""
    return PydanticCustomError("wrong", "{reason}", {"reason": reason, "code": code})


def inconsistent(where: str, reason: str, code: str = "") -> PydanticCustomError:
    """The error about one field of a document that does not fit the others. `code`: as above."""
    return PydanticCustomError(
        "inconsistent", "{where}: {reason}", {"where": where, "reason": reason, "code": code}
    )


# These garble terminals and labels, or imitate other text: control characters, line and paragraph
# separators, and marks that set the writing direction.
_ONE_LINE: Final = Shape(
    r"^[^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]*$",
    "one line of plain text, without control characters",
)
_LINES: Final = Shape(
    r"^[^\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]*$",
    "plain text, without control characters",
)


def _visible(text: str) -> str:
    if not any(character.isprintable() and not character.isspace() for character in text):
        raise wrong("must hold something that can be read", "nothing_seen")
    return text


def _whole_number_as_text(value: Any) -> Any:
    # Many shops number their orders, lines and customers, and send the bare number.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


READABLE: Final = (_ONE_LINE, BeforeValidator(one_line), AfterValidator(_visible))

# What must be there is refused if it is longer, so the limit is wide.
Name = Annotated[str, StringConstraints(min_length=1, max_length=300), *READABLE]
Who = Annotated[str, StringConstraints(min_length=1, max_length=100), *READABLE]
PostalCode = Annotated[str, StringConstraints(min_length=1, max_length=32), *READABLE]
Reason = Annotated[
    str, StringConstraints(min_length=1, max_length=500), _LINES, BeforeValidator(lines)
]
Note = Annotated[str, StringConstraints(max_length=2000), _LINES, BeforeValidator(lines)]

# Ids become parts of workflow ids, keys and shell commands: few characters, without our own ':'.
Id = Annotated[
    str,
    StringConstraints(min_length=1, max_length=64),
    Shape(
        r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        "letters, digits, '.', '_' and '-', with a letter or digit first",
    ),
]
# What others name as they please. Only what nobody can see or type is refused.
Printable = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100),
    _ONE_LINE,
    BeforeValidator(_whole_number_as_text),
    AfterValidator(_visible),
]
Sku = Printable
LineId = Printable
# As the channel knows the customer; a guest's is made of the order's id.
CustomerId = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    _ONE_LINE,
    BeforeValidator(_whole_number_as_text),
    AfterValidator(_visible),
]
Service = Printable
Token = Annotated[
    str,
    Shape(
        r"^[A-Za-z][A-Za-z0-9_.:-]{2,127}$",
        "the provider's token: 3 to 128 letters, digits, '_', '-', '.', ':', with a letter first",
        "token",
    ),
]


Phone = Annotated[
    str, BeforeValidator(plain_signs), StringConstraints(max_length=100), AfterValidator(_visible)
]
Email = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=254),
    _ONE_LINE,
    Shape(r"^[^@]+@[^@]+$", "a mail address with one @, such as kim@example.com"),
]


def _known_language(value: Any, info: ValidationInfo) -> Any:
    tag = value if is_stored(info) else language_tag(value)
    if tag is None:
        raise wrong("must be a language tag such as de, ko-KR, zh-Hant-TW or es-419")
    return tag


Locale = Annotated[str, BeforeValidator(_known_language)]


def _known_currency(code: str, info: ValidationInfo) -> str:
    if not is_stored(info) and listed(code) is None:
        raise wrong(f"unknown currency {code!r}; use an ISO 4217 code such as USD")
    return code


# Codes that the standard lacks or only reserves, and that posts, carriers and customs use.
POSTAL_COUNTRIES: Final = {
    "AC": "Ascension Island",
    "CP": "Clipperton Island",
    "DG": "Diego Garcia",
    "EA": "Ceuta and Melilla",
    "IC": "Canary Islands",
    "TA": "Tristan da Cunha",
    "XC": "Ceuta",
    "XI": "Northern Ireland",
    "XK": "Kosovo",
    "XL": "Melilla",
}
# Read at import: a workflow that validates an order must not open a file.
COUNTRY_CODES: Final = frozenset(country.alpha_2 for country in pycountry.countries) | set(
    POSTAL_COUNTRIES
)
_COUNTRY_WORDS: Final = "an ISO 3166-1 alpha-2 country code such as DE or KR"


def _known_country(code: str, info: ValidationInfo) -> str:
    if code != "*" and not is_stored(info) and code not in COUNTRY_CODES:
        raise wrong(f"must be {_COUNTRY_WORDS}", "country")
    return code


CurrencyOnceUsed = Annotated[str, Shape(r"^[A-Z]{3}$", "an ISO 4217 currency code such as USD")]
"""For settings and for questions about what is stored: it may have left the list."""
Currency = Annotated[CurrencyOnceUsed, AfterValidator(_known_currency)]
_COUNTRY: Final = Shape(r"^[A-Z]{2}$", _COUNTRY_WORDS, "country")
Country = Annotated[str, _COUNTRY, AfterValidator(_known_country)]
CountryOrAny = Annotated[
    str,
    Shape(r"^([A-Z]{2}|\*)$", f"{_COUNTRY_WORDS}, or * for any"),
    AfterValidator(_known_country),
]


def decimal_as_written(value: Any, pattern: str, decimals_max: int) -> str:
    """The text of a decimal string that is not below 0. Raises in words what it must be."""
    # A JSON number is refused: 12.5 may have been 12.50, and 1250 may be cents. So are the forms
    # that only Python reads as numbers: "1E3", "1_000", " 12".
    match value:
        case Decimal():
            text = format(value, "f") if abs(value.adjusted()) < 20 else "out of range"
        case str():
            text = value
        case _:
            raise wrong('must be a decimal string, for example "12.50", not a number')
    if text.startswith("-"):
        raise wrong("must not be negative", "negative")
    if re.fullmatch(pattern, text) is None:
        size = f"up to 14 digits, and up to {decimals_max} decimals after a point"
        raise wrong(f'must be a decimal string such as "12.50": {size}', "amount")
    return text


AS_TEXT: Final = PlainSerializer(
    lambda value: format(value, "f"), return_type=str, when_used="json"
)

Amount = Annotated[
    Decimal,
    BeforeValidator(lambda value: decimal_as_written(value, AMOUNT_PATTERN, 4)),
    AS_TEXT,
    WithJsonSchema({"type": "string", "pattern": AMOUNT_PATTERN, "examples": ["12.50"]}),
]
# Of one unit: it may be finer than the currency, because only the worth of all units is paid.
UnitPrice = Annotated[
    Decimal,
    BeforeValidator(lambda value: decimal_as_written(value, PRICE_PATTERN, PRICE_DECIMALS_MAX)),
    AS_TEXT,
    WithJsonSchema({"type": "string", "pattern": PRICE_PATTERN, "examples": ["12.50", "12.125"]}),
]

# Wide enough for every order, narrow enough for every calendar and database.
_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_END: Final = datetime(2200, 1, 1, tzinfo=UTC)


def _instant_as_written(value: Any) -> Any:
    # A bare number could be seconds or milliseconds.
    if isinstance(value, datetime):
        return value
    if isinstance(value, str) and re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]", value):
        return value
    raise wrong("must be a time with its offset, such as 2026-11-20T10:00:00+09:00")


def _day_as_written(value: Any) -> Any:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        return value
    raise wrong("must be a day, such as 2026-11-20", "day")


def _instant_in_range(value: datetime) -> datetime:
    if not _FIRST <= value < _END:
        raise wrong("must be in the years 1970 to 2199", "years")
    return value


def _day_in_range(value: date) -> date:
    if not _FIRST.date() <= value < _END.date():
        raise wrong("must be in the years 1970 to 2199", "years")
    return value


# JSON has true and false: 0, 1 and "no" are something else there.
Flag = Annotated[bool, Field(strict=True)]
Instant = Annotated[
    AwareDatetime, BeforeValidator(_instant_as_written), AfterValidator(_instant_in_range)
]
Day = Annotated[date, BeforeValidator(_day_as_written), AfterValidator(_day_in_range)]


def instant_as_text(instant: datetime) -> str:
    """The same text for the same instant, whatever its time zone."""
    return instant.astimezone(UTC).isoformat()
