"""How an order's goods get to the customer."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Final

from domain.fields import Amount, Service
from domain.optional_fields import CUT, FREE, LenientDocument
from domain.orders.lines import OneKind
from domain.orders.people import Address
from domain.orders.price_fields import Rate, TaxCategory

COLLECT: Final = "collect"
"""The service of goods that are not sent: the customer takes them at the counter."""


class Shipping(LenientDocument):
    """The destination, the carrier's `service`, and the price of shipping.

    Goods with the service `collect` are not sent, and need no address.
    """

    _of_one_kind = OneKind

    service: Annotated[Service, FREE] = "standard"
    price: Amount = Decimal(0)
    tax: Amount | None = None
    tax_rate: Rate | None = None
    tax_category: Annotated[TaxCategory | None, CUT] = None
    address: Address | None = None

    @property
    def country(self) -> str:
        """Where it goes; empty where it is collected."""
        return self.address.country if self.address else ""

    @property
    def postal_code(self) -> str | None:
        """Where it goes, if that is told."""
        return self.address.postal_code if self.address else None
