"""The carriers that a worker can reach, and which of them takes a parcel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from activities.fulfilment.carrier import Carrier
from activities.fulfilment.counter import Counter
from activities.provider_errors import Unavailable
from domain.errors import InvalidInput
from domain.fulfilment.counter import APPOINTMENT, CODES, COUNTER, SUPPLIER, WORKSHOP
from domain.orders.order import COLLECT

OTHERS: Final = ""
"""In a choice by service: every service that is not named."""


class Carriers:
    """Carriers by the name of their extension.

    `usual` takes every parcel whose service `by_service` does not give to another. The choice is
    kept with the parcel: its label is looked up and given back where it was bought, whatever is
    chosen later. Raises InvalidInput where a name is not among them.
    """

    def __init__(
        self,
        carriers: Mapping[str, Carrier],
        usual: str,
        by_service: Mapping[str, str] | None = None,
    ) -> None:
        self._carriers = {
            **carriers,
            COUNTER: Counter(),
            CODES: Counter(CODES),
            SUPPLIER: Counter(SUPPLIER),
            WORKSHOP: Counter(WORKSHOP),
            APPOINTMENT: Counter(APPOINTMENT),
        }
        self.choice: Mapping[str, str] = {OTHERS: usual, **(by_service or {}), COLLECT: COUNTER}
        """Service → the name of the carrier that takes it. Codes have no service."""
        for service, name in self.choice.items():
            if name not in self._carriers:
                raise InvalidInput(
                    f"no extension brings a carrier {name!r}{f' for {service}' if service else ''};"
                    f" there is {', '.join(sorted(carriers)) or 'none'}",
                    where="ORDERLOOM_CARRIERS" if service else "ORDERLOOM_CARRIER",
                )

    @classmethod
    def only(cls, carrier: Carrier) -> Carriers:
        """One that takes every parcel."""
        return cls({"carrier": carrier}, "carrier")

    def named(self, name: str) -> Carrier:
        """The carrier at which a label is, or may have been, bought.

        Raises Unavailable where this worker does not have it: somebody installs it again.
        """
        if name not in self._carriers:
            raise Unavailable(
                f"the label is of the carrier {name!r}, whose extension this worker does not have: "
                "see `orderloom extensions`"
            )
        return self._carriers[name]
