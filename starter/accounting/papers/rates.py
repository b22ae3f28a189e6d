"""Rates of tax, and sums by rate, as people read them on a document."""

from __future__ import annotations

from decimal import Decimal

from domain.accounting.documents import Issued
from starter.accounting.papers.words import Words


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
    net, tax = document.shipping_minor, document.shipping_tax_minor
    return [
        (words.goods, document.net_minor - net, document.tax_minor - tax),
        (words.shipping, net, tax),
    ]
