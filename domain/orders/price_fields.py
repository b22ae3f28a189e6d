"""The shapes of what only prices have: signed amounts, rates of tax, and their categories."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, StringConstraints, WithJsonSchema

from domain.fields import AS_TEXT, READABLE, decimal_as_written, wrong
from domain.money import AMOUNT_PATTERN

SIGNED_AMOUNT_PATTERN: Final = f"^-?{AMOUNT_PATTERN.removeprefix('^')}"


def _signed_as_written(value: Any) -> Any:
    if isinstance(value, Decimal):
        value = format(value, "f")
    below = isinstance(value, str) and value.startswith("-")
    text = decimal_as_written(value[1:] if below else value, AMOUNT_PATTERN, 4)
    return f"-{text}" if below else text


SignedAmount = Annotated[
    Decimal,
    BeforeValidator(_signed_as_written),
    AS_TEXT,
    WithJsonSchema({"type": "string", "pattern": SIGNED_AMOUNT_PATTERN, "examples": ["-0.02"]}),
]

RATE_PATTERN: Final = r"^[0-9]{1,3}(\.[0-9]{1,6})?$"


def _rate_as_written(value: Any) -> Any:
    # Unlike an amount, 19 can only be one thing.
    text = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    if isinstance(text, Decimal):
        text = format(text, "f")
    bare = text.strip().removesuffix("%").rstrip() if isinstance(text, str) else ""
    if re.fullmatch(RATE_PATTERN, bare) is None:
        raise wrong('must be a rate in percent, such as "19" or "7.7"', "rate")
    return bare


Rate = Annotated[
    Decimal,
    BeforeValidator(_rate_as_written),
    AS_TEXT,
    WithJsonSchema({"type": "string", "pattern": RATE_PATTERN, "examples": ["19", "7.7"]}),
]
TaxCategory = Annotated[str, StringConstraints(min_length=1, max_length=60), *READABLE]
