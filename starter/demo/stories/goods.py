"""What the stories' orders are about: their channel, their goods, and who sells them to us."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from domain.money import Price
from domain.orders.channels import Channel
from domain.orders.hold_rules import HoldRule
from domain.orders.order import Order, Payment
from domain.orders.policy import Policy
from domain.orders.providers import ON_ACCOUNT
from domain.purchasing.purchase_orders import SupplierItem
from domain.stock.items import Item
from domain.stock.licences import Licence
from domain.stock.locations import Location
from starter.demo import company
from starter.demo.mails import LANGUAGES
from starter.service.service import Records

DESK: Final = "desk"
EDI: Final = "edi"
CURRENCY: Final = "USD"

TEA, MUG, PLATE, BOWL = "TEA-100", "MUG", "PLATE", "BOWL"
APP, NOVEL, LAMP, TABLE = "APP-TEATIMER", "NOVEL", "LAMP", "OAK-TABLE"
LUMEN, CARPENTER = "lumen", "carpenter"

_STOCK: Final = {TEA: 48, MUG: 60, PLATE: 20, BOWL: 20, NOVEL: 5}
_COST: Final = Price(each=Decimal("2.50"), currency=CURRENCY)
_CODES_AT: Final = "digital"
_CODES: Final = ("TT-7Q2M-0001", "TT-7Q2M-0002", "TT-7Q2M-0003")
_RETURN_WINDOW: Final = timedelta(seconds=30)
"""Long enough for a story on a slow machine, and short enough to see its order closed."""

ASKS_FIRST: Final = HoldRule.model_validate(
    {
        "rule": "asks-first",
        "when": {"words": ["surprise"]},
        "reason": "other",
        "owner": "service desk",
        "channels": [DESK],
    }
)

_ADDRESS: Final = {
    "name": "Robin Castle",
    "line1": "1400 Pike Street",
    "city": "Seattle",
    "region": "WA",
    "postal_code": "98101",
    "country": "US",
}


def is_of_the_desk(part_id: str) -> bool:
    """Whether a part of an order, or the order, is of a story."""
    return part_id.startswith((f"{DESK}-", f"{EDI}-"))


def line(sku: str, quantity: int, price: str) -> dict[str, Any]:
    """One line of an order."""
    return {"sku": sku, "quantity": quantity, "unit_price": price, "tax_rate": "8"}


def order(name: str, *lines: dict[str, Any], paid: Payment, **fields: Any) -> Order:
    """An order with this name as its number. `fields` come in place of what is usual."""
    usual = {
        "channel": DESK,
        "channel_order_id": name,
        "placed_at": datetime.now(UTC),
        "customer": {
            "id": f"C-{name}",
            "name": _ADDRESS["name"],
            "email": "robin@example.com",
            "locale": LANGUAGES[len(name) % len(LANGUAGES)],
        },
        "currency": CURRENCY,
        "lines": lines,
        "shipping": {"service": "standard", "price": "5.00", "tax_rate": "8", "address": _ADDRESS},
        "payment": paid.model_dump(mode="json"),
    }
    return Order.model_validate(usual | fields)


async def stock(records: Records) -> None:
    """Open the desk, with its goods on the shelves of the main warehouse."""
    await records.channels.save(
        [
            Channel(
                channel=DESK,
                kind="web",
                seller=company.US,
                currencies=(CURRENCY,),
                locations=("main",),
                policy=Policy(return_window=_RETURN_WINDOW),
            ),
            Channel(
                channel=EDI,
                kind="b2b",
                seller=company.US,
                currencies=(CURRENCY,),
                locations=("main",),
                providers=(ON_ACCOUNT,),
                policy=Policy(return_window=_RETURN_WINDOW),
            ),
        ]
    )
    await records.hold_rules.save([ASKS_FIRST], who="demo")
    tomorrow = datetime.now(UTC).date() + timedelta(days=2)
    await records.catalogue.set_items(
        [
            Item(sku=TEA, name="Tea, 100 bags"),
            Item(sku=MUG, name="Mug"),
            Item(sku=PLATE, name="Plate"),
            Item(sku=BOWL, name="Bowl"),
            Item(sku=NOVEL, name="A novel, not out yet", available_from=tomorrow),
            Item(sku=APP, name="Tea timer, a licence", handling="digital"),
            Item(sku=LAMP, name="Lamp, sent by its maker", handling="drop_ship"),
            Item(sku=TABLE, name="Table, made to order", handling="made_to_order"),
        ]
    )
    await records.locations.save([Location(location=_CODES_AT, seller=company.US)])
    for sku, units in _STOCK.items():
        await records.stock.receive(
            *(f"opening-{sku}", sku, "main", units),
            unit_cost=_COST,
            who="demo",
            why="opening stock",
        )
    await records.codes.take_in(
        [Licence(sku=APP, code=code) for code in _CODES], _CODES_AT, who="demo"
    )
    terms = {"lead_time_days": 2, "currency": CURRENCY}
    await records.purchasing.set_terms(
        [
            SupplierItem.model_validate({**terms, "supplier": who, "sku": sku, "unit_price": price})
            for who, sku, price in ((LUMEN, LAMP, "31.00"), (CARPENTER, TABLE, "240.00"))
        ]
    )
