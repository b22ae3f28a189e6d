"""Orders as hypothesis draws them: any amounts, any currency, whatever may legally be in one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from domain.money import to_decimal, to_minor, worth_of_units
from domain.orders.order import Order
from tests.support.builders import a_document

CURRENCIES = ("USD", "EUR", "JPY", "KWD", "CLF")  # 2, 2, 0, 3 and 4 decimals


@st.composite
def documents(draw: st.DrawFn, *, lines_max: int = 5, quantity_max: int = 7) -> dict[str, Any]:
    """Order documents, as a channel would send them."""
    currency = draw(st.sampled_from(CURRENCIES))

    def amount(most: int) -> str:
        return str(to_decimal(draw(st.integers(0, most)), currency))

    lines, goods = [], 0
    for number in range(1, draw(st.integers(1, lines_max)) + 1):
        quantity = draw(st.integers(1, quantity_max))
        price = amount(draw(st.sampled_from([0, 1, 10, 3333, 99_999_999])))
        if draw(st.booleans()):  # Finer than the currency, which only the whole line is rounded to.
            price = format(Decimal(draw(st.integers(0, 10**8))).scaleb(-6), "f")
        gross = worth_of_units(Decimal(price), quantity, currency)
        discount = amount(draw(st.sampled_from([gross, min(gross, quantity)])))
        goods += gross - to_minor(discount, currency)
        lines.append(
            {
                "line_id": str(number),
                "sku": draw(st.sampled_from(["TEA", "CUP", "POT"])),
                "quantity": quantity,
                "unit_price": price,
                "discount": discount,
                "tax": amount(9_999),
            }
        )
    document = a_document(currency=currency, lines=lines, discount=amount(goods))
    document["shipping"] |= {"price": amount(2_000), "tax": amount(380)}
    return document


def orders(*, lines_max: int = 5, quantity_max: int = 7) -> st.SearchStrategy[Order]:
    """Orders that are valid."""
    drawn = documents(lines_max=lines_max, quantity_max=quantity_max)
    return drawn.map(Order.model_validate)
