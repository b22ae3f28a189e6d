"""The suppliers' actions for a purchase order, drawn as in `starter.simulation.outcomes`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from domain.purchasing.purchase_orders import Acknowledged
from starter.simulation.outcomes import SimulateOptions, draw
from store.purchasing.purchase_reads import PurchaseOrder

_SLIP: Final = timedelta(days=3)
_LATE: Final = timedelta(days=2)
_SHORTEST: Final = timedelta(hours=12)
"""The time for goods without a lead time."""


@dataclass(frozen=True)
class Delivery:
    """An event of a purchase order, at `due`. A repeated report has the same `key`."""

    what: Literal["acknowledge", "refuse", "ship", "receive"]
    key: str
    due: datetime
    units: Mapping[str, int]
    answer: Mapping[str, Acknowledged]
    times: int = 1


def deliveries(order: PurchaseOrder, options: SimulateOptions) -> tuple[Delivery, ...]:
    """All reports of a supplier and the dock about an order, in their order.

    They follow from the order's first content, so they are the same whenever this is called.
    """
    return _Supplier(order, options).deliveries()


class _Supplier:
    def __init__(self, order: PurchaseOrder, options: SimulateOptions) -> None:
        self._order = order
        self._options = options
        days = max(line.lead_time_days for line in order.lines)
        lead = max(timedelta(days=days), _SHORTEST)
        self._lead = lead * (0.7 + 0.5 * self._draw("lead time")) / options.speed
        self._sends = self._units()

    def deliveries(self) -> tuple[Delivery, ...]:
        options, answered = self._options, self._options.acknowledge_takes / self._options.speed
        if self._happens(options.refused_order_rate, "refused"):
            return (self._at(answered, "refuse", "refused"),)
        shipped = self._lead * 0.5
        parts = [self._sends]
        if self._happens(options.part_delivery_rate, "in parts"):
            half = {sku: -(-units // 2) for sku, units in self._sends.items()}
            rest = {sku: units - half[sku] for sku, units in self._sends.items()}
            parts = [part for part in (half, rest) if any(part.values())]
        steps = [] if self._order.sent_before else [self._answer(answered, "acknowledged", None)]
        slips = self._happens(options.slip_rate, "slips")
        if slips:
            steps.append(self._answer(self._lead * 0.4, "slipped", _SLIP))
        wait = _SLIP / options.speed if slips else timedelta(0)
        for number, units in enumerate(parts, start=1):
            later = wait + self._lead * 0.3 * (number - 1)
            steps += [
                self._at(shipped + later, "ship", f"dispatch-{number}", units),
                self._at(self._lead + later, "receive", f"receipt-{number}", units),
            ]
        steps = [replace(step, times=self._times(step.key)) for step in steps]
        if self._happens(options.late_paper_rate, "papers come after the goods"):
            # The supplier's reports about the first part arrive together with it.
            arrival = next(step.due for step in steps if step.what == "receive")
            steps = [
                replace(step, due=arrival) if step.what != "receive" else step for step in steps
            ]
        return tuple(sorted(steps, key=lambda step: (step.due, step.what != "receive")))

    def _units(self) -> dict[str, int]:
        """The units that it will send: now and then less than was ordered, of one SKU."""
        units = {line.sku: line.quantity for line in self._order.lines}
        if self._happens(self._options.short_supply_rate, "short"):
            sku = sorted(units)[int(self._draw("which is short") * len(units))]
            units[sku] -= 1 + int(self._draw("how short") * (units[sku] // 2))
        return units

    def _answer(self, after: timedelta, key: str, slip: timedelta | None) -> Delivery:
        late = self._happens(self._options.late_supply_rate, "late")
        later = (_LATE if late else timedelta(0)) + (slip or timedelta(0))
        answer = {
            line.sku: Acknowledged(
                quantity=self._sends[line.sku],
                due_on=self._order.created_at.date() + timedelta(days=line.lead_time_days) + later,
            )
            for line in self._order.lines
        }
        return replace(self._at(after, "acknowledge", key), answer=answer)

    def _at(
        self,
        after: timedelta,
        what: Literal["acknowledge", "refuse", "ship", "receive"],
        key: str,
        units: Mapping[str, int] | None = None,
    ) -> Delivery:
        some = {sku: number for sku, number in (units or {}).items() if number}
        return Delivery(what, key, self._order.created_at + after, some, {})

    def _times(self, key: str) -> int:
        return 2 if self._happens(self._options.repeated_report_rate, f"{key} again") else 1

    def _happens(self, rate: float, about: str) -> bool:
        return self._draw(about) < rate

    def _draw(self, about: str) -> float:
        # Not by its id, which differs each time the same story begins again.
        name = f"{self._order.supplier} {self._order.location} {self._order.number}"
        return draw(self._options.seed, name, about)
