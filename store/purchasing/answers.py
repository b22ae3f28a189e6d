"""What a supplier's answer changes, and how it is not what was ordered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from domain.purchasing.purchase_orders import Acknowledged
from store.database import Record


def given_up(line: Record, acknowledged: int) -> int:
    """Units that will not arrive; units missing from an earlier answer stay cancelled."""
    missing: int = line["quantity"] - max(acknowledged, line["received"])
    return max(int(line["cancelled"]), missing, 0)


def refused(line: Record, one: Acknowledged) -> bool:
    """Whether the supplier sends none of it, and some was awaited."""
    return one.quantity == 0 and bool(line["outstanding"])


def differences(
    lines: Mapping[str, Record], told: Mapping[str, Acknowledged], told_so: Sequence[str] | None
) -> str:
    """How it is not what was ordered; `told_so`: in whose words, but for days.

    "": it is.
    """
    found = list(told_so or ())
    for sku, one in sorted(told.items()):
        line = lines[sku]
        if told_so is None and one.quantity < line["quantity"] - line["cancelled"]:
            found.append(f"{one.quantity} of {line['quantity']} {sku}")
        if one.due_on > line["due_on"]:
            found.append(f"{sku} on {one.due_on}, later than {line['due_on']}")
    return "; ".join(found)
