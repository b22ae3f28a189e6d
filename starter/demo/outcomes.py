"""The outcome of every unit that was ordered, and of every promised day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median

from store.views.reads import EventRow, OrderDetail

_WAITED = ("stock reserved, the rest is backordered", "backordered")


@dataclass(frozen=True)
class UnitOutcomes:
    """Units of all orders.

    `unexplained`: units of purchasable products that were neither sent, nor cancelled by a
    customer, nor lost on the way.
    """

    ordered: int
    delivered: int
    lost: int
    backordered: int
    discontinued: int
    by_customers: int
    undeliverable: int
    unexplained: int

    def rows(self) -> Iterator[tuple[str, int]]:
        """(text, number) for people."""
        yield "ordered", self.ordered
        yield "delivered", self.delivered
        yield "of those ordered, at first backordered", self.backordered
        yield "discontinued, and gone: cancelled and not charged", self.discontinued
        yield "cancelled by customers", self.by_customers
        yield "undeliverable or lost on the way, and paid back", self.undeliverable + self.lost
        yield "cancelled for any other reason", self.unexplained


@dataclass(frozen=True)
class Promises:
    """Parcels with a promised day, and the slips in the orders' stories."""

    kept: int
    late: int
    never_came: int
    unknown: int
    days_early: float
    at_risk: int
    missed: int

    def rows(self) -> Iterator[tuple[str, object]]:
        """(text, value) for people."""
        yield "parcels that were there by the promised day", self.kept
        yield "parcels that came later", self.late
        yield "parcels that were recalled, lost or sent back before", self.never_came
        yield "parcels without a promised day: nothing was known to be on its way", self.unknown
        yield "days before the promised day, in the middle", f"{self.days_early:.0f}"
        yield "slips told while there was time", self.at_risk
        yield "slips told after the day", self.missed


def units_of(
    orders: Sequence[OrderDetail],
    stories: Mapping[str, Sequence[EventRow]],
    discontinued: Collection[str],
) -> UnitOutcomes:
    """The outcome of every unit."""
    found = Counter[str]()
    for order in orders:
        skus = {line.line_id: line.sku for line in order.lines}
        for line in order.lines:
            found["ordered"] += line.ordered
            found["delivered"] += line.delivered
            found["lost"] += line.lost
            found["cancelled"] += line.cancelled
        for event in stories[order.summary.order_id]:
            found["backordered"] += sum(
                event.data["backordered"].values() if event.what in _WAITED else ()
            )
            found["undeliverable"] += _undeliverable(order, event)
            if "sourcing" in event.data:  # Units that could not be had.
                for line_id, units in event.data["missing"].items():
                    gone = skus[line_id] in discontinued
                    if "refunded" not in event.what:
                        found["discontinued" if gone else "unexplained"] += units
            elif event.what == "cancelled" and "units" in event.data:
                told = [*event.data["units"].values(), event.data.get("backordered", {})]
                units = sum(sum(one.values()) for one in told)
                found["by_customers" if _is_a_customer(event.who) else "unexplained"] += units
    names = UnitOutcomes.__dataclass_fields__
    return UnitOutcomes(**{name: found[name] for name in names})


def _is_a_customer(who: str) -> bool:
    """Whether somebody cancelled by himself, by a program with an API key, or in a shop."""
    return who in ("customer", "shop") or who.startswith("customer (")


def _undeliverable(order: OrderDetail, event: EventRow) -> int:
    """Units that came back because nobody took them."""
    if event.what != "return received":
        return 0
    back = next(r for r in order.returns if r.return_id == event.data["return_id"])
    return sum(line["quantity"] for line in back.lines.values() if back.kind == "undeliverable")


def promises_of(
    orders: Sequence[OrderDetail], stories: Mapping[str, Sequence[EventRow]]
) -> Promises:
    """Every promised day, compared with the day of the delivery."""
    found = Counter[str]()
    early: list[int] = []
    for order in orders:
        story = stories[order.summary.order_id]
        arrived: dict[str, date] = {
            event.data["fulfilment_id"]: event.at.date()
            for event in story
            if event.what == "delivered"
        }
        for event in story:
            found[event.what] += event.what.startswith("promise ")
        for part in order.fulfilments:
            day = arrived.get(part.fulfilment_id)
            if part.promised_on is None:
                found["unknown"] += day is not None
            elif day is None:
                found["never came"] += 1
            else:
                early.append((part.promised_on - day).days)
    return Promises(
        kept=sum(days >= 0 for days in early),
        late=sum(days < 0 for days in early),
        never_came=found["never came"],
        unknown=found["unknown"],
        days_early=median(early) if early else 0.0,
        at_risk=found["promise at risk"],
        missed=found["promise missed"],
    )
