"""A document's shipping and fees, each with its own amounts.

Worth has shipping and all fees as one amount (`domain.orders.amounts`). Here a document's share of
it is shared out: after each invoice, the amounts invoiced until then are in the proportion of the
whole amounts, by largest remainder; after each credit note, so are the amounts that are left. A
share that this would lower stays as it is, since a document has no negative row. So all invoices of
an order add up to exactly each amount and its tax, and a credit of everything leaves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from domain.accounting.printed_lines import rate_text
from domain.money import split
from domain.orders.amounts import Worth
from domain.orders.order import Order


class PrintedFee(BaseModel):
    """A fee's share of a document, in minor units; net + tax = total."""

    model_config = ConfigDict(frozen=True)

    name: str
    tax_rate: str | None
    tax_category: str | None
    net_minor: int
    tax_minor: int
    total_minor: int


class Printed(Protocol):
    """What of an earlier document the shares depend on."""

    @property
    def kind(self) -> str: ...
    @property
    def shipping_minor(self) -> int: ...
    @property
    def shipping_tax_minor(self) -> int: ...
    @property
    def fees(self) -> Sequence[PrintedFee]: ...


@dataclass(frozen=True)
class Share:
    """A document's share of the shipping or of a fee, in minor units."""

    rate: str | None
    category: str | None
    net: int
    tax: int


def shares_of(
    order: Order, worth: Worth, *, kind: str, earlier: Sequence[Printed]
) -> tuple[Share, ...]:
    """The shares of a document with this worth: of the shipping, and then of each fee."""
    wholes = order.prices.beside_goods
    invoiced = [_amounts(one, len(wholes)) for one in earlier if one.kind == "invoice"]
    credited = [_amounts(one, len(wholes)) for one in earlier if one.kind != "invoice"]

    def shared(amount: int, at: int, whole: list[int]) -> list[int]:
        taken = [sum(one[n][at] for one in invoiced) for n in range(len(wholes))]
        if kind == "invoice":
            return _more(amount, taken, whole)
        given = [sum(one[n][at] for one in credited) for n in range(len(wholes))]
        return _less(amount, [t - g for t, g in zip(taken, given, strict=True)], whole)

    nets = shared(worth.shipping, 0, [part.net for part in wholes])
    taxes = shared(worth.shipping_tax, 1, [part.tax for part in wholes])
    return tuple(
        Share(rate_text(part.rate), part.category, net, tax)
        for part, net, tax in zip(wholes, nets, taxes, strict=True)
    )


def fees_of(order: Order, shares: Sequence[Share]) -> tuple[PrintedFee, ...]:
    """All fees of the order, also those of which the document has nothing: their places count."""
    return tuple(
        PrintedFee(
            name=fee.name,
            tax_rate=share.rate,
            tax_category=share.category,
            net_minor=share.net,
            tax_minor=share.tax,
            total_minor=share.net + share.tax,
        )
        for fee, share in zip(order.fees, shares[1:], strict=True)
    )


def _amounts(one: Printed, count: int) -> list[tuple[int, int]]:
    """Net and tax of a document's shipping and of each of its fees."""
    fees = [(fee.net_minor, fee.tax_minor) for fee in one.fees]
    return [(one.shipping_minor, one.shipping_tax_minor), *fees, *[(0, 0)] * count][:count]


def _more(amount: int, before: Sequence[int], whole: Sequence[int]) -> list[int]:
    """The parts that are added so that all are in proportion to the whole."""
    after = split(sum(before) + amount, whole)
    return split(amount, [max(0, a - b) for a, b in zip(after, before, strict=True)])


def _less(amount: int, before: Sequence[int], whole: Sequence[int]) -> list[int]:
    """The parts that are taken off so that what is left is in proportion to the whole."""
    if amount > sum(before):
        return split(amount, whole)  # What was invoiced is not known here.
    after = split(sum(before) - amount, whole)
    return split(amount, [max(0, b - a) for a, b in zip(after, before, strict=True)])
