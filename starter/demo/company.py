"""The demo's company: two sellers, five channels, and what each channel sends.

Northwind's orders are shared out. What its German shop sells has prices in EUR with the tax in
them; all others are net, in USD. Tills sell what lies in their shop, to customers without an
address.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from domain.money import Price
from domain.orders.channels import Channel
from domain.orders.order import Order, Payment
from domain.sellers import Seller
from domain.stock.locations import Location
from starter.service.service import Records

US, DE, SHOP = "us", "de", "shop"
TILL: Final = "pos"

SELLERS: Final = (
    Seller(
        seller=US,
        name="Northwind Traders Inc.",
        line1="12 Orchestra Terrace",
        city="Walla Walla",
        region="WA",
        postal_code="99362",
        country="US",
        currency="USD",
        time_zone="America/Los_Angeles",
    ),
    Seller(
        seller=DE,
        name="Nordwind Handels GmbH",
        line1="Obere Str. 57",
        city="Berlin",
        postal_code="12209",
        country="DE",
        tax_numbers=("DE123456789",),
        currency="EUR",
        time_zone="Europe/Berlin",
        languages=("de", "en"),
    ),
)

CHANNELS: Final = (
    Channel(channel="b2b", kind="b2b", seller=US, currencies=("USD",), locations=("main",)),
    Channel(channel="web", kind="web", seller=US, currencies=("USD",), locations=("main",)),
    Channel(
        channel="marketplace",
        kind="marketplace",
        seller=US,
        currencies=("USD",),
        locations=("main",),
    ),
    Channel(channel="webde", kind="web", seller=DE, currencies=("EUR",), locations=("main",)),
    Channel(channel=TILL, kind="pos", seller=DE, currencies=("EUR",), locations=(SHOP,)),
)

_SHELVES: Final = {
    "TEA-TOWEL": (Decimal("3.10"), Decimal("7.90"), "19"),
    "COOKBOOK": (Decimal("11.00"), Decimal("24.00"), "7"),
    "SPICE-BOX": (Decimal("6.25"), Decimal("14.50"), "7"),
}
"""What the shop sells: the cost, and the price with tax in it, of one, and the rate."""

_IN_THE_SHOP: Final = 500
_RATE: Final = "19"
_GIFTS: Final = 2
"""Every so many orders of the German web shop are wrapped as gifts, for a fee."""
_EUR: Final = Decimal("0.92")
"""What a dollar is worth here: no more than a figure for prices that look like prices."""


def shared_out(orders: Sequence[Order], *, paid: Payment | None = None) -> list[Order]:
    """The orders, each from one of the five channels in turn."""
    return [_as_of(CHANNELS[n % len(CHANNELS)], n, order, paid) for n, order in enumerate(orders)]


def is_till_sale(part_id: str) -> bool:
    """Whether a part of an order, or the order, was sold at the till."""
    return part_id.startswith(f"{TILL}-")


async def found(records: Records) -> None:
    """Its sellers, before anything is bought or sold for them."""
    await records.sellers.save(SELLERS)


async def open_channels(records: Records, channels: Sequence[Channel] = CHANNELS) -> None:
    """The shop with what lies in it, and the channels. The warehouse is there."""
    await records.locations.save([Location(location=SHOP, seller=DE)])
    await records.channels.save(channels)
    for sku, (cost, _, _) in _SHELVES.items():
        await records.stock.receive(
            *(f"opening-{sku}", sku, SHOP, _IN_THE_SHOP),
            unit_cost=Price(each=cost, currency="EUR"),
            who="demo",
            why="opening stock",
        )


def _as_of(channel: Channel, number: int, order: Order, paid: Payment | None) -> Order:
    if channel.channel == TILL:
        return _sold_at_the_till(number, order, paid)
    document = order.model_dump(mode="json") | {"channel": channel.channel}
    document["customer"] |= {
        "email": f"{order.customer.id.lower()}@example.com",
        "locale": "de" if channel.seller == DE else "en",
    }
    if channel.seller == DE:
        document |= _in_euro(document)
        if number % _GIFTS == 0:
            document["fees"] = [{"name": "Gift wrapping", "amount": "2.90", "tax_rate": _RATE}]
    return Order.model_validate(document)


def _in_euro(document: dict[str, Any]) -> dict[str, Any]:
    """The same goods at prices in EUR that include the tax."""

    def euro(amount: str) -> str:
        return str((Decimal(amount) * _EUR).quantize(Decimal("0.01"), ROUND_HALF_UP))

    lines = [
        {
            "line_id": line["line_id"],
            "sku": line["sku"],
            "quantity": line["quantity"],
            "unit_price": euro(line["unit_price"]),
            "discount": euro(line["discount"]),
            "tax_rate": _RATE,
        }
        for line in document["lines"]
    ]
    shipping = document["shipping"]
    return {
        "currency": "EUR",
        "prices_include_tax": True,
        "lines": lines,
        "discount": euro(document["discount"]),
        "shipping": {
            "service": shipping["service"],
            "address": shipping["address"],
            "price": euro(shipping["price"]),
            "tax_rate": _RATE,
        },
        "total": None,
    }


def _sold_at_the_till(number: int, order: Order, paid: Payment | None) -> Order:
    """As many lines as the order has, of what lies in the shop; no name, and no address."""
    goods = list(_SHELVES.items())
    lines = [
        {
            "sku": goods[(number + n) % len(goods)][0],
            "quantity": 1 + (number + n) % 2,
            "unit_price": str(goods[(number + n) % len(goods)][1][1]),
            "tax_rate": goods[(number + n) % len(goods)][1][2],
        }
        for n, _ in enumerate(order.lines[: len(goods)])
    ]
    return Order.model_validate(
        {
            "channel": TILL,
            "channel_order_id": f"T-{order.channel_order_id}",
            "placed_at": order.placed_at,
            "currency": "EUR",
            "prices_include_tax": True,
            "lines": lines,
            "payment": (paid or order.payment).model_dump(mode="json"),
        }
    )
