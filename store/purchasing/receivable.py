"""What may be received of a purchase order, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping

from domain.errors import IllegalTransition
from domain.money import Money, worth_of_units
from store.database import Record


def costs(
    row: Record, lines: list[Record], came: Mapping[str, int]
) -> dict[tuple[str, str], Money]:
    """What the units that came cost: of a line that comes in parts, as much as if it came whole."""

    def cost(line: Record, units: int) -> int:
        return worth_of_units(line["unit_price"], units, row["currency"])

    costs = {}
    for line in lines:
        before, units = line["received"], came.get(line["sku"], 0)
        minor = cost(line, before + units) - cost(line, before)
        costs[line["sku"], row["location"]] = Money(minor=minor, currency=row["currency"])
    return costs


def check_receivable(po_id: str, lines: list[Record], came: Mapping[str, int]) -> None:
    """Raises IllegalTransition for more than was ordered and the tolerance."""
    for line in lines:
        left = line["receivable"] - line["received"]
        if came.get(line["sku"], 0) > left:
            raise IllegalTransition(
                f"{came[line['sku']]} of {line['sku']} cannot be received: {line['quantity']} were "
                f"ordered with {po_id}, {line['received']} came, and {left} more may, tolerance "
                "included"
            )
