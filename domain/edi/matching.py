"""The three-way match: a supplier's bill against the order and the goods that came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from domain.edi.purchases import Billed, OrderedLine

TOLERANCE: Final = Decimal("0.01")
"""By so much for each line a total may differ from its parts: each line is rounded."""


@dataclass(frozen=True)
class Match:
    """What does not match. `waits`: only the goods have not come yet, so look again later."""

    faults: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def waits(self) -> bool:
        """Nothing else is wrong than that goods are billed which have not come."""
        return bool(self.missing) and not self.faults


def match(
    bill: Billed,
    ordered: Sequence[OrderedLine],
    came: Mapping[str, int],
    billed_before: Mapping[str, int],
    *,
    currency: str,
    is_repeated: bool,
) -> Match:
    """Compare. `came`: SKU → units received, or told to be under way. `billed_before`: likewise.

    `currency`: of the order.
    """
    if is_repeated:
        return Match((f"invoice {bill.number} came before: pay it once",), ())
    faults: list[str] = []
    missing: list[str] = []
    if bill.currency not in ("", currency):
        faults.append(f"it is in {bill.currency}, and the order is in {currency}")
    by_sku = {line.sku: line for line in ordered}
    for line in bill.lines:
        order = by_sku[line.sku]
        before = billed_before.get(line.sku, 0)
        units = before + line.quantity
        if bill.is_credit:
            if line.quantity > before:
                faults.append(f"{line.quantity} {line.sku} are credited, and {before} were billed")
        elif units > order.quantity:
            faults.append(f"{units} {line.sku} are billed, and {order.quantity} were ordered")
        elif units > came.get(line.sku, 0):
            missing.append(f"{units} {line.sku} are billed, and {came.get(line.sku, 0)} came")
        if line.unit_price != order.unit_price:
            faults.append(
                f"{line.sku} is billed at {line.unit_price:f}, and was ordered at "
                f"{order.unit_price:f}"
            )
    if abs(bill.total - bill.sum) > TOLERANCE * max(1, len(bill.lines)):
        faults.append(f"its total is {bill.total:f}, and its parts come to {bill.sum:f}")
    return Match(tuple(faults), tuple(missing))
