"""`orderloom ledger tax-report`: the tax of a month by rate."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date
from typing import Annotated

import typer

from domain.errors import InvalidInput, Refused
from domain.sellers import Seller, choose
from starter.accounting.books import taxes
from starter.cli.terminal.options import Json, OfSeller
from starter.cli.terminal.output import Output, wire
from starter.service.connection import REPORT_SECONDS_MAX, from_records
from starter.service.service import Records
from store.accounting.tax_report import TaxReport

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command("tax-report")
def tax_report(
    month: Annotated[str, typer.Option("--month", metavar="YEAR-MONTH", help="Such as 2026-11.")],
    seller: OfSeller = None,
    as_json: Json = False,
) -> None:
    """Net, tax and gross of a month by rate, of each seller: its invoices less its credit notes.

    Each currency's tax is compared with what is booked as tax in that month. Days are those of the
    seller's time zone.

    Example: `orderloom ledger tax-report --month 2026-11`
    """
    first, last = _month(month)

    async def work(here: Records) -> list[tuple[Seller, TaxReport]]:
        wanted = choose(await here.sellers.list(), seller)
        return [(one, await here.accounting.taxes(one.seller, first, last)) for one in wanted]

    found = from_records(work, statement_seconds_max=REPORT_SECONDS_MAX)
    out = Output(as_json=as_json)
    if as_json:
        out.document({"month": month, "sellers": [wire(report) for _, report in found]})
    for one, report in [] if as_json else found:
        if seller is None and len(found) > 1:
            out.say(f"{one.seller}: {one.name}")
        if report.sums:
            _tables(report, out)
        else:
            out.say(f"no invoices or credit notes in {month}, and no tax is booked")
    if any(one.tax_minor != one.booked_minor for _, report in found for one in report.sums):
        raise Refused(
            f"the documents of {month} have another tax than is booked in it; `orderloom audit` "
            "says more"
        )


def _tables(report: TaxReport, out: Output) -> None:
    out.table(taxes.COLUMNS, taxes.rows(report))
    for line in taxes.sums(report):
        out.say(line)


def _month(typed: str) -> tuple[date, date]:
    found = re.fullmatch(r"([12][0-9]{3})-(0[1-9]|1[0-2])", typed)
    if found is None:
        raise InvalidInput("must be a month, such as 2026-11", where="--month")
    year, month = int(found[1]), int(found[2])
    return date(year, month, 1), date(year, month, monthrange(year, month)[1])
