"""Fees: amounts of an order beside its goods and its shipping."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from domain.errors import InvalidInput
from domain.orders.amounts import sum_of, value_lines
from domain.orders.fees import FEES_MAX
from domain.orders.order import Order
from domain.orders.taxing import Rates, TaxRate, lacks_tax, with_rates
from tests.support.builders import a_document, shipping
from tests.support.strategies import orders
from tests.unit.orders.test_order import refusals

WRAP: dict[str, Any] = {"name": "Gift wrap", "amount": "3.00", "tax_rate": "19"}


def with_fees(*fees: dict[str, Any], included: bool = False, **fields: Any) -> dict[str, Any]:
    return a_document(
        ("TEA", 2, "10.00"),
        prices_include_tax=included,
        shipping=shipping("5.00"),
        fees=list(fees),
        **fields,
    )


@pytest.mark.parametrize(
    ("included", "net", "tax", "total"), [(False, 300, 57, 28_57), (True, 252, 48, 28_00)]
)
def test_a_fee_is_priced_as_shipping_is_in_both_kinds_of_prices(
    included: bool, net: int, tax: int, total: int
) -> None:
    order = Order.model_validate(with_fees(WRAP, included=included))
    (fee,) = order.prices.fees
    assert (fee.net, fee.tax, fee.rate) == (net, tax, Decimal("19"))
    assert order.total_minor == total


@pytest.mark.parametrize(("included", "tax"), [(False, "0.58"), (True, "0.49")])
def test_a_given_tax_that_is_a_minor_unit_off_stands(included: bool, tax: str) -> None:
    order = Order.model_validate(with_fees({**WRAP, "tax": tax}, included=included))
    assert order.prices.fees[0].tax == int(Decimal(tax) * 100)


@pytest.mark.parametrize(
    ("fee", "included", "place", "why"),
    [
        ({**WRAP, "tax": "0.59"}, False, "tax", "is 0.59, but at 19 % the tax on 3.00 is 0.57"),
        ({**WRAP, "tax": "0.57"}, True, "tax", "is 0.57, but at 19 % the tax in 3.00 is 0.48"),
        (
            {"name": "Wrap", "amount": "3.00", "tax": "3.01"},
            True,
            "tax",
            "is 3.01, more than the price with tax, 3.00",
        ),
        ({"name": "Wrap", "amount": "-3.00"}, False, "amount", "must not be negative"),
        ({"name": "Wrap", "amount": "3.001"}, False, "amount", "more decimals than USD allows"),
        (
            {"name": "Wrap", "amount": "3.00", "tax": "0.001"},
            False,
            "tax",
            "more decimals than USD",
        ),
        ({"name": "Wrap"}, False, "amount", "required"),
        ({"name": "Wrap", "amount": ""}, False, "amount", ""),
        ({"amount": "3.00"}, False, "name", "required"),
        ({"name": " ", "amount": "3.00"}, False, "name", ""),
        ({"name": "W" * 101, "amount": "3.00"}, False, "name", "100"),
        ({**WRAP, "tax_rate": "much"}, False, "tax_rate", "must be a rate in percent"),
        ({**WRAP, "sku": "WRAP"}, False, "sku", ""),
        ({**WRAP, "prices_include_tax": True}, False, "", "is said once, of the whole order"),
    ],
)
def test_what_a_fee_cannot_be_is_refused_with_its_place(
    fee: dict[str, Any], included: bool, place: str, why: str
) -> None:
    good = {"name": "Cash on delivery", "amount": "1.00"}
    found = refusals(with_fees(good, fee, included=included))
    assert list(found) == [f"fees[1].{place}" if place else "fees[1]"]
    assert why in next(iter(found.values()))


def test_an_order_has_so_many_fees_and_no_more() -> None:
    fees = [{"name": f"Fee {n}", "amount": "0.10"} for n in range(FEES_MAX + 1)]
    assert list(refusals(with_fees(*fees))) == ["fees"]
    assert len(Order.model_validate(with_fees(*fees[1:])).prices.fees) == FEES_MAX == 20
    schema = Order.model_json_schema()
    assert schema["properties"]["fees"]["maxItems"] == FEES_MAX
    assert schema["$defs"]["Fee"]["required"] == ["name", "amount"]


def test_a_category_that_is_too_long_is_cut_and_costs_no_fee() -> None:
    order = Order.model_validate(with_fees({**WRAP, "tax_category": "x" * 61}))
    assert order.fees[0].tax_category == "x" * 60
    assert order.left_out == ("fees[0].tax_category was cut after 60 characters",)


def test_no_fees_is_the_same_order_however_it_is_written() -> None:
    document = with_fees()
    left_out = {name: value for name, value in document.items() if name != "fees"}
    empty: tuple[Any, ...] = ([], None, "")
    digests = {Order.model_validate(document | {"fees": fees}).digest for fees in empty}
    assert digests == {Order.model_validate(left_out).digest}


def test_the_given_total_is_with_the_fees() -> None:
    assert Order.model_validate(with_fees(WRAP, total="28.57")).total_minor == 28_57
    assert list(refusals(with_fees(WRAP, total="25.00"))) == ["total"]


@given(orders())
def test_fees_go_with_the_shipping_of_the_lines(order: Order) -> None:
    bare = order.model_dump(mode="json") | {"fees": [], "total": None}
    without = Order.model_validate(bare)
    whole, less = (
        sum_of(line.whole for line in value_lines(one).values()) for one in (order, without)
    )
    assert (whole.goods, whole.tax) == (less.goods, less.tax)
    more = (whole.shipping - less.shipping, whole.shipping_tax - less.shipping_tax)
    fees = order.prices.fees
    assert more == (sum(fee.net for fee in fees), sum(fee.tax for fee in fees))


# Rates that are asked for -------------------------------------------------------------------------


def an_untaxed(*fees: dict[str, Any]) -> Order:
    document = with_fees(*fees)
    del document["shipping"]["tax"]
    return Order.model_validate(document)


def test_an_order_that_has_tax_on_a_fee_is_not_asked_about() -> None:
    bare = {"name": "Wrap", "amount": "3.00"}
    assert lacks_tax(an_untaxed(bare))
    assert not lacks_tax(an_untaxed(bare, WRAP))
    assert not lacks_tax(an_untaxed({**bare, "tax": "0.00"}))


def test_each_fee_gets_its_rate_by_its_place() -> None:
    order = an_untaxed(*({"name": name, "amount": "10.00"} for name in ("A", "B", "C")))
    reduced, full = TaxRate(rate=Decimal(7), category="reduced"), TaxRate(rate=Decimal(19))
    taxed = with_rates(order, Rates(fees=(reduced, None, full)))
    assert [fee.tax for fee in taxed.prices.fees] == [70, 0, 190]
    assert taxed.prices.fees[0].category == "reduced"
    assert [fee.tax for fee in with_rates(order, Rates(fees=(full,))).prices.fees] == [190, 0, 0]
    with pytest.raises(InvalidInput, match="answered for 4 fees; the order has 3"):
        with_rates(order, Rates(fees=(full,) * 4))
