"""Northwind's suppliers, stock levels and open orders, from its products and suppliers.

The export names a product's supplier, its reorder level, and the units on order. The rest is set
here: lead times, minimums, multiples, and purchase prices.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Final, TypeVar

from pydantic import BeforeValidator, Field

from domain.errors import InvalidInput
from domain.fields import Amount, Document, Name
from domain.money import to_decimal, to_minor
from domain.purchasing.purchase_orders import OnOrder, SupplierItem
from domain.stock.stock_levels import StockLevels
from starter.channels.csv_table import read_table
from starter.channels.northwind import sku_of
from starter.channels.read_results import Problem
from starter.channels.stock_csv import DEFAULT_LOCATION

MINIMUM: Final = 10
MULTIPLE: Final = 5
LEAD_TIME_DAYS: Final = {"UK": 10, "USA": 14, "Japan": 21, "Australia": 28, "Singapore": 21}
"""By the supplier's country."""
LEAD_TIME_DAYS_ELSEWHERE: Final = 7
PAID_PERCENT: Final = 60
"""Purchase prices, as a share of the price that customers pay."""
BATCH: Final = 120
"""Units above the reorder level that are bought up to."""
CURRENCY: Final = "USD"

T = TypeVar("T", bound=Document)
_Units = Annotated[int, Field(ge=0)]


class _Product(Document):
    product_id: Annotated[str, BeforeValidator(sku_of)]
    supplier_id: str
    unit_price: Amount
    units_on_order: _Units
    reorder_level: _Units
    discontinued: bool


class _Supplier(Document):
    supplier_id: str
    company_name: Name
    country: str


@dataclass(frozen=True)
class Supply:
    """Northwind's terms of buying, its levels, and its units on order."""

    terms: tuple[SupplierItem, ...]
    levels: tuple[StockLevels, ...]
    on_order: tuple[OnOrder, ...]


def read_supply(
    products: bytes, suppliers: bytes, *, today: date, location: str = DEFAULT_LOCATION
) -> Supply:
    """The supply of one location. Units on order arrive a lead time from today.

    A discontinued product has no levels, and arrives only if it is on order already. Raises
    InvalidInput for a file that is not Northwind's.
    """
    by_id = {one.supplier_id: one for one in _rows(suppliers, _Supplier, "suppliers.csv")}
    terms, levels, on_order = [], [], []
    for product in _rows(products, _Product, "products.csv"):
        supplier = by_id[product.supplier_id]
        days = LEAD_TIME_DAYS.get(supplier.country, LEAD_TIME_DAYS_ELSEWHERE)
        item = SupplierItem(
            supplier=f"SUP-{supplier.supplier_id}",
            name=supplier.company_name,
            sku=product.product_id,
            lead_time_days=days,
            unit_price=_paid(product.unit_price),
            currency=CURRENCY,
            minimum=MINIMUM,
            multiple=MULTIPLE,
        )
        terms.append(item)
        if not product.discontinued:
            levels.append(
                StockLevels(
                    sku=item.sku,
                    location=location,
                    reorder_point=product.reorder_level,
                    order_up_to=product.reorder_level + BATCH,
                )
            )
        if product.units_on_order:
            on_order.append(
                OnOrder(
                    supplier=item.supplier,
                    sku=item.sku,
                    location=location,
                    quantity=product.units_on_order,
                    due_on=today + timedelta(days=days),
                )
            )
    return Supply(tuple(terms), tuple(levels), tuple(on_order))


def _paid(price: Decimal) -> Decimal:
    return to_decimal(to_minor(price, CURRENCY) * PAID_PERCENT // 100, CURRENCY)


def _rows(data: bytes, model: type[T], file: str) -> Iterator[T]:
    for row in read_table(data, model, foreign=True):
        if isinstance(row, Problem):
            raise InvalidInput(str(row), where=f"{file}:{row.line}")
        yield row.content
