"""Net and tax of a document by the rate of the tax.

An invoice has its lines, its shipping and its fees at their own rates. A credit note never takes
back more at a rate than is invoiced at it and not credited: where a credit for no unit in
particular has been given before, the rest is taken from the other rates. So all documents of an
order add up, rate by rate, to what the customer keeps, and to nothing when all of it came back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from domain.accounting.printed_fees import Share
from domain.accounting.printed_lines import PrintedLine, rate_text
from domain.money import split
from domain.orders.amounts import NOTHING, Worth
from domain.orders.order import Order

Kind = tuple[str | None, str | None]
"""A rate in percent, and a category; None where the channel gave none."""


class TaxRow(BaseModel):
    """The amounts at one rate, in minor units; net + tax = total."""

    model_config = ConfigDict(frozen=True)

    rate: str | None
    category: str | None
    net_minor: int
    tax_minor: int
    total_minor: int


@dataclass(frozen=True)
class Room:
    """What is invoiced and not credited, by rate; the goods' part of the net, and the rounding."""

    net: Mapping[Kind, int]
    tax: Mapping[Kind, int]
    goods: int = 0
    rounding: int = 0


def what_is_left(documents: Iterable[tuple[bool, Sequence[TaxRow], int, int]]) -> Room:
    """Of each: whether it is an invoice, its rows, its shipping with fees, and its rounding."""
    net, tax, shipping, rounding = Counter[Kind](), Counter[Kind](), 0, 0
    for is_invoice, rows, its_shipping, its_rounding in documents:
        sign = 1 if is_invoice else -1
        shipping += sign * its_shipping
        rounding += sign * its_rounding
        for row in rows:
            net[row.rate, row.category] += sign * row.net_minor
            tax[row.rate, row.category] += sign * row.tax_minor
    return Room(net, tax, sum(net.values()) - shipping, rounding)


def rows_of(
    order: Order,
    lines: Sequence[PrintedLine],
    beside_goods: Sequence[Share],
    allowance: Worth,
    *,
    about: str | None = None,
    room: Room | None,
    restocking: Worth = NOTHING,
) -> tuple[TaxRow, ...]:
    """The rows of a document, the highest rate first.

    `beside_goods`: the shares of the shipping and the fees. `about`: the line that the allowance is
    for; without one, it is for all lines. `room`: of a credit note. `restocking`: a fee, which is
    taken off what the lines are, by their rates.
    """
    net, tax = Counter[Kind](), Counter[Kind]()
    for line in lines:
        net[line.tax_rate, line.tax_category] += line.net_minor
        tax[line.tax_rate, line.tax_category] += line.tax_minor
    _less(net, restocking.goods)
    _less(tax, restocking.tax)
    for share in beside_goods:
        net[share.rate, share.category] += share.net
        tax[share.rate, share.category] += share.tax
    for sold, price in zip(order.lines, order.prices.lines, strict=True):
        if sold.line_id == about:
            net[rate_text(price.rate), price.category] += allowance.goods
            tax[rate_text(price.rate), price.category] += allowance.tax
            allowance = Worth()
    whole = Room(*_whole(order)) if room is None else room
    net = _placed(net, allowance.goods, whole.net, capped=room is not None)
    tax = _placed(tax, allowance.tax, whole.tax, capped=room is not None)
    return tuple(
        TaxRow(
            rate=kind[0],
            category=kind[1],
            net_minor=net[kind],
            tax_minor=tax[kind],
            total_minor=net[kind] + tax[kind],
        )
        for kind in sorted(net.keys() | tax.keys(), key=_sequence)
        if net[kind] or tax[kind]
    )


def _less(amounts: Counter[Kind], fee: int) -> None:
    """Take the fee off the amounts, from each its share."""
    kinds = list(amounts)
    if fee:
        for kind, part in zip(kinds, split(fee, [amounts[k] for k in kinds]), strict=True):
            amounts[kind] -= part


def _placed(
    amounts: Counter[Kind], more: int, room: Mapping[Kind, int], *, capped: bool
) -> Counter[Kind]:
    """The amounts by kind, with `more` spread over the kinds.

    What a kind has no room for goes to the other kinds.
    """
    if capped and sum(room.values()) < sum(amounts.values()) + more:
        capped = False  # Not all that was invoiced is known here.
    placed = Counter[Kind](
        {kind: min(n, room.get(kind, 0)) if capped else n for kind, n in amounts.items()}
    )
    more += sum(amounts.values()) - sum(placed.values())
    kinds = [*room] or [*amounts]
    rooms = [max(0, room.get(kind, 0) - (placed[kind] if capped else 0)) for kind in kinds]
    for kind, part in zip(kinds, split(more, rooms), strict=True):
        placed[kind] += part
    return placed


def _whole(order: Order) -> tuple[Counter[Kind], Counter[Kind]]:
    """Net and tax of all goods of the order, by kind."""
    net, tax = Counter[Kind](), Counter[Kind]()
    for line in order.prices.lines:
        net[rate_text(line.rate), line.category] += line.net
        tax[rate_text(line.rate), line.category] += line.tax
    return net, tax


def _sequence(kind: Kind) -> tuple[bool, Decimal, str]:
    rate, category = kind
    return rate is None, -Decimal(rate or 0), category or ""
