"""The exchange order: what it holds, what it costs, and who pays it.

It is an order of the same customer, to the same address. What comes back pays for it up to its
total; the rest is paid by another means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from typing import Final

from pydantic import ValidationError

from domain.errors import Refused
from domain.faults import faults
from domain.money import PRICE_DECIMALS_MAX, Money, to_decimal, worth_of_units
from domain.orders.amounts import Worth
from domain.orders.edited import tax_of, total_of
from domain.orders.exchange_messages import (
    ExchangeRequest,
    ExchangeWorth,
    WantedItem,
    WantedShipping,
)
from domain.orders.lines import Line
from domain.orders.order import Order, Payment, Tender
from domain.orders.prices import tax_of as computed_tax
from domain.orders.providers import BY_CODE, EXCHANGE
from domain.orders.quantities import LineId
from domain.orders.shipping import COLLECT, Shipping
from domain.orders.voucher_codes import is_kept, kept

_FINEST: Final = Decimal(1).scaleb(-PRICE_DECIMALS_MAX)


@dataclass(frozen=True)
class ComesBack:
    """Units of a line that come back, and what was paid for them. `worth`: without shipping.

    `paid_back`: so many of them are paid back already.
    """

    line: Line
    units: int
    worth: Worth
    paid_back: int = 0


@dataclass(frozen=True)
class Exchange:
    """What is exchanged. `pays_back`: what all of it pays back if it comes, as new, with shipping.

    `number`: of the exchange order, in its channel. `main`: who pays for the original.
    """

    original: Order
    lines: Sequence[ComesBack]
    pays_back: Worth
    request: ExchangeRequest
    return_id: str
    number: str
    main: Payment


@dataclass(frozen=True)
class Exchanged:
    """The exchange order, and the part of it that is paid with what comes back."""

    order: Order
    tender: Money
    worth: ExchangeWorth


def exchanged(exchange: Exchange, placed_at: datetime) -> Exchanged:
    """Make the exchange order. Raises Refused for prices that do not agree."""
    original, currency = exchange.original, exchange.original.currency
    shipping = _shipping(exchange)
    if shipping.service != COLLECT and shipping.address is None:
        raise Refused(
            f"{original.order_id} was collected, so nobody knows where to send other goods",
            reason="collected",
            instead=("exchange_items", "return_items"),
        )
    document = {
        "channel": original.channel,
        "channel_order_id": exchange.number,
        "placed_at": placed_at,
        "customer": original.customer,
        "currency": currency,
        "prices_include_tax": original.prices_include_tax,
        "lines": _lines(exchange),
        "shipping": shipping,
        "billing": original.billing,
        "payment": exchange.main,
    }
    try:
        order = Order.model_validate(document)
    except ValidationError as error:
        where, _, why = faults(error)[0]
        raise Refused(
            f"{where}: {why}", reason="prices_do_not_agree", instead=("exchange_items",)
        ) from None
    total, back = total_of(order), Money(minor=exchange.pays_back.total, currency=currency)
    tender = min(total.minor, back.minor)

    def money(minor: int) -> Money:
        return Money(minor=minor, currency=currency)

    payment = _rest(exchange)
    tenders: tuple[Tender, ...] = ()
    if tender and (tender < total.minor or payment.provider != EXCHANGE):
        amount = to_decimal(tender, currency)
        tenders = (Tender(provider=EXCHANGE, token=exchange.return_id, amount=amount),)
    return Exchanged(
        order.model_copy(update={"payment": payment, "tenders": tenders}),
        money(tender),
        ExchangeWorth(
            comes_back=back,
            total=total,
            tax=tax_of(order),
            owed=money(total.minor - tender),
            paid_back=money(back.minor - tender),
        ),
    )


def _rest(exchange: Exchange) -> Payment:
    """Who pays what comes back too little of. The exchange itself: then the customer is asked.

    Of a code, the order has what is kept of it.
    """
    given = exchange.request.payment
    if given is not None:
        by_code = given.provider in BY_CODE and not is_kept(given.token)
        return Payment(provider=given.provider, token=kept(given.token) if by_code else given.token)
    if exchange.request.mode == "advance" and exchange.main.provider != EXCHANGE:
        return exchange.main
    return Payment(provider=EXCHANGE, token=exchange.return_id)


def _lines(exchange: Exchange) -> list[dict[str, object]]:
    wants = exchange.request.wants
    if not wants:
        return [_same(each, each.units, exchange) for each in exchange.lines]
    came = {each.line.sku: each for each in reversed(exchange.lines)}
    rates = {line.sku: line for line in reversed(exchange.original.lines)}
    return [_wanted(want, came, rates, exchange) for want in wants]


def _wanted(
    want: WantedItem,
    came: Mapping[str, ComesBack],
    known: Mapping[str, Line],
    exchange: Exchange,
) -> dict[str, object]:
    if want.price_of is not None:
        each = next((x for x in exchange.lines if x.line.line_id == want.price_of), None)
        if each is None:
            raise Refused(
                f"{want.sku} cannot cost what line {want.price_of} did: nothing of it comes back",
                reason="price_missing",
                instead=("exchange_items",),
            )
        return {**_same(each, want.quantity, exchange), "sku": want.sku}
    if want.unit_price is None:
        if want.sku not in came:
            raise Refused(
                f"say what {want.sku} costs: nothing of it comes back, and there is no price list",
                reason="price_missing",
                instead=("exchange_items",),
            )
        return _same(came[want.sku], want.quantity, exchange)
    sold = known.get(want.sku)
    return {
        "sku": want.sku,
        "quantity": want.quantity,
        "unit_price": want.unit_price,
        "discount": want.discount,
        "tax_rate": sold.tax_rate if want.tax_rate is None and sold else want.tax_rate,
        "tax_category": want.tax_category or (sold.tax_category if sold else None),
    }


def _same(each: ComesBack, units: int, exchange: Exchange) -> dict[str, object]:
    """Units of a SKU that comes back, for what was paid for those: exactly, if as many come.

    Raises Refused where some are paid back already: others are not free for that.
    """
    if each.paid_back:
        raise Refused(
            f"say what {each.line.sku} costs: {each.paid_back} of it is paid back already",
            reason="price_missing",
            instead=("exchange_items",),
        )
    included, currency = exchange.original.prices_include_tax, exchange.original.currency
    goods = each.worth.goods + (each.worth.tax if included else 0)
    price, tax = goods * units // each.units, each.worth.tax * units // each.units
    unit_price = (to_decimal(price, currency) / units).quantize(_FINEST, ROUND_CEILING).normalize()
    listed = worth_of_units(unit_price, units, currency)
    return {
        "sku": each.line.sku,
        "quantity": units,
        "unit_price": format(unit_price, "f"),
        "discount": format(to_decimal(listed - price, currency), "f"),
        "tax_rate": each.line.tax_rate,
        "tax_category": each.line.tax_category,
        "tax": _tax(tax, each.line.tax_rate, price, exchange),
    }


def _shipping(exchange: Exchange) -> Shipping:
    """As the original was sent, for what comes back of its shipping, if nothing else is said."""
    sent, wanted = exchange.original.shipping, exchange.request.shipping or WantedShipping()
    included, currency = exchange.original.prices_include_tax, exchange.original.currency
    rate = sent.tax_rate if wanted.tax_rate is None else wanted.tax_rate
    part: dict[str, object] = {"price": wanted.price, "tax": None, "tax_rate": rate}
    if wanted.price is None:
        back = exchange.pays_back.only_shipping
        price = back.shipping + (back.shipping_tax if included else 0)
        tax = _tax(back.shipping_tax, rate, price, exchange)
        # With the share of fees that have rates of their own, there is no one rate.
        part = {
            "price": to_decimal(price, currency),
            "tax": to_decimal(back.shipping_tax, currency) if tax is None else tax,
            "tax_rate": None if tax is None else rate,
        }
    return sent.model_copy(update={**part, "service": wanted.service or sent.service})


def _tax(tax: int, rate: Decimal | None, price: int, exchange: Exchange) -> Decimal | None:
    """The tax that was paid; None where it is not that of the rate, and is to be computed."""
    included, currency = exchange.original.prices_include_tax, exchange.original.currency
    if rate is not None and abs(tax - computed_tax(price, rate, included=included)) > 1:
        return None
    return to_decimal(tax, currency)


def line_units(lines: Sequence[ComesBack]) -> dict[LineId, int]:
    """Line id → units that come back."""
    return {each.line.line_id: each.units for each in lines}
