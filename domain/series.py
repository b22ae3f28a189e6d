"""Series of documents: how their numbers are written, and which one is the first.

`INV-{year}-{number:6}` gives INV-2026-000001. With `{year}` in it, each year's numbers begin anew;
without it they go on for ever. `{number}` has as many digits as it needs, `{number:6}` at least
six.
"""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field, StringConstraints

from domain.fields import READABLE, Document, wrong

FIRST_MAX: Final = 999_999_999

_PART: Final = re.compile(r"\{[^{}]*\}|[{}]")
_NUMBER: Final = re.compile(r"\{number(?::([1-9]|1[0-2]))?\}")
_YEAR: Final = "{year}"


def _format(text: str) -> str:
    parts = _PART.findall(text)
    numbers = [part for part in parts if _NUMBER.fullmatch(part)]
    others = [part for part in parts if part not in (*numbers, _YEAR)]
    if others:
        raise wrong(f"may hold {{year}} and {{number}} or {{number:6}}, and not {others[0]}")
    if len(numbers) != 1:
        raise wrong("must hold {number} once, or {number:6} for six digits at least")
    if parts.count(_YEAR) > 1:
        raise wrong("may hold {year} once")
    return text


class Series(Document):
    """How the numbers of a kind of document are written.

    `first`: the number with which this format begins. Where the format has a year, its later years
    begin with 1.
    """

    format: Annotated[
        str, StringConstraints(min_length=1, max_length=60), *READABLE, AfterValidator(_format)
    ]
    first: Annotated[int, Field(ge=1, le=FIRST_MAX)] = 1

    @property
    def name(self) -> str:
        """Which series it is, however many digits are asked for: `INV-{year}-{number}`."""
        return _NUMBER.sub("{number}", self.format)


class SeriesByKind(Document):
    """The series of each kind of document."""

    invoice: Series = Series(format="INV-{year}-{number:6}")
    credit_note: Series = Series(format="CRN-{year}-{number:6}")


def may_meet(one: str, other: str) -> bool:
    """Whether numbers of two series, by their names, could be the same.

    What stands beside digits may run together with them: so only the text around all that can be
    digits tells two series apart.
    """
    return _around(one) == _around(other)


def _around(name: str) -> str:
    return re.sub(r"(\{number\}|\{year\}|[0-9])+", "0", name)
