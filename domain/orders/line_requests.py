"""The lines of a request: which units of the order it is about."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from domain.errors import InvalidInput
from domain.orders.messages import LineRequest
from domain.orders.quantities import LineId, LineUnits


def requested_units(
    asked: Sequence[LineRequest],
    most: LineUnits,
    *,
    check: Callable[[int, LineId, int], None],
) -> LineUnits:
    """The units that a request asks for. Without lines, it asks for all that it can.

    `most`: how many units of each line can be. `check` raises for a quantity, of the n-th line of
    the request, that a rule does not allow. Raises InvalidInput for a line that the order does not
    have, or that is named twice.
    """
    if not asked:
        return {line_id: units for line_id, units in most.items() if units}
    found: dict[LineId, int] = {}
    for index, item in enumerate(asked):
        if item.line_id not in most:
            known = ", ".join(most)
            raise invalid_line(index, f"there is no line {item.line_id}; the order has {known}")
        if item.line_id in found:
            raise invalid_line(index, f"line {item.line_id} is named twice")
        quantity = most[item.line_id] if item.quantity is None else item.quantity
        check(index, item.line_id, quantity)
        found[item.line_id] = quantity
    return found


def invalid_line(index: int, message: str) -> InvalidInput:
    """A line of a request that cannot be meant for this order."""
    return InvalidInput(message, where=f"lines[{index}]")
