"""What must be true of orders and their lines."""

from __future__ import annotations

from typing import Final

from store.database import load_queries
from store.views.audited.check import Check, Checks

_sql = load_queries(__file__)

_LINE: Final = "{order_id} line {line_id}"

_OF: Final = (
    Check("line_adds_up", "lines", _LINE, "{what}"),
    Check(
        "total_is_its_lines",
        "lines",
        "{order_id}",
        "its total is {total_minor}, but its lines come to {lines_minor}",
    ),
    Check(
        "version_is_its_lines",
        "lines",
        _LINE,
        "its present version says {told} units, but {ordered} are ordered",
    ),
    Check(
        "order_is_in_its_state",
        "lines",
        "{order_id}",
        "its {what} is kept as {kept}, but by its units it is {computed}",
    ),
    Check(
        "line_is_its_parts",
        "lines",
        _LINE,
        "{counted} {what}, but its claims, fulfilments and returns say {behind}",
    ),
    Check(
        "settled_line_is_done",
        "lines",
        _LINE,
        "the order is {decision}, but {units} are {what}",
    ),
    Check(
        "settled_fulfilment_is_done",
        "lines",
        "{fulfilment_id}",
        "the order is {decision}, but this fulfilment is {state}",
    ),
)

CHECKS: Final = Checks(_sql, _OF)
