"""The lines of a request: which units of the order it is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from temporalio import workflow

from workflows.engine.refusals import invalid_line

with workflow.unsafe.imports_passed_through():
    from domain.orders.messages import LineRequest
    from domain.orders.quantities import LineId, LineQuantities, LineUnits


def requested_units(
    asked: Sequence[LineRequest],
    lines: Mapping[LineId, LineQuantities],
    *,
    can: Callable[[LineQuantities], int],
    check: Callable[[int, LineId, int], None],
) -> LineUnits:
    """The units that a request asks for. Without lines, it asks for all that it can.

    `can`: how many units of a line can be. `check` raises ApplicationError for a quantity, of the
    n-th line of the request, that a rule does not allow. A line that the order does not have, or
    that is named twice, is refused here.
    """
    if not asked:
        return {line_id: units for line_id, line in lines.items() if (units := can(line))}
    found: dict[LineId, int] = {}
    for index, item in enumerate(asked):
        line = lines.get(item.line_id)
        if line is None:
            known = ", ".join(lines)
            raise invalid_line(index, f"there is no line {item.line_id}; the order has {known}")
        if item.line_id in found:
            raise invalid_line(index, f"line {item.line_id} is named twice")
        quantity = can(line) if item.quantity is None else item.quantity
        check(index, item.line_id, quantity)
        found[item.line_id] = quantity
    return found
