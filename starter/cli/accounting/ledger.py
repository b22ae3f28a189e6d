"""`orderloom ledger`: the books, for accountants."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from typing import Annotated, Final, TypeVar

import typer
from pydantic import Field

from domain.accounting.accounts import Account
from domain.currencies import CURRENCIES
from domain.errors import InvalidInput, Refused
from domain.fields import CurrencyOnceUsed, Day, Document, Name
from domain.words import count_of
from starter.accounting.books import beancount, journal_csv, trial
from starter.channels.csv_table import read_table
from starter.channels.documents import label, load
from starter.channels.read_results import Problem
from starter.cli.accounting import tax_report
from starter.cli.terminal.files import STANDARD_OUTPUT, write_file
from starter.cli.terminal.named import OfOrder, perhaps_order_named
from starter.cli.terminal.options import Json, Limit, Who, read_model, reporter
from starter.cli.terminal.output import Output, complain, money, wire
from starter.service.accounting import Accounting
from starter.service.connection import REPORT_SECONDS_MAX, from_records
from store.accounting.ledger import Entry, Period

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, no_args_is_help=True)


class Format(StrEnum):
    """The program that an export is for."""

    BEANCOUNT = "beancount"
    QUICKBOOKS = "csv-quickbooks"
    XERO = "csv-xero"
    JSON = "json"


class _Days(Document):
    """Days as they are typed."""

    first: Annotated[Day | None, Field(alias="--from")] = None
    last: Annotated[Day | None, Field(alias="--to")] = None
    until: Annotated[Day | None, Field(alias="--until")] = None
    through: Annotated[Day | None, Field(alias="--through")] = None
    currency: Annotated[CurrencyOnceUsed | None, Field(alias="--currency")] = None


class _Called(Document):
    """An account's name in another program."""

    account: Account
    name: Name


T = TypeVar("T")

_TAX_RATE: Final = "Tax Exempt"


@app.callback()
def ledger() -> None:
    """The books, in double entry. Days are those of the seller's time zone."""


@app.command()
def balance(
    until: Annotated[
        str | None, typer.Option("--until", help="At the end of this day; left out: now.")
    ] = None,
    as_json: Json = False,
) -> None:
    """The trial balance: the balance of each account. Each currency adds up to zero.

    Example: `orderloom ledger balance --until 2026-11-30`
    """
    day = _days({"--until": until}).until
    found = _from_books(lambda books: books.trial_balance(day))
    out = Output(as_json=as_json)
    sums = trial.sums(found)
    if as_json:
        totals = {currency: trial.shown(total, currency) for currency, total in sums.items()}
        out.document({"until": until, "balance": wire(found), "sums": totals})
    elif not found:
        out.say("nothing is booked")
    else:
        out.table(trial.COLUMNS, trial.rows(found))
        for currency, total in sums.items():
            out.say(f"sum: {money(total, currency)}")
    if any(sums.values()):
        raise Refused("the books do not add up to zero; `orderloom audit` says where")


