"""What an order comes to: as it was ordered, and now that units are cancelled or prices lowered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from domain.money import to_minor
from domain.views.possible import OrderFacts
from starter.web.kept import Sum, kept_units, kept_worth
from store.views.reads import OrderDetail, OrderLine


@dataclass(frozen=True)
class Sums:
    """The amounts under the lines, in minor units, as the prices of the order are: with or without
    tax.

    `goods`: what the lines come to together; `discount` is taken off in that, and goes with what
    is cancelled. `shipping`: with
    fees. `paid_back`: of what the units come to that are not cancelled. `total.now`: what is
    charged and not paid back, and what is still to be charged. `to_charge`: also what is being
    charged just now.
    """

    goods: Sum
    discount: Sum
    shipping: Sum
    tax: Sum
    paid_back: int
    total: Sum
    has_tax_in_prices: bool
    to_charge: int


def line_sum(detail: OrderDetail, line: OrderLine, facts: OrderFacts) -> Sum:
    """What a line comes to, as its prices are: with or without tax."""
    kept = kept_worth(detail, line, facts.claim.charges.worth)
    if line.includes_tax:
        return Sum(line.goods_minor + line.tax_minor, kept.goods + kept.tax)
    return Sum(line.goods_minor, kept.goods)


def sums_of(detail: OrderDetail, facts: OrderFacts) -> Sums:
    """All of them."""
    charges = facts.claim.charges
    to_charge = 0 if facts.decision == "rejected" else charges.left_to_charge
    under_way = max(0, charges.charged.total - detail.summary.captured_minor)
    has_tax_in_prices = any(line.includes_tax for line in detail.lines)
    lines = [line_sum(detail, line, facts) for line in detail.lines]
    kept = [kept_worth(detail, line, facts.claim.charges.worth) for line in detail.lines]
    shipping = sum(line.shipping_minor for line in detail.lines)
    shipping_tax = sum(line.shipping_tax_minor for line in detail.lines)
    shipping_now = sum(each.shipping for each in kept)
    shipping_tax_now = sum(each.shipping_tax for each in kept)
    if has_tax_in_prices:
        in_shipping = Sum(shipping + shipping_tax, shipping_now + shipping_tax_now)
    else:
        in_shipping = Sum(shipping, shipping_now)
    total = charges.refundable.total + to_charge
    return Sums(
        goods=Sum(sum(one.was for one in lines), sum(one.now for one in lines)),
        discount=_discount(detail),
        shipping=in_shipping,
        tax=Sum(
            sum(line.tax_minor for line in detail.lines) + shipping_tax,
            sum(each.tax for each in kept) + shipping_tax_now,
        ),
        paid_back=sum(each.total for each in kept) - total,
        total=Sum(detail.summary.total_minor, total),
        has_tax_in_prices=has_tax_in_prices,
        to_charge=to_charge + under_way,
    )


def _discount(detail: OrderDetail) -> Sum:
    """Of a line's discount each unit has the same part. The order's own is spread over the lines
    by what they come to.
    """
    lines = {line.line_id: line for line in detail.lines}
    ordered: list[dict[str, Any]] = detail.document.get("lines") or []
    of_order = was = _taken_off(detail, detail.document)
    whole = sum(line.goods_minor for line in detail.lines)
    kept = sum(_part(detail, line, line.goods_minor) for line in detail.lines)
    now = of_order * kept // whole if whole else 0
    for one in ordered:
        taken_off = _taken_off(detail, one)
        was += taken_off
        line = lines.get(one.get("line_id", ""))
        now += _part(detail, line, taken_off) if line else 0
    return Sum(was, now)


def _taken_off(detail: OrderDetail, part: Mapping[str, Any]) -> int:
    return to_minor(Decimal(str(part.get("discount") or 0)), detail.summary.currency)


def _part(detail: OrderDetail, line: OrderLine, amount: int) -> int:
    """The part of an amount of a whole line that its units have which are not cancelled."""
    return amount * kept_units(detail, line) // line.ordered
