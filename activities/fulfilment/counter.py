"""The counter: where customers take their goods, and nothing is sent.

To the engine it is a carrier without a company behind it: what it answers follows from what it is
asked, so that nothing has to be kept.
"""

from __future__ import annotations

from typing import Protocol

from activities.fulfilment.carrier import Label
from domain.fulfilment.counter import COUNTER
from domain.fulfilment.packed import Packed
from domain.orders.order import COLLECT


class Till(Protocol):
    """Reports a sale at a till as a warehouse would: picked, packed and handed over."""

    async def picked_and_packed(self, fulfilment_id: str) -> None: ...

    async def handed_over(self, fulfilment_id: str) -> None: ...


class Counter:
    """Hands goods over to customers. Its number of a parcel is the fulfilment's id.

    `name`: as labels and scans call it. Codes that are given out go over a counter of their own.
    """

    def __init__(self, name: str = COUNTER) -> None:
        self._name = name

    async def buy_label(
        self,
        *,
        key: str,
        fulfilment_id: str,
        service: str,
        country: str,
        postal_code: str | None,
        packed: Packed,
    ) -> Label:
        """What is put on the counter. Nothing is bought."""
        del key, service, country, postal_code, packed
        return self._label(fulfilment_id)

    async def void_label(self, *, key: str, tracking_number: str) -> None:
        """It goes back to the shelf, and nobody has to be told."""
        del key, tracking_number

    async def lookup(self, *, key: str) -> Label | None:
        """The label of a key, as `buy_label` answers it."""
        return self._label(key.partition(":label")[0])

    def _label(self, fulfilment_id: str) -> Label:
        return Label(
            carrier=self._name, tracking_number=fulfilment_id, service=COLLECT, voided=False
        )
