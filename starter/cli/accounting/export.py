"""`orderloom ledger export`: a seller's books for another program."""

from __future__ import annotations

from typing import Annotated

import typer
from pydantic import Field

from domain.accounting.accounts import Account
from domain.errors import InvalidInput
from domain.fields import CurrencyOnceUsed, Day, Document, Name
from domain.sellers import Seller, choose_one
from domain.words import count_of
from starter.accounting.books import exporting, journal_csv
from starter.accounting.books.exporting import TAX_RATE, Format, Wanted
from starter.channels.csv_table import read_table
from starter.channels.documents import label, load
from starter.channels.read_results import Problem
from starter.cli.terminal.files import STANDARD_OUTPUT, write_file
from starter.cli.terminal.options import OneSeller, read_model
from starter.cli.terminal.output import Output, complain
from starter.service.connection import REPORT_SECONDS_MAX, from_records
from starter.service.service import Records
from store.accounting.ledger import Period

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


class _Asked(Document):
    """Days and a currency as they are typed."""

    first: Annotated[Day | None, Field(alias="--from")] = None
    last: Annotated[Day | None, Field(alias="--to")] = None
    currency: Annotated[CurrencyOnceUsed | None, Field(alias="--currency")] = None


class _Called(Document):
    """An account's name in another program."""

    account: Account
    name: Name


@app.command()
def export(
    format: Annotated[Format, typer.Option("--format", help="For which program.")],
    first: Annotated[
        str | None, typer.Option("--from", help="The first day; left out: from the beginning.")
    ] = None,
    last: Annotated[str | None, typer.Option("--to", help="The last day; left out: today.")] = None,
    to_file: Annotated[
        str, typer.Option("--out", metavar="FILE|-", help="Where to; - is standard output.")
    ] = STANDARD_OUTPUT,
    final: Annotated[
        bool, typer.Option("--final", help="Only if the period is closed, and cannot change.")
    ] = False,
    daily: Annotated[
        bool, typer.Option("--daily", help="One entry for each day and currency.")
    ] = False,
    currency: Annotated[
        str | None,
        typer.Option(
            "--currency",
            help="csv-*: only what is in this currency; left out, csv-xero: that of the books.",
        ),
    ] = None,
    seller: OneSeller = None,
    tax_rate: Annotated[
        str | None,
        typer.Option(
            "--tax-rate",
            help=f"csv-xero: what a rate of nothing is called there; left out: {TAX_RATE}.",
        ),
    ] = None,
    accounts: Annotated[
        str | None,
        typer.Option("--accounts", help="csv-*: a CSV file with account,name as they are there."),
    ] = None,
) -> None:
    """Write a seller's entries of a period for another program.

    Example: `orderloom ledger export --format beancount --from 2026-11-01 --to 2026-11-30 --out
    november.beancount`
    """
    exporting.check_options(format, "--{}", currency=currency, accounts=accounts, tax_rate=tax_rate)
    typed = {"--from": first, "--to": last, "--currency": currency}
    days = read_model(_Asked, {k: v for k, v in typed.items() if v is not None}, where="ledger")
    wanted = Wanted(
        format=format,
        first=days.first,
        last=days.last,
        final=final,
        daily=daily,
        currency=days.currency,
        tax_rate=tax_rate,
        names={} if accounts is None else _names(accounts),
        options="--{}",
    )

    async def work(here: Records) -> tuple[Period, Seller]:
        one = choose_one(await here.sellers.list(), seller)
        return await exporting.read(here, one, wanted), one

    whole, its_seller = from_records(work, statement_seconds_max=REPORT_SECONDS_MAX)
    exported = exporting.written(whole, its_seller, wanted)
    text, period = exported.text, exported.period
    write_file(text, to_file)
    if to_file != STANDARD_OUTPUT:
        told = f"{count_of(len(period.entries), 'transaction')} of {period.first} to {period.last}"
        Output(as_json=False).say(told if period.closed else f"{told}, which are not closed")
    if left_out := exported.left_out:
        counts = (f"{count_of(left_out[code], 'entry')} in {code}" for code in sorted(left_out))
        complain(f"left out, because the file is in {exported.currency}: {', '.join(counts)}")
    if format is Format.XERO and text.count("\r\n") > journal_csv.XERO_ROWS_MAX + 1:
        complain(
            f"Xero takes {journal_csv.XERO_ROWS_MAX} rows in one file, and here are more: export "
            "shorter periods, or with --daily"
        )


def _names(file: str) -> dict[Account, str]:
    names = {}
    for row in read_table(load(file), _Called):
        if isinstance(row, Problem):
            raise InvalidInput(str(row), where=f"{label(file)}:{row.line}")
        names[row.content.account] = row.content.name
    return names
