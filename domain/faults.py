"""What is wrong with a document, field by field, in our words and not in the library's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

_PLAIN: Final = {
    "missing": "is missing",
    "extra_forbidden": "is not known here; correct its name or leave it out",
    "string_unicode": "is not valid Unicode text",
    "too_long": "must be {max_length} at most; here are more",
    "too_short": "must be {min_length} at least; here are fewer",
    "string_too_long": "must have {max_length} characters at most",
    "string_too_short": "must have {min_length} characters at least",
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number, and not as large",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a number",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be {ge} or more",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be {le} or less",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "time_delta_type": "must be a length of time, such as PT30M",
    "time_delta_parsing": "must be a length of time, such as PT30M",
    "json_invalid": "is not JSON: {error}",
    "json_type": "is not JSON",
}
"""Filled in from what the library says of the fault."""


def faults(
    error: ValidationError, model: type[BaseModel] | None = None
) -> list[tuple[tuple[int | str, ...], str, str]]:
    """Each fault of a document: its place, the same as a path (`lines[0].sku`), and the reason.

    With the document's `model`, a name that is not known is answered with the nearest that is.
    """
    return faults_in(error.errors(include_url=False, include_input=False), model)


def faults_in(
    errors: Iterable[Mapping[str, Any]], model: type[BaseModel] | None = None
) -> list[tuple[tuple[int | str, ...], str, str]]:
    """The same of what the library lists as errors, for who has only that."""
    found = []
    for fault in errors:
        place = fault["loc"]
        context = fault.get("ctx", {})
        plain = _PLAIN.get(fault["type"], "").format_map(context)
        reason = plain or str(context.get("reason", fault["msg"]))
        if "where" in context:  # A rule over several fields names the wrong one.
            place = (*place, *_steps(context["where"]))
        if fault["type"] == "extra_forbidden" and model is not None:
            reason += _nearest(model, place)
        found.append((place, path(place), reason))
    return found


def part_of(field: FieldInfo) -> type[BaseModel] | None:
    """The model of a field's value, or of each of its values; None if they are plain."""
    kinds = [field.annotation]
    for (
        kind
    ) in kinds:  # It grows: tuple[Line, ...] | None holds tuple[Line, ...], which holds Line.
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
        kinds.extend(get_args(kind))
    return None


def _nearest(model: type[BaseModel], place: tuple[int | str, ...]) -> str:
    *way, name = place
    for step in way:
        if isinstance(step, int):
            continue
        inner = part_of(model.model_fields[step]) if step in model.model_fields else None
        if inner is None:
            return ""
        model = inner
    near = get_close_matches(str(name).lower(), model.model_fields, 1)
    return f" (did you mean {near[0]}?)" if near else ""


def path(place: Iterable[int | str]) -> str:
    """("lines", 0, "sku") → "lines[0].sku"."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return text.removeprefix(".")


def _steps(text: str) -> Iterable[int | str]:
    for word in re.findall(r"\w+", text):
        yield int(word) if word.isdigit() else word
