"""What a customer pays who keeps a parcel that was lost: what its units cost, without shipping."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.orders.amounts import value_lines
from domain.orders.found_parcels import sale_of
from domain.orders.order import Order, Payment
from tests.support.builders import an_order, shipping

AT = datetime(2026, 11, 30, tzinfo=UTC)


def a_line(sku: str, quantity: int, price: str, **fields: str) -> dict[str, Any]:
    return {"sku": sku, "quantity": quantity, "unit_price": price, **fields}


def sold(order: Order, units: dict[str, int]) -> Order:
    return sale_of(
        *(order, value_lines(order), units),
        number="7-K1",
        placed_at=AT,
        basket="found-1",
        payment=Payment(provider="sandbox", token="tok_ok"),
    )


@given(
    quantity=st.integers(1, 9),
    taken=st.integers(1, 9),
    price=st.decimals("0.01", "99.99", places=2),
    discount=st.integers(0, 100),
    with_tax=st.booleans(),
)
def test_its_units_cost_their_share_of_what_was_paid(
    quantity: int, taken: int, price: Decimal, discount: int, with_tax: bool
) -> None:
    order = an_order(
        lines=[
            a_line("TEA", quantity, str(price), tax_rate="19"),
            a_line("POT", 2, "10.00", tax_rate="7"),
        ],
        shipping=shipping("4.90"),
        discount=str((price * quantity * discount / 100).quantize(Decimal("0.01"))),
        prices_include_tax=with_tax,
    )
    units = min(taken, quantity)
    sale = sold(order, {"1": units})
    (line,) = sale.lines
    share = value_lines(order)["1"].first(units)
    cost = value_lines(sale)["1"].whole
    assert (line.quantity, line.tax_rate, cost.shipping) == (units, Decimal(19), 0)
    assert abs(cost.total - share.goods - share.tax) <= 1  # its own tax is rounded once more
    assert (cost.goods + cost.tax if with_tax else cost.goods) == (
        share.goods + share.tax if with_tax else share.goods
    )


@pytest.mark.parametrize("units", [1, 2, 3])
def test_a_tax_that_was_given_as_an_amount_goes_with_its_units(units: int) -> None:
    order = an_order(lines=[a_line("TEA", 3, "9.99", tax="1.00")])
    share = value_lines(order)["1"].first(units)
    assert sold(order, {"1": units}).total_minor == share.goods + share.tax
