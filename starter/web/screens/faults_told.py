"""What is wrong with a form, field by field, in the reader's language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from domain.errors import InvalidInput
from domain.faults import faults
from starter.web.words import Words

_KEYS: Final[Mapping[str, str]] = {
    "missing": "wrong_missing",
    "too_short": "wrong_missing",
    "too_long": "wrong_many",
    "string_too_long": "wrong_long",
    "string_too_short": "wrong_short",
    "int_type": "wrong_whole",
    "int_parsing": "wrong_whole",
    "int_parsing_size": "wrong_whole",
    "int_from_float": "wrong_whole",
    "float_type": "wrong_number",
    "float_parsing": "wrong_number",
    "finite_number": "wrong_number",
    "greater_than": "wrong_not_over",
    "greater_than_equal": "wrong_under",
    "less_than": "wrong_not_below",
    "less_than_equal": "wrong_above",
    "literal_error": "wrong_choice",
    "enum": "wrong_choice",
}
"""What the library calls a fault → the sentence, filled in from what it says of it."""

_EMPTY: Final = frozenset({"string_too_short", "string_type", "tuple_type", "list_type"})


def faults_told(words: Words, wrong: ValidationError | InvalidInput) -> list[tuple[str, str]]:
    """Each fault: its place in the document, and a sentence. A rule of ours says its own."""
    if isinstance(wrong, InvalidInput):
        where = wrong.where or ""
        key = f"why_{wrong.reason}"
        own = str(wrong).removeprefix(f"{where}: ") if where else str(wrong)
        return [(where, words(key) if words.has(key) else words("wrong_other", reason=own))]
    listed = wrong.errors(include_url=False)
    return [
        (place, _told(words, place, reason, one))
        for one, (_, place, reason) in zip(listed, faults(wrong), strict=True)
    ]


def _told(words: Words, place: str, reason: str, fault: Mapping[str, Any]) -> str:
    kind = fault["type"]
    is_empty = fault.get("input") in ("", None) and kind in _EMPTY
    said = fault.get("ctx", {})
    coded = f"wrong_{said['code']}" if said.get("code") else ""
    key = "wrong_missing" if is_empty else _KEYS.get(kind, coded)
    own = f"{key}_{_key_of(place)}"
    if key and words.has(own):
        return words(own)
    return words(key, **said) if key else words("wrong_other", reason=reason)


def _key_of(place: str) -> str:
    """`series.invoice.first` → series_invoice_first; of a row of a table, the table's."""
    return re.sub(r"\[.*", "", place).replace(".", "_")
