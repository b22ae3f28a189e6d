"""What came of a return, and what becomes of the units of it that did not come."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from store.views.reads import OrderDetail, ReturnRow

_NO_LOSS: Final = {"found": "settled", "claimed": "settled"}
"""Kinds of returns for which nothing is owed any more → the end of a sentence's key."""


@dataclass(frozen=True)
class Counted:
    """A return's units by line, as they were counted. `fate`: what becomes of the missing ones, as
    the end of a sentence's key (`missing_…`).
    """

    asked: int
    missing: Mapping[str, int]
    fate: str

    @property
    def lacks(self) -> int:
        """How many did not come."""
        return sum(self.missing.values())

    @property
    def came(self) -> int:
        """How many did."""
        return self.asked - self.lacks


def counted_of(
    detail: OrderDetail, one: ReturnRow, exchanged: Collection[str] = ()
) -> Counted | None:
    """The count of a return; None: it was not counted. `exchanged`: those that pay for others."""
    told = [line for line in detail.story if line.data.get("return_id") == one.return_id]
    count: Mapping[str, Any] | None = next(
        (line.data for line in told if "counted" in line.data), None
    )
    if count is None:
        return None
    return Counted(
        asked=sum(counts["quantity"] for counts in one.lines.values()),
        missing=count["missing"],
        fate=_fate(detail, one, {line.what for line in told}, exchanged),
    )


def _fate(
    detail: OrderDetail, one: ReturnRow, story: Collection[str], exchanged: Collection[str]
) -> str:
    if one.kind != "customer":
        return _NO_LOSS.get(one.kind, "sent_anew" if "to be sent anew" in story else "paid_back")
    if one.return_id in exchanged:
        return "exchanged"
    if "refund granted" not in story:  # it was not paid back before it was counted
        return "not_paid"
    if "not returned, written off" in story:
        return "written_off"
    is_asked = f"return_short {one.return_id}" in {task.step for task in detail.attention}
    return "asked" if is_asked else "paid_early"
