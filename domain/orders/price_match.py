"""A lower price is met: what the line costs from then on, and what is paid back of it.

The line's discounts stay. Its tax falls with its price, at its own rate. Units that come back later
are paid back at the lower price.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from domain.errors import Refused
from domain.money import Price, worth_of_units
from domain.orders.amounts import LineWorth, Worth
from domain.orders.charges import Charges, Owed
from domain.orders.line_requests import requested_units
from domain.orders.messages import LineRequest
from domain.orders.price_match_messages import PriceMatchRequest


class Listed(BaseModel):
    """A line as it was sold, and the policy for its order. `unit_price`: before discounts."""

    model_config = ConfigDict(frozen=True)

    unit_price: Decimal
    placed_at: AwareDatetime
    within: timedelta
    percent_max: int


def owed_for_match(
    charges: Charges, currency: str, listed: Listed, request: PriceMatchRequest, now: datetime
) -> Owed:
    """What is owed back. Raises Refused where a rule does not allow it."""
    (line_id,) = requested_units(
        [LineRequest(line_id=request.line_id)],
        dict.fromkeys(charges.worth, 1),
        check=lambda index, line_id, quantity: None,
    )
    if now - listed.placed_at > listed.within:
        raise Refused(
            f"a lower price is met for {listed.within.days} days after the order was placed",
            reason="price_match_window_over",
            instead=("refund_order",),
        )
    old, new = listed.unit_price, request.unit_price
    if (old - new) * 100 > listed.percent_max * old:
        raise Refused(
            f"{Price(each=new, currency=currency)} is more than {listed.percent_max} % below the "
            f"{Price(each=old, currency=currency)} that it was sold for",
            reason="price_match_limit",
            instead=("refund_order",),
        )
    owed = charges.reduce(line_id, _lower(charges, currency, line_id, old, new))
    if not owed.worth.total:
        raise Refused(
            f"nothing of line {line_id} is charged and not paid back", reason="nothing_to_pay_back"
        )
    return owed


def owed_for_lower_price(
    charges: Charges, currency: str, line_id: str, old: Decimal, new: Decimal
) -> Owed:
    """A line costs less from now on, also its units that are charged later: what is owed back.

    `old`: the price of a unit that it was sold for. Raises Refused where it costs no more already.
    """
    return charges.lower(line_id, _lower(charges, currency, line_id, old, new))


def _lower(charges: Charges, currency: str, line_id: str, old: Decimal, new: Decimal) -> Worth:
    whole = matched(charges.worth[line_id], charges.money[line_id].reduced, old, new, currency)
    if whole is None:
        raise Refused(
            f"line {line_id} costs no more than {Price(each=new, currency=currency)} a unit",
            reason="price_not_lower",
        )
    return whole


def matched(
    line: LineWorth, reduced: Worth, old: Decimal, new: Decimal, currency: str
) -> Worth | None:
    """What all units of the line are worth at the lower price. None: they are worth no more now.

    `reduced`: by so much their worth was lowered before. `old`: the price that they were sold for.
    """
    first = line.whole + reduced
    less = worth_of_units(old, line.quantity, currency) - worth_of_units(
        new, line.quantity, currency
    )
    base = first.goods + first.tax if line.includes_tax else first.goods
    if base <= 0:
        return None
    left = max(0, base - less)
    tax = (2 * first.tax * left + base) // (2 * base)  # Rounded half up.
    goods = left - tax if line.includes_tax else left
    whole = line.whole.model_copy(update={"goods": goods, "tax": tax})
    lower = goods <= line.whole.goods and tax <= line.whole.tax
    return whole if lower and whole.total < line.whole.total else None
