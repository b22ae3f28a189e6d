"""What a channel has of an order beside our own fields: kept and shown, never interpreted."""

from __future__ import annotations

import json
import math
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, JsonValue

from domain.fields import wrong
from domain.plain_text import lines, one_line

EXTRA_MAX: Final = 8_000
"""Characters of JSON."""
DEPTH_MAX: Final = 5


def _kept(value: Any) -> Any:
    if not isinstance(value, dict):
        raise wrong("must be an object")
    kept = _plain(value, DEPTH_MAX)
    if len(json.dumps(kept, ensure_ascii=False)) > EXTRA_MAX:
        raise wrong(f"must have {EXTRA_MAX} characters of JSON at most")
    return kept


def _plain(value: Any, depth: int) -> Any:
    match value:
        case str():
            return lines(value)
        case float() if not math.isfinite(value):
            raise wrong("must hold numbers, and not NaN or infinity")
        case int() if abs(value) > 10**18:
            return str(value)[:100]
        case None | bool() | int() | float():
            return value
        case dict() | list() | tuple() if depth == 0:
            raise wrong(f"must not be nested deeper than {DEPTH_MAX} times")
        case dict():
            return {one_line(str(k)): _plain(each, depth - 1) for k, each in value.items()}
        case list() | tuple():
            return [_plain(each, depth - 1) for each in value]
    raise wrong("must hold text, numbers, true, false, null, lists and objects")


Extra = Annotated[dict[str, JsonValue], BeforeValidator(_kept)]
