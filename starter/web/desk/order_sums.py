"""What an order comes to: as it was ordered, and now that units are cancelled or prices lowered."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from domain.money import to_minor
from domain.orders.amounts import Worth
from domain.views.possible import OrderFacts
from store.views.reads import OrderDetail, OrderLine


@dataclass(frozen=True)
class Sum:
    """An amount as it was ordered, and as it is now, in minor units."""

    was: int
    now: int


@dataclass(frozen=True)
class Sums:
    """The amounts under the lines, in minor units, as the prices of the order are: with or without
    tax.

    `goods`: what the lines come to together; `discount` is taken off in that. `shipping`: with
    fees. `paid_back`: of what the units come to that are not cancelled. `total.now`: what is
    charged and not paid back, and what is still to be charged. `to_charge`: also what is being
    charged just now.
    """

    goods: Sum
    discount: int
    shipping: Sum
    tax: Sum
    paid_back: int
    total: Sum
    has_tax_in_prices: bool
    to_charge: int


def line_sum(line: OrderLine, facts: OrderFacts) -> Sum:
    """What a line comes to, as its prices are: with or without tax."""
    kept = _kept(line, facts)
    if line.includes_tax:
        return Sum(line.goods_minor + line.tax_minor, kept.goods + kept.tax)
    return Sum(line.goods_minor, kept.goods)


def sums_of(detail: OrderDetail, facts: OrderFacts) -> Sums:
    """All of them."""
    charges = facts.claim.charges
    to_charge = 0 if facts.decision == "rejected" else charges.left_to_charge
    under_way = max(0, charges.charged.total - detail.summary.captured_minor)
    has_tax_in_prices = any(line.includes_tax for line in detail.lines)
    lines = [line_sum(line, facts) for line in detail.lines]
    kept = [_kept(line, facts) for line in detail.lines]
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


def _kept(line: OrderLine, facts: OrderFacts) -> Worth:
    """The worth of the units that are not cancelled. Of a rejected order nothing is sent."""
    is_rejected = facts.decision == "rejected"
    units = 0 if is_rejected else line.ordered - line.cancelled
    return facts.claim.charges.worth[line.line_id].first(units)


def _discount(detail: OrderDetail) -> int:
    document = detail.document
    parts: list[dict[str, Any]] = [document, *(document.get("lines") or [])]
    currency = detail.summary.currency
    return sum(to_minor(Decimal(str(one.get("discount") or 0)), currency) for one in parts)
