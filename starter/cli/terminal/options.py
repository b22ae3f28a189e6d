"""Options and arguments that several commands share."""

from __future__ import annotations

import getpass
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import typer
from pydantic import BaseModel, ValidationError

from domain import fields
from domain.errors import InvalidInput
from domain.faults import faults
from domain.fields import Document
from starter.channels.text import NOT_UTF8, NUMBER_TOO_LONG, decode, first_undecoded

Model = TypeVar("Model", bound=BaseModel)

UNITS_MAX: Final = 1_000_000_000
"""More units than anybody counts at once; and what the database can add up."""

NEGATIVE: Final = {"ignore_unknown_options": True}
"""Of commands that take a number: `-3` is one too, if only to be refused as too few."""

Json = Annotated[
    bool, typer.Option("--json", help="Machine-readable: JSON on standard output, errors too.")
]
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Say what would be set and what is wrong; change nothing."),
]
Who = Annotated[str, typer.Option("--by", help="Who reports or decides this; kept in the story.")]
Location = Annotated[str, typer.Option("--location", help="Where the stock is.")]
OfSeller = Annotated[
    str | None,
    typer.Option(
        "--seller",
        metavar="CODE",
        help="Only of this seller; left out: of each.",
        show_default=False,
    ),
]
OneSeller = Annotated[
    str | None,
    typer.Option(
        "--seller",
        metavar="CODE",
        help="Of this seller; may be left out where there is one alone.",
        show_default=False,
    ),
]
Limit = Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Show this many at most.")]
Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        help="Names this change. The same key again changes nothing, so it is safe to repeat.",
        show_default=False,
    ),
]

_UNITS: Final = re.compile(r"(?P<sku>.+)=(?P<units>[0-9]{1,9})")
_SPAN: Final = re.compile(r"(?P<count>[0-9]{1,9})(?P<unit>[smhd])")
_SPAN_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_COUNT: Final = re.compile(r"(?P<line>.+)=(?P<units>[0-9]{1,9})")


class _Reason(Document):
    reason: fields.Reason


class _Reporter(Document):
    """The person who reports something."""

    by: fields.Who


def reporter(by: str) -> str:
    """The reporter's name: as given, otherwise the account's name. Raises InvalidInput."""
    return read_model(_Reporter, {"by": by or _account()}, where="--by").by


def read_reason(text: str) -> str:
    """A person's reason. Raises InvalidInput."""
    return read_model(_Reason, {"reason": text}, where="--reason").reason


def _account() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # an account without a name, as in some containers
        return "operator"


def fresh_id(prefix: str) -> str:
    """An id that nobody used before."""
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


def read_counts(values: Sequence[str], option: str) -> dict[str, int] | None:
    """`1=2` `2=0` → {"1": 2, "2": 0}; None for nothing at all. Raises InvalidInput."""
    counts: dict[str, int] = {}
    for value in values:
        found = _COUNT.fullmatch(value)
        if found is None:
            raise InvalidInput(
                f"{value!r} is no count; write LINE=UNITS, such as 1=2", where=option
            )
        if found["line"] in counts:
            raise InvalidInput(f"line {found['line']} is counted twice", where=option)
        counts[found["line"]] = int(found["units"])
    return counts or None


def read_units(values: Sequence[str]) -> dict[str, int]:
    """`TEA=2` `POT=1` → {"TEA": 2, "POT": 1}. Raises InvalidInput."""
    units: dict[str, int] = {}
    for value in values:
        found = _UNITS.fullmatch(value)
        if found is None:
            raise InvalidInput(f"{value!r} is no units of a SKU; write SKU=UNITS", where="units")
        if found["sku"] in units:
            raise InvalidInput(f"{found['sku']} is named twice", where="units")
        units[found["sku"]] = int(found["units"])
    return units


def read_moment(text: str | None, option: str) -> datetime | None:
    """A date or a time in ISO 8601; without a zone it is the local one. Raises InvalidInput."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError, OSError):
        raise InvalidInput(
            f"{text!r} is no time; write 2026-11-22 or 2026-11-22T10:00+01:00", where=option
        ) from None


def read_span(text: str, option: str) -> timedelta:
    """`24h`, `30m`, `7d`, `0s` → a length of time. Raises InvalidInput."""
    found = _SPAN.fullmatch(text)
    if found is None:
        raise InvalidInput(
            f"{text!r} is no length of time; write a number and s, m, h or d, such as 24h",
            where=option,
        )
    return timedelta(**{_SPAN_UNITS[found["unit"]]: int(found["count"])})


def read_model(model: type[Model], content: Mapping[str, Any], *, where: str) -> Model:
    """A model from typed values. Raises InvalidInput that names every wrong field."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        told = (f"{field or 'content'}: {reason}" for _, field, reason in faults(error, model))
        found = "; ".join(told)
        raise InvalidInput(found, where=where) from None


def read_json_file(model: type[Model], file: Path, *, base: BaseModel | None = None) -> Model:
    """A model from a JSON file; `base` gives the left-out fields. Raises InvalidInput."""
    try:
        text = decode(file.read_bytes())
        if first_undecoded(text) is not None:
            raise InvalidInput(NOT_UTF8, where=str(file))
        content = json.loads(text)
    except OSError as error:
        raise InvalidInput(f"cannot be read ({error.strerror})", where=str(file)) from None
    except json.JSONDecodeError as error:
        raise InvalidInput(f"is not JSON: {error}", where=str(file)) from None
    except RecursionError:
        raise InvalidInput("is nested too deeply", where=str(file)) from None
    except ValueError:  # The library raises nothing else for valid JSON.
        raise InvalidInput(NUMBER_TOO_LONG, where=str(file)) from None
    if not isinstance(content, dict):
        raise InvalidInput("is not a JSON object", where=str(file))
    defaults = {} if base is None else base.model_dump()
    return read_model(model, {**defaults, **content}, where=str(file))
