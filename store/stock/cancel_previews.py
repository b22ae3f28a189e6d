"""What a cancellation would do. Nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from domain.money import Money
from domain.orders.line_requests import invalid_line, requested_units
from domain.orders.messages import CancelRequest
from domain.orders.quantities import LineId, LineQuantities
from domain.stock import cancelling
from domain.stock.cancelling import CancelPreview
from store.database import Connection
from store.locks import lock_order
from store.orders import orders
from store.payments import tallies, ways_back
from store.stock.edit_standing import standing


async def preview(conn: Connection, order_id: str, request: CancelRequest) -> CancelPreview:
    """What would be cancelled, and paid back. Raises NotFound, and InvalidInput for what is no
    line, or more than was ordered.
    """
    async with conn.transaction():
        await lock_order(conn, order_id)
        found = await tallies.load(conn, order_id)
        handlings = await orders.handlings(conn, order_id)
        parts = (await standing(conn, order_id)).parts
        lines = {k: n for k in found.charges.worth if (n := found.charges.units(k)) is not None}
        wanted = requested_units(request.lines, _can(lines), check=_at_most(lines))
        chosen = cancelling.choose(wanted, lines, handlings, parts)
        owed, less = cancelling.money_without(found.charges, chosen.units)
        back = Money(minor=owed.worth.total, currency=found.currency)
        ways = await ways_back.of(conn, order_id, back)
    return CancelPreview(
        order_id=order_id,
        cancelled=cancelling.as_units(chosen.units),
        refused=chosen.refused,
        asked_first=cancelling.as_units(chosen.asked_first),
        parts=tuple(cancelling.smaller(k, parts[k], n) for k, n in chosen.parts.items()),
        not_charged=Money(minor=less, currency=found.currency),
        paid_back=back,
        ways=ways,
    )


def _can(lines: Mapping[LineId, LineQuantities]) -> dict[LineId, int]:
    return {line_id: line.ordered - line.cancelled for line_id, line in lines.items()}


def _at_most(lines: Mapping[LineId, LineQuantities]) -> Callable[[int, LineId, int], None]:
    def check(index: int, line_id: LineId, quantity: int) -> None:
        ordered = lines[line_id].ordered
        if quantity > ordered:
            raise invalid_line(index, f"cannot cancel {quantity}: only {ordered} were ordered")

    return check
