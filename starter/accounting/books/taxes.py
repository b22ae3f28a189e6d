"""The tax report for people: net, tax and gross by rate, and each currency's sums."""

from __future__ import annotations

from collections.abc import Iterator

from starter.accounting.books.trial import shown
from store.accounting.tax_report import TaxOfCurrency, TaxOfRate, TaxReport

COLUMNS = ("rate", "category", ">net", ">tax", ">gross", "currency")


def rows(report: TaxReport) -> list[tuple[str, str | None, str, str, str, str]]:
    """A row for each rate, as `COLUMNS` says."""
    return [
        (
            "not stated" if row.rate is None else f"{row.rate} %",
            row.category,
            *_amounts(row),
            row.currency,
        )
        for row in report.rates
    ]


def sums(report: TaxReport) -> Iterator[str]:
    """A line for each currency, with the tax that is booked beside that on documents."""
    for one in report.sums:
        net, tax, gross = (f"{amount} {one.currency}" for amount in _amounts(one))
        rounding, booked = (shown(x, one.currency) for x in (one.rounding_minor, one.booked_minor))
        rounded = f", rounding {rounding} {one.currency}" if one.rounding_minor else ""
        yield (
            f"sum: net {net}, tax {tax}{rounded}, gross {gross}; "
            f"booked as tax: {booked} {one.currency}"
        )


def _amounts(row: TaxOfRate | TaxOfCurrency) -> tuple[str, str, str]:
    return (
        shown(row.net_minor, row.currency),
        shown(row.tax_minor, row.currency),
        shown(row.total_minor, row.currency),
    )
