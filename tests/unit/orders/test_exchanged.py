"""What an exchange order costs: the same again costs exactly what comes back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.errors import Refused
from domain.orders.amounts import LineWorth, Worth, sum_of, value_lines
from domain.orders.exchange_messages import ExchangeRequest, WantedItem
from domain.orders.exchanged import ComesBack, Exchange, Exchanged, exchanged
from domain.orders.order import Order, Payment
from domain.orders.shipping import COLLECT
from tests.support.builders import an_order
from tests.support.strategies import orders

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def made(order: Order, units: dict[str, int], **request: Any) -> Exchanged:
    """The exchange of the first units of some lines."""
    worth: dict[str, LineWorth] = dict(value_lines(order))
    first = {line_id: worth[line_id].first(n) for line_id, n in units.items()}
    lines = {line.line_id: line for line in order.lines}
    exchange = Exchange(
        original=order,
        lines=[ComesBack(lines[k], n, first[k]) for k, n in units.items()],
        pays_back=sum_of(first.values()),
        request=ExchangeRequest.model_validate({"reason": "too small", **request}),
        return_id=f"{order.order_id}:R1",
        number=f"{order.channel_order_id}-X1",
        main=order.payment,
    )
    return exchanged(exchange, NOON)


@given(orders(lines_max=3, quantity_max=5), st.data())
def test_the_same_again_costs_what_comes_back(order: Order, data: st.DataObject) -> None:
    units = {
        line.line_id: data.draw(st.integers(1, line.quantity), label=line.line_id)
        for line in order.lines
    }
    done = made(order, units)
    # A tax that the channel gave and that is not that of its rate is computed anew.
    apart = abs(done.worth.total.minor - done.worth.comes_back.minor)
    assert apart <= len(order.lines)
    stands = all(line.tax_rate is None for line in order.lines) and not order.fees
    assert apart == 0 or not stands
    assert done.worth.owed.minor == 0 or done.worth.paid_back.minor == 0
    assert [line.quantity for line in done.order.lines] == list(units.values())


def test_the_customer_is_asked_for_the_rest_and_nothing_of_the_address_is_lost() -> None:
    order = an_order(("TEA", 1, "100.00"))
    wants = [{"sku": "POT", "quantity": 1, "unit_price": "250.00", "tax_rate": "10"}]
    done = made(order, {"1": 1}, wants=wants)
    assert (str(done.worth.comes_back), str(done.worth.total)) == ("105.00 USD", "280.00 USD")
    assert (str(done.worth.owed), str(done.worth.tax)) == ("175.00 USD", "25.00 USD")
    (tender,) = done.order.tenders
    assert (tender.provider, str(tender.amount)) == ("exchange", "105.00")
    assert done.order.payment == Payment(provider="exchange", token=f"{order.order_id}:R1")
    assert done.order.shipping.address == order.shipping.address
    assert done.order.order_id == f"{order.order_id}-X1"


def test_in_advance_the_orders_own_payment_pays_what_does_not_come_back() -> None:
    order = an_order(("TEA", 2, "10.00"), token="tok_ok")
    done = made(order, {"1": 1}, mode="advance")
    assert [tender.provider for tender in done.order.tenders] == ["exchange"]
    assert done.order.payment == order.payment
    given = made(order, {"1": 1}, payment={"provider": "stripe", "token": "pm_1"})
    assert given.order.payment == Payment(provider="stripe", token="pm_1")
    assert made(order, {"1": 1}).order.tenders == ()


def test_units_that_came_for_a_discount_cost_it_again() -> None:
    order = an_order(("TEA", 3, "10.00"), discount="0.01")
    assert made(order, {"1": 1}).worth.comes_back == made(order, {"1": 1}).worth.total
    more = made(order, {"1": 1}, wants=[{"sku": "TEA", "quantity": 2}])
    assert more.worth.total.minor - more.worth.comes_back.minor == Worth(goods=999).goods


def test_another_sku_costs_what_was_paid_for_a_line_that_comes_back() -> None:
    order = an_order(("TEA", 2, "10.00"), ("POT", 1, "30.00"))
    wants = [{"sku": "TEA-LARGE", "quantity": 2, "price_of": "1"}]
    done = made(order, {"1": 2}, wants=wants)
    (line,) = done.order.lines
    assert (line.sku, line.quantity) == ("TEA-LARGE", 2)
    assert done.worth == made(order, {"1": 2}).worth
    with pytest.raises(Refused, match="line 2"):
        made(order, {"1": 2}, wants=[{"sku": "TEA", "quantity": 1, "price_of": "2"}])
    with pytest.raises(ValidationError, match="price_of"):
        WantedItem.model_validate({**wants[0], "unit_price": "1.00"})
    # As it comes from another process, with all that was left out.
    said = WantedItem.model_validate(wants[0]).model_dump(mode="json")
    assert WantedItem.model_validate(said).price_of == "1"


def test_nothing_is_sent_to_a_customer_who_collected_the_goods_and_gave_no_address() -> None:
    order = an_order(("TEA", 1, "10.00"), shipping={"service": COLLECT})
    assert made(order, {"1": 1}).order.shipping.service == COLLECT
    with pytest.raises(Refused) as no:
        made(order, {"1": 1}, shipping={"service": "express"})
    assert no.value.reason == "collected"
