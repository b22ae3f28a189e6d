"""Where the units of a line stand, and the only ways in which they may move.

    backordered
      ▲  │ unbackorder
      │backorder
      │  ▼
    open ──allocate──► allocated ──ship──► shipped ──deliver──► delivered
      ▲  ╲                │  ▲               │  ╲            (claimed, and sent again: ──► open)
      │   cancel          │  └──replace──────┘   lose / request_return ► return
      └──unallocate───────┘          (undeliverable: shipped ──come_back──► cancelled)

Everything is counted per unit: a line can be in several of these at once. `delivered`, `lost`,
`return_requested` and `returned` are counted within `shipped`; the store also counts `picked`,
within `allocated`. Whether a unit is paid for is counted beside that (`LineMoney`).
The sum `ordered = open + backordered + allocated + shipped + cancelled` holds after every move;
the same sum is a constraint in the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.errors import IllegalTransition

LineId: TypeAlias = str

LineUnits: TypeAlias = Mapping[LineId, int]
"""The number of units of each line."""

Count = Annotated[int, Field(ge=0)]


class LineQuantities(BaseModel):
    """Unit counts of one order line. Every move returns a new value or raises IllegalTransition."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ordered: Annotated[int, Field(ge=1)]
    backordered: Count = 0
    allocated: Count = 0
    shipped: Count = 0
    delivered: Count = 0
    cancelled: Count = 0
    lost: Count = 0
    return_requested: Count = 0
    returned: Count = 0

    @property
    def open(self) -> int:
        return self.ordered - self.backordered - self.allocated - self.shipped - self.cancelled

    @property
    def returnable(self) -> int:
        """Units that the customer has and has not asked to send back."""
        return self.delivered - self.return_requested - self.returned

    @property
    def settled(self) -> bool:
        """Whether nothing is on its way: every unit is cancelled, delivered, lost or returned."""
        return self.cancelled + self.shipped == self.ordered and self.in_transit == 0

    @property
    def in_transit(self) -> int:
        """Shipped, and neither delivered nor lost."""
        return self.shipped - self.delivered - self.lost

    def allocate(self, units: int) -> Self:
        return self._moved("allocate", units, self.open, allocated=units)

    def unallocate(self, units: int) -> Self:
        return self._moved("unallocate", units, self.allocated, allocated=-units)

    def cancel(self, units: int) -> Self:
        """Open units only: allocated units are unallocated first."""
        return self._moved("cancel", units, self.open, cancelled=units)

    def backorder(self, units: int) -> Self:
        """Open units that are not in stock start to wait."""
        return self._moved("backorder", units, self.open, backordered=units)

    def unbackorder(self, units: int) -> Self:
        """Backordered units are open again: they have arrived, or stop waiting."""
        return self._moved("unbackorder", units, self.backordered, backordered=-units)

    def ship(self, units: int) -> Self:
        return self._moved("ship", units, self.allocated, allocated=-units, shipped=units)

    def deliver(self, units: int) -> Self:
        return self._moved("deliver", units, self.in_transit, delivered=units)

    def lose(self, units: int) -> Self:
        """Lost, and to be refunded."""
        return self._moved("lose", units, self.in_transit, lost=units)

    def replace(self, units: int) -> Self:
        """Lost, but others are sent instead: the units are open again, and stay charged."""
        return self._moved("replace", units, self.in_transit, shipped=-units)

    def send_again(self, units: int) -> Self:
        """Claimed, and others are sent for them: the units are open again, and stay charged."""
        return self._moved("send again", units, self.returnable, delivered=-units, shipped=-units)

    def request_return(self, units: int) -> Self:
        return self._moved("request a return of", units, self.returnable, return_requested=units)

    def receive_return(self, requested: int, received: int) -> Self:
        """A return request of `requested` units ends with `received` of them taken back."""
        if not 0 <= received <= requested:
            raise IllegalTransition(f"cannot receive {received} of {requested} returned units")
        if requested > self.return_requested:
            raise IllegalTransition(
                f"cannot end a return of {requested}: {self.return_requested} are requested"
            )
        return self._changed(return_requested=-requested, returned=received)

    def order_more(self, units: int) -> Self:
        """The order is changed: more units are wanted, and open."""
        return self._changed(ordered=units)

    def order_less(self, units: int) -> Self:
        """The order is changed: units that have just been cancelled for that were never ordered."""
        return self._moved("take away", units, self.cancelled, ordered=-units, cancelled=-units)

    def come_back(self, units: int) -> Self:
        """Undeliverable and back at the warehouse: counted as never sent."""
        return self._moved("take back", units, self.in_transit, shipped=-units, cancelled=units)

    def _moved(self, verb: str, units: int, available: int, **changes: int) -> Self:
        if units < 0 or units > available:
            raise IllegalTransition(f"cannot {verb} {units}: only {available} can be")
        return self._changed(**changes)

    def _changed(self, **changes: int) -> Self:
        return self.model_validate(
            {
                **self.model_dump(),
                **{name: getattr(self, name) + by for name, by in changes.items()},
            }
        )

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.open < 0:
            raise ValueError("more units are accounted for than were ordered")
        if self.delivered + self.lost > self.shipped:
            raise ValueError("more units arrived or are lost than were shipped")
        if self.return_requested + self.returned > self.delivered:
            raise ValueError("more units are sent back than were delivered")
        return self
