"""The Northwind sample company's order export: one row per order line, discounts as fractions.

The rows of one order need not stand together. A row that cannot be read is reported, and its order
is not placed, because it would lack a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from pydantic import ValidationError

from domain.faults import faults, path
from domain.orders.order import Order
from starter.channels.countries import country_code
from starter.channels.csv_dialect import Columns, columns_of
from starter.channels.csv_rows import Row, header_fault, lines_in, rows_below
from starter.channels.csv_table import spelled
from starter.channels.read_results import Problem, Record, limited, unreadable

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
_FRACTION: Final = re.compile(r"0(\.[0-9]{1,20})?|1(\.0{1,20})?")


@dataclass
class _Gathered:
    """The rows of one order, and their problems."""

    order_id: str
    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def line(self) -> int:
        lines = [row.line for row in self.rows] + [problem.line for problem in self.problems]
        return min(lines)


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
    gathered, strays = _gather(lines, columns)
    yield from (Record(line=stray.line, problems=(stray,)) for stray in strays)
    for one in gathered:
        yield _to_record(one, customers or {})


def _gather(lines: Iterable[str], columns: Columns) -> tuple[list[_Gathered], list[Problem]]:
    by_id: dict[str, _Gathered] = {}
    strays: list[Problem] = []
    before: _Gathered | None = None
    unclaimed: Problem | None = None
    for found in rows_below(lines, columns):
        wrong: list[Problem] = []
        row = replace(found, cells=spelled(found, columns, _NUMBERS, wrong))
        told = row.cells.get("order_id", "")
        order_id = told if _WHOLE.fullmatch(told) else _guess_order_id(row, columns)
        if not order_id:
            reason = "must be a number" if told else "is missing"
            stray = Problem(row.line, "order_id", row.fault or reason)
            strays.append(stray)
            unclaimed = stray
            if before is not None:
                before.problems.append(_lost_row(stray))
            continue
        one = by_id.setdefault(order_id, _Gathered(order_id))
        if unclaimed is not None and one is not before:
            one.problems.append(_lost_row(unclaimed))
        unclaimed = None
        before = one
        if row.fault:
            fault = Problem(row.line, "", row.fault)
            one.problems.append(fault)
            unclaimed = fault if row.swallows_next else None
        else:
            one.rows.append(row)
            one.problems += wrong
    return list(by_id.values()), strays


def _guess_order_id(row: Row, columns: Columns) -> str:
    """The order of a row that cannot be split into cells: its first cell is always whole."""
    if not row.fault or columns[0] != "order_id":
        return ""
    first = row.raw.split(columns.separator, 1)[0].strip(' "')
    return first if _WHOLE.fullmatch(first) else ""


def _lost_row(stray: Problem) -> Problem:
    return Problem(
        stray.line,
        "order_id",
        "this row may be a line of this order, which is not placed without it; correct the row",
    )


def _to_record(one: _Gathered, customers: Mapping[str, str]) -> Record:
    problems = [*one.problems]
    if one.rows:
        document = _document(one, customers, problems)
        try:
            order = Order.model_validate(document)
        except ValidationError as error:
            problems += _faults(one, error)
        else:
            if not problems:
                return Record(line=one.line, order=order, name=one.order_id)
    told: dict[tuple[int, str], Problem] = {}
    for problem in problems:  # The first one names the cause.
        told.setdefault((problem.line, problem.field), problem)
    problems = sorted(told.values(), key=lambda problem: problem.line)
    return Record(line=one.line, problems=limited(problems), name=one.order_id)


def _document(
    one: _Gathered, customers: Mapping[str, str], problems: list[Problem]
) -> dict[str, Any]:
    """The canonical document; wrong cells are added to `problems`."""
    first = one.rows[0]
    for row in one.rows[1:]:
        problems += [
            Problem(row.line, name, f"differs from line {first.line} of the same order")
            for name in _OF_THE_ORDER
            if row.cells[name] != first.cells[name]
        ]
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
        "channel_order_id": one.order_id,
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


def _faults(one: _Gathered, error: ValidationError) -> Iterator[Problem]:
    """The canonical order's faults, with line and column of the export."""
    for place, where, reason in faults(error):
        line, column = one.rows[0].line, _COLUMNS_BY_PATH.get(where, where)
        match place:
            case ("lines", int(index), str(name), *_):
                line = one.rows[index].line
                column = _COLUMNS_BY_LINE_FIELD.get(name, path(place[2:]))
        yield Problem(line, column, reason)


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
