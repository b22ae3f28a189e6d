"""The tax of a month by rate: that of its invoices less its credit notes, beside what is booked."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict

from store.database import Connection, load_queries

_sql = load_queries(__file__)


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True)


class TaxOfRate(_Row):
    """Invoices less credit notes at one rate, in minor units. `rate`: None where none was given."""

    currency: str
    rate: str | None
    category: str | None
    net_minor: int
    tax_minor: int
    total_minor: int


class TaxOfCountry(TaxOfRate):
    """The same of what went to one country. `country`: None where no document says it."""

    country: str | None


class TaxOfCurrency(_Row):
    """The same of all rates. `booked_minor`: the tax that the ledger has for these days.

    net + tax + rounding = total.
    """

    currency: str
    net_minor: int
    tax_minor: int
    rounding_minor: int
    total_minor: int
    booked_minor: int


class TaxReport(_Row):
    """A seller's days from `first` to `last`, by the date of documents.

    `countries`: the same as `rates`, by the country that the goods went to.
    """

    seller: str
    first: date
    last: date
    rates: tuple[TaxOfRate, ...]
    countries: tuple[TaxOfCountry, ...]
    sums: tuple[TaxOfCurrency, ...]


async def of_days(conn: Connection, seller: str, first: date, last: date) -> TaxReport:
    """A seller's tax of some days, read at one moment."""
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        asked = {"seller": seller, "first": first, "last": last}
        rows = [row async for row in _sql.taxes(conn, **asked)]
        sums = [TaxOfCurrency(**row) async for row in _sql.sums(conn, **asked)]
    return TaxReport(
        seller=seller,
        first=first,
        last=last,
        rates=tuple(TaxOfRate(**row) for row in rows if row["is_whole"]),
        countries=tuple(TaxOfCountry(**row) for row in rows if not row["is_whole"]),
        sums=tuple(sums),
    )
