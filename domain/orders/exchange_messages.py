"""The request to exchange delivered units for others, its preview, and its answer."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.fields import Amount, Document, Service, Sku, Token, UnitPrice, inconsistent
from domain.money import Money
from domain.orders.lines import LINES_MAX, Quantity
from domain.orders.messages import Units
from domain.orders.price_fields import Rate, TaxCategory
from domain.orders.providers import ProviderName
from domain.orders.quantities import LineId
from domain.orders.return_messages import ReturnRequest

ExchangeMode = Literal["standard", "advance"]
"""standard: the replacement ships when the return is received. advance: it ships first."""


class WantedItem(Document):
    """Units that the customer gets instead.

    Without `unit_price` they cost what was paid for the units of the same SKU that come back; or,
    with `price_of`, for those of that line, whatever their SKU is. Without `tax_rate`, a SKU of the
    order has the rate of its line there.
    """

    sku: Sku
    quantity: Quantity
    unit_price: UnitPrice | None = None
    price_of: LineId | None = None
    discount: Amount = Decimal(0)
    tax_rate: Rate | None = None
    tax_category: TaxCategory | None = None

    @model_validator(mode="after")
    def _one_price(self) -> Self:
        said = (self.unit_price, self.discount or None, self.tax_rate, self.tax_category)
        if self.price_of is not None and any(one is not None for one in said):
            raise inconsistent("price_of", "says the price and its tax: give no other ones besides")
        return self


class WantedShipping(Document):
    """How the replacement is sent. Without `price`, it costs what comes back of the outward way."""

    service: Service | None = None
    price: Amount | None = None
    tax_rate: Rate | None = None


class RestPayment(Document):
    """Who pays what the replacement costs more than comes back."""

    provider: ProviderName
    token: Token


class ExchangeRequest(ReturnRequest):
    """Send units back, and get others for them. Lines left out: all that can come back.

    `wants`: left out, the same SKUs in the same numbers. `payment`: pays what they cost more, and
    what does not come back of an advance exchange. Left out, the customer is asked for it; of an
    advance exchange, the order's own means of payment pays.
    """

    mode: ExchangeMode = "standard"
    wants: Annotated[tuple[WantedItem, ...], Field(max_length=LINES_MAX)] = ()
    shipping: WantedShipping | None = None
    payment: RestPayment | None = None


class ExchangeWorth(BaseModel):
    """The amounts of an exchange, with tax.

    `comes_back`: what the returned units pay back if all of them come, as new. `total`: what the
    replacement costs, `tax` of it. `owed`: what the customer pays more. `paid_back`: what is left
    over for the customer, and is paid back when the return is received.
    """

    model_config = ConfigDict(frozen=True)

    comes_back: Money
    total: Money
    tax: Money
    owed: Money
    paid_back: Money


class ExchangePreview(ExchangeWorth):
    """What an exchange would do; nothing is written. `asks`: why a person decides first.

    Of the amounts, `shipping` is in `total`, and `shipping_back` in `comes_back`; both with fees.
    """

    order_id: str
    mode: ExchangeMode
    lines: tuple[Units, ...]
    shipping: Money
    shipping_back: Money
    asks: tuple[str, ...] = ()


class ExchangeOutcome(BaseModel):
    """The outcome of a request to exchange.

    approved: the customer writes `return_id` on the parcel. requested: a person decides first;
    `asks` has the codes of the rules that want one. `exchange_order_id`: the order of what the
    customer gets.
    """

    model_config = ConfigDict(frozen=True)

    request_id: str
    outcome: Literal["approved", "requested"]
    return_id: str
    exchange_order_id: str
    mode: ExchangeMode
    lines: tuple[Units, ...]
    worth: ExchangeWorth
    asks: tuple[str, ...] = ()
    message: str = ""
