"""What an edit makes of each line's units and worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from domain.orders.amounts import Worth, value_lines
from domain.orders.edited import Edited, Present
from domain.orders.handling import SHIPPED, Handling
from domain.orders.messages import Units
from domain.orders.proposals import Proposal, ProposedLine
from domain.orders.quantities import LineId, LineUnits


@dataclass(frozen=True)
class LineRow:
    """A line as it is from now on. `given_back`: units that were cancelled and never ordered.

    Amounts are in minor units.
    """

    line_id: str
    sku: str
    handling: Handling
    ordered: int
    given_back: int
    goods: int
    tax: int
    shipping: int
    shipping_tax: int


class EditedLines:
    """Every line of an order after an edit, those that are gone included.

    The row of a line that is gone stays: its units are cancelled, and worth nothing.
    """

    def __init__(self, present: Present, edited: Edited, skus: Mapping[LineId, str]) -> None:
        self._version = present.version
        self._before = present.lines
        self._edited = edited
        self._worth = value_lines(edited.order)
        self._new = {line.line_id: line.sku for line in edited.order.lines}
        self.skus = {**skus, **self._new}
        self._ids = [*present.lines, *edited.new]

    def rows(self, handlings: Mapping[LineId, Handling]) -> list[LineRow]:
        """As the order's rows are from now on. `handlings`: of the lines that are not shipped."""
        return [
            LineRow(
                line_id=line_id,
                sku=self.skus[line_id],
                handling=handlings.get(line_id, SHIPPED),
                ordered=self._ordered(line_id),
                given_back=self._given_back(line_id),
                **self._whole(line_id).model_dump(),
            )
            for line_id in self._ids
        ]

    def proposal(self, taken: Mapping[str, LineUnits]) -> Proposal:
        """As the payment is to hold for it, before it is applied. `taken`: from fulfilments."""
        return Proposal(
            version=self._version,
            lines=tuple(
                ProposedLine(
                    line_id=line_id,
                    quantity=self._ordered(line_id),
                    whole=self._whole(line_id),
                    includes_tax=self._edited.order.prices_include_tax,
                    cancelled=self._cancelled(line_id),
                    more=self._ordered(line_id) - self._had(line_id),
                )
                for line_id in self._ids
            ),
            taken=dict(taken),
            keeps=self._edited.keeps,
        )

    def _had(self, line_id: LineId) -> int:
        before = self._before.get(line_id)
        return before.ordered if before else 0

    def _is_gone(self, line_id: LineId) -> bool:
        return line_id not in self._new

    def _given_back(self, line_id: LineId) -> int:
        if self._edited.keeps or self._is_gone(line_id):
            return 0
        return self._edited.taken.get(line_id, 0)

    def _ordered(self, line_id: LineId) -> int:
        more = self._edited.added.get(line_id, 0)
        return self._had(line_id) + more - self._given_back(line_id)

    def _cancelled(self, line_id: LineId) -> int:
        before = self._before.get(line_id)
        if before is None:
            return 0
        if self._is_gone(line_id):
            return before.ordered
        return before.cancelled + (self._edited.taken.get(line_id, 0) if self._edited.keeps else 0)

    def _whole(self, line_id: LineId) -> Worth:
        return self._worth[line_id].whole if line_id in self._worth else Worth()


def as_units(units: LineUnits) -> tuple[Units, ...]:
    """Units by line, as answers have them."""
    return tuple(Units(line_id=k, quantity=n) for k, n in units.items())
