"""Orders as hypothesis draws them: any amounts, any currency, whatever may legally be in one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from domain.money import decimals, to_decimal, to_minor, worth_of_units
from domain.orders.order import Order
from tests.support.builders import a_document

CURRENCIES = ("USD", "EUR", "JPY", "KWD", "CLF")  # 2, 2, 0, 3 and 4 decimals


fee_counts = st.sampled_from([0, 0, 1, 2, 3])

RATES = ("0", "7", "7.7", "19", "25.5")


@st.composite
def documents(draw: st.DrawFn, *, lines_max: int = 5, quantity_max: int = 7) -> dict[str, Any]:
    """Order documents, as a channel would send them: net prices, or prices that include tax."""
    currency = draw(st.sampled_from(CURRENCIES))
    included, discounted = draw(st.booleans()), draw(st.booleans())

    def amount(most: int) -> str:
        return str(to_decimal(draw(st.integers(0, most)), currency))

    def tax(cost: int) -> dict[str, str]:
        """An amount, which a price that includes it must hold, or a rate."""
        if draw(st.booleans()) or (included and discounted):
            return {"tax_rate": draw(st.sampled_from(RATES))}
        return {"tax": amount(min(cost, 9_999) if included else 9_999)}

    lines, goods = [], 0
    for number in range(1, draw(st.integers(1, lines_max)) + 1):
        quantity = draw(st.integers(1, quantity_max))
        price = amount(draw(st.sampled_from([0, 1, 10, 3333, 99_999_999])))
        if draw(st.booleans()):  # Finer than the currency, which only the whole line is rounded to.
            price = format(Decimal(draw(st.integers(0, 10**8))).scaleb(-6), "f")
        gross = worth_of_units(Decimal(price), quantity, currency)
        discount = amount(draw(st.sampled_from([gross, min(gross, quantity)])))
        cost = gross - to_minor(discount, currency)
        goods += cost
        lines.append(
            {
                "line_id": str(number),
                "sku": draw(st.sampled_from(["TEA", "CUP", "POT"])),
                "quantity": quantity,
                "unit_price": price,
                "discount": discount,
                **tax(cost),
            }
        )
    document = a_document(currency=currency, lines=lines, prices_include_tax=included)
    if discounted:
        document["discount"] = amount(goods)
    price = amount(2_000)
    document["shipping"] |= {
        "price": price,
        "tax": None,
        **tax(min(380, to_minor(price, currency))),
    }
    document["fees"] = [
        {"name": f"Fee {number}", "amount": cost, **tax(min(380, to_minor(cost, currency)))}
        for number, cost in enumerate((amount(2_000) for _ in range(draw(fee_counts))), start=1)
    ]
    nets = sum(line.net for line in Order.model_validate(document).prices.lines)
    most = 10 ** decimals(currency) - 1
    rounding = draw(st.integers(-min(most, nets), most)) if draw(st.booleans()) else 0
    return {**document, "rounding": str(to_decimal(rounding, currency))}


def orders(*, lines_max: int = 5, quantity_max: int = 7) -> st.SearchStrategy[Order]:
    """Orders that are valid."""
    drawn = documents(lines_max=lines_max, quantity_max=quantity_max)
    return drawn.map(Order.model_validate)
