"""An order's counts of units, moved as the transactions of facts move them, and its money."""

from __future__ import annotations

from dataclasses import dataclass, field

from domain.orders.amounts import LineMoney, value_lines
from domain.orders.charges import Charges, Due, Owed
from domain.orders.order import Order
from domain.orders.quantities import LineQuantities
from domain.payments.cover import Need
from domain.payments.needs import needs


@dataclass(eq=False)
class Parcel:
    """A fulfilment, by its units."""

    number: int
    units: dict[str, int]


@dataclass
class Rows:
    """Counts of units, moved as the transactions of facts move them, and the money beside them."""

    order: Order
    lines: dict[str, LineQuantities] = field(init=False)
    charges: Charges = field(init=False)
    to_leave: list[Parcel] = field(default_factory=list)
    parcels: int = 0

    def __post_init__(self) -> None:
        self.lines = {x.line_id: LineQuantities(ordered=x.quantity) for x in self.order.lines}
        self.charges = Charges(self.lines, value_lines(self.order))

    def move(self, move: str, units: dict[str, int]) -> None:
        for line_id, count in units.items():
            self.lines[line_id] = getattr(self.lines[line_id], move)(count)

    def reserve(self, units: dict[str, int]) -> Parcel:
        """Stock is found for these units at one location."""
        self.move("allocate", units)
        return self.reassigned(units)

    def reserve_all(self) -> Parcel:
        return self.reserve({k: line.open for k, line in self.lines.items() if line.open})

    def reassigned(self, units: dict[str, int]) -> Parcel:
        self.parcels += 1
        self.to_leave.append(Parcel(self.parcels, dict(units)))
        return self.to_leave[-1]

    def older_than(self, parcel: Parcel) -> list[dict[str, int]]:
        return [each.units for each in self.to_leave if each.number < parcel.number]

    def needs(self, first: Parcel | None = None) -> list[Need]:
        """What is to be charged for each parcel, by its number, and for the rest."""
        parts = {f"{parcel.number}": parcel.units for parcel in self.to_leave}
        return needs(self.charges, parts, "" if first is None else f"{first.number}")

    def need_of(self, parcel: Parcel) -> Need:
        """What is charged for a parcel, if it is the next one to leave."""
        part = f"{parcel.number}"
        return next((x for x in self.needs(parcel) if x.part == part), Need(part, 0))

    def to_charge_for(self, parcel: Parcel) -> int:
        return self.need_of(parcel).amount

    def shipped(self, parcel: Parcel) -> Due:
        older = self.older_than(parcel)
        self.to_leave.remove(parcel)
        self.move("ship", parcel.units)
        return self.charges.left(parcel.units, older)

    def cancelled(self, units: dict[str, int], *, allocated: bool) -> Owed:
        if allocated:
            self.move("unallocate", units)
        self.move("cancel", units)
        return self.charges.cancelled(units)

    def not_waited_for(self, units: dict[str, int]) -> Owed:
        self.move("unbackorder", units)
        return self.cancelled(units, allocated=False)

    def lost(self, replaced: dict[str, int], given_up: dict[str, int]) -> Owed:
        self.move("replace", replaced)
        self.move("lose", given_up)
        return self.charges.lost(replaced, given_up)

    def came_back(self, parcel: Parcel) -> Owed:
        self.move("come_back", parcel.units)
        return self.charges.came_back(parcel.units)

    def returned(self, requested: dict[str, int], received: dict[str, int]) -> Owed:
        for line_id, count in requested.items():
            came = received.get(line_id, 0)
            self.lines[line_id] = self.lines[line_id].receive_return(count, came)
        return self.charges.returned(received)

    @property
    def waiting(self) -> dict[str, int]:
        return {k: line.backordered for k, line in self.lines.items() if line.backordered}

    @property
    def deliverable_worth(self) -> int:
        worth = self.charges.worth
        left = {k: line.ordered - line.cancelled for k, line in self.lines.items()}
        return sum(worth[line_id].first(units).total for line_id, units in left.items())

    def read_again(self) -> None:
        """The next transaction reads what this one kept."""
        charges = self.charges
        money = {
            line_id: LineMoney.model_validate_json(each.model_dump_json())
            for line_id, each in charges.money.items()
        }
        self.charges = Charges(
            self.lines,
            charges.worth,
            money,
            refunded=charges.refunded,
            invoiced=charges.invoiced,
            goodwill=charges.goodwill,
        )
