"""Which orders a list shows: the same filters for screens, the API, commands and jobs."""

from __future__ import annotations

from typing import Any, Final, Self

from pydantic import model_validator

from domain.errors import InvalidInput
from domain.fields import (
    Amount,
    Country,
    CurrencyOnceUsed,
    CustomerId,
    Day,
    Document,
    Id,
    Instant,
    Sku,
    inconsistent,
)
from domain.money import to_minor
from domain.sellers import Code
from domain.views.order_snapshot import FulfilmentStatus, OrderState, PaymentStatus

_AMOUNTS: Final = ("total_from", "total_to")


class OrderFilters(Document):
    """Orders that match all of these.

    `placed_from`: then or later; `placed_to`: before then. `received_from`, `received_to`: the same
    of when we took it in. `held`: a hold stands. `location`: a part of it is served from there.
    `promised_by`: a parcel of it that has not arrived was promised for this day, or an earlier one.
    `country`: where it goes. `total_from`, `total_to`: of orders in `currency`, both included.
    """

    channel: Code | None = None
    seller: Code | None = None
    state: OrderState | None = None
    goods: FulfilmentStatus | None = None
    money: PaymentStatus | None = None
    customer_id: CustomerId | None = None
    needs_attention: bool | None = None
    held: bool | None = None
    placed_from: Instant | None = None
    placed_to: Instant | None = None
    received_from: Instant | None = None
    received_to: Instant | None = None
    promised_by: Day | None = None
    location: Id | None = None
    sku: Sku | None = None
    country: Country | None = None
    currency: CurrencyOnceUsed | None = None
    total_from: Amount | None = None
    total_to: Amount | None = None

    @model_validator(mode="after")
    def _a_total_has_a_currency(self) -> Self:
        for name in _AMOUNTS:
            amount = getattr(self, name)
            if amount is None:
                continue
            if self.currency is None:
                raise inconsistent(name, "needs `currency`: amounts of several are not compared")
            try:
                to_minor(amount, self.currency)
            except InvalidInput as error:
                raise inconsistent(name, str(error)) from None
        return self

    def wanted(self) -> dict[str, Any]:
        """What is asked, as the database takes it: with totals in minor units."""
        said = self.model_dump(mode="json", exclude_none=True, exclude=set(_AMOUNTS))
        for name in _AMOUNTS:
            amount = getattr(self, name)
            if amount is not None and self.currency is not None:
                said[name] = to_minor(amount, self.currency)
        return said
