"""Rates of tax, sums by rate, and the amounts beside the lines, as people read them."""

from __future__ import annotations

from decimal import Decimal

from domain.accounting.documents import Issued
from runtime.papers.words import Words


def rate(words: Words, percent: str | None, category: str | None) -> str:
    """A rate with its category, as people read it."""
    if percent is None:
        return category or words.no_rate
    text = words.rate.format(rate=words.number_of(Decimal(percent)))
    return f"{text} ({category})" if category else text


def by_rate(document: Issued, words: Words) -> list[tuple[str, int, int]]:
    """Net and tax by rate; of what, where no rate is known."""
    if any(row.rate is not None or row.category for row in document.taxes):
        return [
            (rate(words, row.rate, row.category), row.net_minor, row.tax_minor)
            for row in document.taxes
        ]
    beside = [
        (words.shipping, document.shipping_minor, document.shipping_tax_minor),
        *((fee.name, fee.net_minor, fee.tax_minor) for fee in document.fees),
    ]
    net = document.net_minor - sum(net for _, net, _ in beside)
    tax = document.tax_minor - sum(tax for _, _, tax in beside)
    return [(words.goods, net, tax), *beside]


def beside_lines(document: Issued, words: Words) -> list[tuple[str, list[str], int, int]]:
    """Each amount that is in no line: its name, its rate where that is known, net and tax."""

    def taxed(percent: str | None, category: str | None) -> list[str]:
        return [] if percent is None else [rate(words, percent, category)]

    shipping = taxed(document.shipping_tax_rate, document.shipping_tax_category)
    rows = [
        (words.restocking, [], -document.restocking_minor, -document.restocking_tax_minor),
        (words.allowance, [], document.allowance_minor, document.allowance_tax_minor),
        (words.shipping, shipping, document.shipping_minor, document.shipping_tax_minor),
        *(
            (fee.name, taxed(fee.tax_rate, fee.tax_category), fee.net_minor, fee.tax_minor)
            for fee in document.fees
        ),
    ]
    return [row for row in rows if row[2] or row[3]]
