"""`orderloom ledger`: the books, for accountants."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, TypeVar

import typer
from pydantic import Field

from domain.errors import Refused
from domain.fields import Day, Document
from domain.sellers import Seller, choose, choose_one
from starter.accounting.books import trial
from starter.cli.accounting import export, tax_report
from starter.cli.terminal.named import OfOrder, perhaps_order_named
from starter.cli.terminal.options import (
    Json,
    Limit,
    OfSeller,
    OneSeller,
    Who,
    read_model,
    reporter,
)
from starter.cli.terminal.output import Output, money, wire
from starter.service.connection import REPORT_SECONDS_MAX, from_records
from starter.service.service import Records
from store.accounting.ledger import Closing, Entry, Posting

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, no_args_is_help=True)


class _Days(Document):
    """Days as they are typed."""

    until: Annotated[Day | None, Field(alias="--until")] = None
    through: Annotated[Day | None, Field(alias="--through")] = None


T = TypeVar("T")


@app.callback()
def ledger() -> None:
    """The books of each seller, in double entry. Days are those of the seller's time zone."""


@app.command()
def balance(
    until: Annotated[
        str | None, typer.Option("--until", help="At the end of this day; left out: now.")
    ] = None,
    seller: OfSeller = None,
    as_json: Json = False,
) -> None:
    """The trial balance of each seller: the balance of each account. Each currency adds up to zero.

    Example: `orderloom ledger balance --until 2026-11-30`
    """
    day = _days({"--until": until}).until

    async def work(here: Records) -> list[tuple[Seller, Sequence[Posting]]]:
        wanted = choose(await here.sellers.list(), seller)
        return [(one, await here.accounting.trial_balance(one.seller, day)) for one in wanted]

    found = _from_records(work)
    out = Output(as_json=as_json)
    if as_json:
        shown = [{"seller": one.seller, **_balance(books)} for one, books in found]
        out.document({"until": until, "sellers": shown})
    for one, books in [] if as_json else found:
        if seller is None and len(found) > 1:
            out.say(f"{one.seller}: {one.name}")
        _show_balance(books, out)
    if any(any(trial.sums(books).values()) for _, books in found):
        raise Refused("the books do not add up to zero; `orderloom audit` says where")


def _balance(books: Sequence[Posting]) -> dict[str, Any]:
    sums = trial.sums(books).items()
    totals = {currency: trial.shown(total, currency) for currency, total in sums}
    return {"balance": wire(books), "sums": totals}


def _show_balance(books: Sequence[Posting], out: Output) -> None:
    if not books:
        out.say("nothing is booked")
        return
    out.table(trial.COLUMNS, trial.rows(books))
    for currency, total in trial.sums(books).items():
        out.say(f"sum: {money(total, currency)}")


@app.command()
def entries(
    order: OfOrder = None,
    seller: OfSeller = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List entries, the latest last.

    Example: `orderloom ledger entries --order web-1001`
    """
    order = perhaps_order_named(order)

    async def work(here: Records) -> Sequence[Entry]:
        choose(await here.sellers.list(), seller)
        return await here.accounting.entries(limit, order, seller)

    found = _from_records(work)
    out = Output(as_json=as_json)
    if as_json:
        out.document({"entries": wire(found)})
    elif not found:
        out.say("no entries")
    else:
        out.table(
            ["day", "seller", "order", "what", "account", ">debit", ">credit", "currency"],
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
    seller: OneSeller = None,
    by: Who = "",
    as_json: Json = False,
) -> None:
    """Close all days of a seller through one. They take no more entries, and stay closed for ever.

    Example: `orderloom ledger close --through 2026-11-30`
    """
    day = _days({"--through": through}).through
    assert day is not None
    who = reporter(by)

    async def work(here: Records) -> Closing:
        one = choose_one(await here.sellers.list(), seller)
        return await here.accounting.close(one.seller, day, who=who)

    closing = _from_records(work)
    out = Output(as_json=as_json)
    if as_json:
        out.document(closing.model_dump(mode="json"))
    else:
        out.say(f"{closing.seller} is closed through {closing.through}")


def _from_records(work: Callable[[Records], Awaitable[T]]) -> T:
    """Run `work`, which may read years of entries."""
    return from_records(work, statement_seconds_max=REPORT_SECONDS_MAX)


def _days(typed: dict[str, str | None]) -> _Days:
    return read_model(_Days, {k: v for k, v in typed.items() if v is not None}, where="ledger")


def _head(entry: Entry, number: int) -> Sequence[str | None]:
    """The columns before the first posting of an entry, empty for the others."""
    if number:
        return ("", "", "", "")
    return (entry.booked_on.isoformat(), entry.seller, entry.order_id, entry.memo)


app.add_typer(export.app)
app.add_typer(tax_report.app)
