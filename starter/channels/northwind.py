"""The Northwind sample company's order export: one row per order line, discounts as fractions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from starter.channels.countries import country_code
from starter.channels.csv_dialect import columns_of
from starter.channels.csv_rows import Row, header_fault, lines_in
from starter.channels.order_rows import Key, OrderRows, Places, gather, to_records
from starter.channels.read_results import Problem, Record, unreadable

ORDER_COLUMNS: Final = (
    "order_id",
    "customer_id",
    "order_date",
    "required_date",
    "shipped_date",
    "shipper_id",
    "freight",
    "ship_name",
    "ship_address",
    "ship_city",
    "ship_region",
    "ship_postal_code",
    "ship_country",
    "product_id",
    "unit_price",
    "quantity",
    "discount",
)
_OF_THE_LINE: Final = ("product_id", "unit_price", "quantity", "discount")
_OF_THE_ORDER: Final = tuple(name for name in ORDER_COLUMNS if name not in _OF_THE_LINE)

CURRENCY: Final = "USD"
PAYMENT_TOKEN: Final = "tok_ok"
_CENT: Final = Decimal("0.01")

_SERVICES: Final = {
    "": "standard",
    "1": "speedy-express",
    "2": "united-package",
    "3": "federal-shipping",
    "4": "alliance-shippers",
    "5": "ups",
    "6": "dhl",
}
# The column of the export in which a fault of the canonical order must be corrected.
_COLUMNS_BY_PATH: Final = {
    "channel_order_id": "order_id",
    "placed_at": "order_date",
    "requested_delivery_date": "required_date",
    "customer.id": "customer_id",
    "customer.name": "ship_name",
    "shipping.service": "shipper_id",
    "shipping.price": "freight",
    "shipping.address.name": "ship_name",
    "shipping.address.line1": "ship_address",
    "shipping.address.city": "ship_city",
    "shipping.address.region": "ship_region",
    "shipping.address.postal_code": "ship_postal_code",
    "shipping.address.country": "ship_country",
}
_COLUMNS_BY_LINE_FIELD: Final = {
    "sku": "product_id",
    "unit_price": "unit_price",
    "quantity": "quantity",
    "discount": "discount",
}

# Whether the numbers of a column are whole.
_NUMBERS: Final = {
    **dict.fromkeys(("order_id", "shipper_id", "product_id", "quantity"), True),
    **dict.fromkeys(("freight", "unit_price", "discount"), False),
}
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WHOLE: Final = re.compile(r"[0-9]{1,9}")
_AMOUNT: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,4})?")
_KEY: Final = Key("order_id", _WHOLE, "a number")
_PLACES: Final = Places(_COLUMNS_BY_PATH, _COLUMNS_BY_LINE_FIELD)
_FRACTION: Final = re.compile(r"0(\.[0-9]{1,20})?|1(\.0{1,20})?")


def is_northwind(text: str) -> bool:
    """Whether the header is this export's, or was meant to be."""
    columns = columns_of(lines_in(text)).named(ORDER_COLUMNS)
    return "order_id" in columns and len(columns) > 1


def read_northwind(text: str, customers: Mapping[str, str] | None = None) -> Iterator[Record]:
    """The orders of an export. `customers`: customer id → name."""
    lines = lines_in(text)
    columns = columns_of(lines).named(ORDER_COLUMNS)
    fault = header_fault(columns, ORDER_COLUMNS)
    if fault:
        yield unreadable(columns.line, fault)
        return
    gathered, strays = gather(lines, columns, _KEY, _NUMBERS)
    names = customers or {}
    yield from to_records(gathered, strays, lambda one: _document(one, names), _PLACES)


def _document(one: OrderRows, customers: Mapping[str, str]) -> dict[str, Any]:
    """The canonical document; wrong cells are added to the problems."""
    first, problems = one.rows[0], one.problems
    one.must_agree(_OF_THE_ORDER)
    placed_on = _checked(first, "order_date", _DATE, "a date such as 1996-07-04", problems)
    shipper = first.cells["shipper_id"]
    address = {
        "name": first.cells["ship_name"],
        "line1": first.cells["ship_address"],
        "city": first.cells["ship_city"],
        "region": first.cells["ship_region"],
        "postal_code": first.cells["ship_postal_code"],
        "country": _country(first, problems),
    }
    return {
        "channel": "b2b",
        "channel_order_id": one.number,
        "placed_at": placed_on,
        "requested_delivery_date": first.cells["required_date"],
        "customer": {
            "id": first.cells["customer_id"],
            "name": customers.get(first.cells["customer_id"]) or address["name"],
        },
        "currency": CURRENCY,
        "lines": [_line(row, number, problems) for number, row in enumerate(one.rows, start=1)],
        "shipping": {
            "service": _SERVICES.get(shipper, f"shipper-{shipper}"),
            "price": _checked(first, "freight", _AMOUNT, "an amount such as 32.38", problems),
            "address": address,
        },
        "payment": {"token": PAYMENT_TOKEN},
    }


def _line(row: Row, number: int, problems: list[Problem]) -> dict[str, Any]:
    known = len(problems)
    product = _checked(row, "product_id", _WHOLE, "a number", problems)
    price = _checked(row, "unit_price", _AMOUNT, "an amount such as 14.00", problems)
    quantity = _checked(row, "quantity", _WHOLE, "a whole number", problems)
    fraction = _checked(row, "discount", _FRACTION, "a fraction from 0 to 1", problems)
    discount = Decimal(0)
    if len(problems) == known:
        worth = Decimal(price) * int(quantity)
        discount = (Decimal(fraction) * worth).quantize(_CENT, rounding=ROUND_HALF_UP)
    return {
        "line_id": str(number),
        "sku": sku_of(product),
        "quantity": int(quantity) if _WHOLE.fullmatch(quantity) else quantity,
        "unit_price": price,
        "discount": discount,
    }


def sku_of(product_id: str) -> str:
    """The SKU of a Northwind product."""
    return f"NW-{product_id}"


def _checked(
    row: Row, column: str, shape: re.Pattern[str], wanted: str, problems: list[Problem]
) -> str:
    """The cell's text; if it does not have this shape, that is added to `problems`."""
    cell = row.cells[column]
    if not cell:
        problems.append(Problem(row.line, column, "is missing"))
    elif not shape.fullmatch(cell):
        problems.append(Problem(row.line, column, f"must be {wanted}"))
    return cell


def _country(row: Row, problems: list[Problem]) -> str:
    name = row.cells["ship_country"]
    code = country_code(name)
    if code is None:
        reason = f"no country is called {name[:60]!r}" if name else "is missing"
        problems.append(Problem(row.line, "ship_country", reason))
    return code or name
