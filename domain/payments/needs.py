"""What is to be charged for each part of an order that is still to leave."""

from __future__ import annotations

from collections.abc import Mapping

from domain.orders.charges import Charges
from domain.orders.quantities import LineUnits
from domain.payments.cover import REST, Need


def needs(charges: Charges, parts: Mapping[str, LineUnits], first: str = "") -> list[Need]:
    """What is to be charged for each fulfilment as it leaves, and for units still to come.

    `parts`: the units of those that are still to leave, by fulfilment id, oldest first. As if they
    were charged in this sequence, `first` before the others: the sum is what is left to charge.
    """
    unpaid = {}
    older: list[LineUnits] = []
    for part, units in parts.items():
        unpaid[part] = charges.unpaid(units, older)
        older.append(units)
    uncharged = charges.uncharged
    upto: dict[str, int] = {}
    found = []
    for part in sorted(unpaid, key=lambda each: each != first):
        due = unpaid[part]
        before = charges.to_charge({line_id: upto.get(line_id, 0) for line_id in due})
        upto |= {line_id: upto.get(line_id, 0) + units for line_id, units in due.items()}
        amount = charges.to_charge({line_id: upto[line_id] for line_id in due}) - before
        found.append(Need(part, amount, charges.at_most(due)))
    rest = {k: left for k, n in uncharged.items() if (left := n - upto.get(k, 0)) > 0}
    amount = charges.to_charge(uncharged) - sum(need.amount for need in found)
    found.append(Need(REST, amount, charges.at_most(rest)))
    return [need for need in found if need.amount > 0]
