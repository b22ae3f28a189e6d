"""The lines of a message: which units of the order it is about, by what the order knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from temporalio import workflow

from workflows.engine.refusals import refuse

with workflow.unsafe.imports_passed_through():
    from domain.errors import OrderloomError
    from domain.orders import line_requests
    from domain.orders.messages import LineRequest
    from domain.orders.quantities import LineId, LineQuantities, LineUnits


def requested_units(
    asked: Sequence[LineRequest],
    lines: Mapping[LineId, LineQuantities],
    *,
    can: Callable[[LineQuantities], int],
    check: Callable[[int, LineId, int], None],
) -> LineUnits:
    """The units that a message asks for. Raises ApplicationError where it cannot be meant.

    `can`: how many units of a line can be. `check` raises for a quantity that a rule does not
    allow.
    """
    most = {line_id: can(line) for line_id, line in lines.items()}
    try:
        return line_requests.requested_units(asked, most, check=check)
    except OrderloomError as error:
        raise refuse(error) from None