@app.command()
def entries(
    order: OfOrder = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List entries, the latest last.

    Example: `orderloom ledger entries --order web-1001`
    """
    order = perhaps_order_named(order)
    found = _from_books(lambda books: books.entries(limit, order))
    out = Output(as_json=as_json)
    if as_json:
        out.document({"entries": wire(found)})
    elif not found:
        out.say("no entries")
    else:
        out.table(
            ["day", "order", "what", "account", ">debit", ">credit", "currency"],
            [
                (*_head(entry, number), item.account, *trial.sides(item), item.currency)
                for entry in found
                for number, item in enumerate(entry.postings)
            ],
        )


@app.command()
def close(
    through: Annotated[
        str, typer.Option("--through", help="The last day to close; one that is over.")
    ],
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Close all days through one. They take no more entries, and cannot be opened again.

    Example: `orderloom ledger close --through 2026-11-30`
    """
    day = _days({"--through": through}).through
    assert day is not None
    who = reporter(by)
    closing = _from_books(lambda books: books.close(day, who=who))
    out = Output(as_json=as_json)
    if as_json:
        out.document(closing.model_dump(mode="json"))
    else:
        out.say(f"closed through {closing.through}")


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
        str | None, typer.Option("--currency", help="csv-*: only what is in this currency.")
    ] = None,
    tax_rate: Annotated[
        str | None,
        typer.Option(
            "--tax-rate",
            help=f"csv-xero: what a rate of nothing is called there; left out: {_TAX_RATE}.",
        ),
    ] = None,
    accounts: Annotated[
        str | None,
        typer.Option("--accounts", help="csv-*: a CSV file with account,name as they are there."),
    ] = None,
) -> None:
    """Write the entries of a period for another program.

    Example: `orderloom ledger export --format beancount --from 2026-11-01 --to 2026-11-30 --out
    november.beancount`
    """
    _check_options(format, currency=currency, accounts=accounts, tax_rate=tax_rate)
    days = _days({"--from": first, "--to": last, "--currency": currency})
    names = {} if accounts is None else _names(accounts)

    async def work(books: Accounting) -> Period:
        if days.currency is not None and CURRENCIES.decimals(days.currency) is None:
            raise InvalidInput(f"unknown currency {days.currency!r}", where="--currency")
        today = await books.today()
        end = days.last or today
        if end > today:
            raise InvalidInput(f"{end} has not come yet", where="--to")
        if days.first is not None and days.first > end:
            raise InvalidInput(f"{days.first} is after the last day, {end}", where="--from")
        return await books.period(days.first, end)

    period = _from_books(work)
    end = period.last
    if final and not period.closed:
        raise Refused(
            f"the days to {end} are not closed, and what is booked on them may change: close them "
            f"with `orderloom ledger close --through {end}` when {end} is over, and export again; "
            "nothing was written"
        )
    left_out = Counter[str]()
    if days.currency is not None:
        period, left_out = journal_csv.only(period, days.currency)
    if daily:
        period = journal_csv.daily(period)
    match format:
        case Format.BEANCOUNT:
            text = beancount.render(period)
        case Format.QUICKBOOKS:
            text = journal_csv.quickbooks(period, names)
        case Format.XERO:
            text = journal_csv.xero(period, names, tax_rate=tax_rate or _TAX_RATE)
        case Format.JSON:
            text = f"{json.dumps(wire(period), ensure_ascii=False, indent=2)}\n"
    write_file(text, to_file)
    if to_file != STANDARD_OUTPUT:
        told = f"{count_of(len(period.entries), 'transaction')} of {period.first} to {period.last}"
        Output(as_json=False).say(told if period.closed else f"{told}, which are not closed")
    if left_out:
        counts = (f"{count_of(left_out[code], 'entry')} in {code}" for code in sorted(left_out))
        complain(f"left out, because the file is in {days.currency}: {', '.join(counts)}")
    if format is Format.XERO and text.count("\r\n") > journal_csv.XERO_ROWS_MAX + 1:
        complain(
            f"Xero takes {journal_csv.XERO_ROWS_MAX} rows in one file, and here are more: export "
            "shorter periods, or with --daily"
        )


def _from_books(work: Callable[[Accounting], Awaitable[T]]) -> T:
    """Run `work` with the books, which may read years of entries."""
    return from_records(
        lambda here: work(here.accounting), statement_seconds_max=REPORT_SECONDS_MAX
    )


def _check_options(format: Format, **given: str | None) -> None:
    """Raises InvalidInput for an option that the format does not use."""
    csv = (Format.QUICKBOOKS, Format.XERO)
    takes = {"currency": csv, "accounts": csv, "tax_rate": (Format.XERO,)}
    for name, value in given.items():
        if value is not None and format not in takes[name]:
            goes_with = " and ".join(takes[name])
            raise InvalidInput(
                f"goes with {goes_with}, not with {format}", where=f"--{name.replace('_', '-')}"
            )


def _days(typed: dict[str, str | None]) -> _Days:
    return read_model(_Days, {k: v for k, v in typed.items() if v is not None}, where="ledger")


def _names(file: str) -> dict[Account, str]:
    names = {}
    for row in read_table(load(file), _Called):
        if isinstance(row, Problem):
            raise InvalidInput(str(row), where=f"{label(file)}:{row.line}")
        names[row.content.account] = row.content.name
    return names


def _head(entry: Entry, number: int) -> Sequence[str | None]:
    """The columns before the first posting of an entry, empty for the others."""
    if number:
        return ("", "", "")
    return (entry.booked_on.isoformat(), entry.order_id, entry.memo)


app.add_typer(tax_report.app)
