"""The results of reading: for each record, the order or all of its problems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from domain.faults import faults
from domain.orders.order import Order

PROBLEMS_MAX: Final = 20
"""More problems of one order than this are counted, not listed."""


@dataclass(frozen=True)
class Problem:
    """One fault. `line` counts from 1; `field` is empty for the record as a whole."""

    line: int
    field: str
    reason: str

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}" if self.field else self.reason


@dataclass(frozen=True)
class Record:
    """One order as it was read: `order`, or None and the problems.

    `line` is where the record begins. `name` is its channel_order_id, if that could be read.
    """

    line: int
    order: Order | None = None
    problems: tuple[Problem, ...] = ()
    name: str = ""


def unreadable(line: int, reason: str, *, field: str = "", name: str = "") -> Record:
    """A record with a single problem."""
    return Record(line=line, problems=(Problem(line, field, reason),), name=name)


def limited(problems: list[Problem]) -> tuple[Problem, ...]:
    """The problems, cut off where nobody would read on."""
    if len(problems) <= PROBLEMS_MAX:
        return tuple(problems)
    more = len(problems) - PROBLEMS_MAX
    return (*problems[:PROBLEMS_MAX], Problem(problems[-1].line, "", f"and {more} more problems"))


def to_record(document: Any, line: int) -> Record:
    """A parsed JSON document as a record."""
    if not isinstance(document, dict):
        return unreadable(line, "is not an order: a JSON object is expected here")
    name = document.get("channel_order_id")
    name = name if isinstance(name, str) else ""
    try:
        return Record(line=line, order=Order.model_validate(document), name=name)
    except ValidationError as error:
        problems = [Problem(line, field, reason) for _, field, reason in faults(error, Order)]
        return Record(line=line, problems=limited(problems), name=name)
