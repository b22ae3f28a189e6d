"""`orderloom report`: what a day came to, from PostgreSQL; and days counted again."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final

import typer

from domain.days.figures import Figure, Trend
from domain.errors import InvalidInput
from domain.words import count_of
from starter.cli.terminal.options import Json, OfSeller
from starter.cli.terminal.output import Output, local, money, wire
from starter.service.connection import REPORT_SECONDS_MAX, from_records
from starter.service.day_book import DayReport, ReportRow
from store.days.losses import Loss

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, no_args_is_help=True)

_NAMES: Final[dict[Figure, str]] = {
    "orders": "orders taken",
    "worth": "worth of these orders",
    "open_orders": "open orders",
    "shipped": "parcels that left",
    "shipped_late": "left after the promised day",
    "delivered": "parcels delivered",
    "delivered_late": "delivered after the promised day",
    "leave_today": "still to leave on the day",
    "leave_late": "should have left before",
    "arrive_late": "on the way, and late",
    "stock_out": "out of stock",
    "stock_low": "at the reorder point",
    "runs_out": "sold out within a week",
    "authorized": "authorized",
    "charged": "charged",
    "refunded": "refunded",
    "owed_back": "owed back",
    "result": "result by the books",
    "lost": "lost with orders",
}
_LOSSES: Final = 10

DayOption = Annotated[
    str | None,
    typer.Option(
        "--day", metavar="YYYY-MM-DD", help="The seller's day; left out: today.", show_default=False
    ),
]


@app.command()
def day(day: DayOption = None, seller: OfSeller = None, as_json: Json = False) -> None:
    """What a day came to, beside the day before and the week before.

    Orders, promises, money, stock, and the orders that lost money. A worker counts once a minute.
    At `/app/day/report` the same can be printed.

    Example: `orderloom report day --day 2026-11-24`
    """
    wanted = None if day is None else _read_day(day, "--day")
    sellers = None if seller is None else [seller]
    found = from_records(lambda here: here.days.report(wanted, sellers=sellers))
    out = Output(as_json=as_json)
    if as_json:
        out.document(_wire(found))
        return
    out.say(f"{found.book.day}: {_counted(found)}")
    out.table(
        ["", f">{found.book.day}", ">day before", ">week before"],
        [
            (f"{_NAMES[row.figure]}{f', {row.currency}' if row.currency else ''}", *_cells(row))
            for row in found.rows
        ],
    )
    for channel, trend in found.channels:
        out.say(f"{channel}: {count_of(trend.now or 0, 'order')}")
    shown = found.worst(_LOSSES)
    for loss in shown:
        out.say(f"{loss.order_id} lost {money(-loss.result_minor, loss.currency)}: {_why(loss)}")
    if len(found.losses) > len(shown):
        out.say(f"and {len(found.losses) - len(shown)} more that lost money: --json has them")


@app.command()
def count(
    first: Annotated[str, typer.Option("--first", metavar="YYYY-MM-DD", help="The first day.")],
    last: Annotated[
        str | None,
        typer.Option(
            "--last", metavar="YYYY-MM-DD", help="Left out: that one.", show_default=False
        ),
    ] = None,
    seller: OfSeller = None,
    as_json: Json = False,
) -> None:
    """Count what happened on these days again. That changes nothing where it was counted right.

    How much there was at the end of an earlier day (late parcels, stock, tasks) stays as it was
    kept: nobody can count that later.

    Example: `orderloom report count --first 2026-11-01 --last 2026-11-30`
    """
    begin = _read_day(first, "--first")
    end = begin if last is None else _read_day(last, "--last")
    done = from_records(
        lambda here: here.days.count(begin, end, seller=seller),
        statement_seconds_max=REPORT_SECONDS_MAX,
    )
    out = Output(as_json=as_json)
    if as_json:
        out.document({"counted": done})
    else:
        out.say(f"counted: {count_of(done, 'day')} of sellers")


def _read_day(typed: str, where: str) -> date:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        raise InvalidInput("must be a day, such as 2026-11-24", where=where) from None


def _counted(found: DayReport) -> str:
    if not found.book.is_today:
        return "the whole day" if found.book.day in found.book.counted else "nobody has counted it"
    at = found.book.counted_at
    return "no worker has counted it yet" if at is None else f"counted {local(at)}"


def _cells(row: ReportRow) -> tuple[str, str, str]:
    known = row.trend.now, row.trend.yesterday, row.trend.week_before
    first, second, third = (
        "–" if n is None else money(n, row.currency) if row.currency else f"{n:,}" for n in known
    )
    return first, second, third


def _why(loss: Loss) -> str:
    """What it was sold for, and what that cost."""
    parts = [f"sold {money(loss.sold_minor, loss.currency)}"]
    for name, minor in (
        ("paid back", loss.refunds_minor),
        ("goods cost", loss.cost_minor),
        ("fees and write-offs", loss.others_minor),
    ):
        if minor:
            parts.append(f"{name} {money(minor, loss.currency)}")
    because = [kind.replace("_", " ") for kind in loss.refunds]
    because += [
        f"parcel {one.fulfilment_id} lost{' and sent again' if one.sent_again else ''}"
        for one in loss.lost_parcels
    ]
    if loss.not_found:
        because.append(f"{count_of(loss.not_found, 'unit')} not found")
    because += [f"claim: {kind}" for kind in loss.claims] + ["dispute lost"] * loss.disputed
    return ", ".join(parts) + (f" ({', '.join(because)})" if because else "")


def _wire(found: DayReport) -> Any:
    book = found.book
    return {
        "day": book.day.isoformat(),
        "today": book.is_today,
        "counted_at": None if book.counted_at is None else book.counted_at.isoformat(),
        "figures": [
            {"figure": row.figure, "currency": row.currency or None, **_trend(row.trend, row)}
            for row in found.rows
        ],
        "orders_by_channel": [
            {"channel": channel, **_trend(trend)} for channel, trend in found.channels
        ],
        "losses": [wire(loss.model_dump(mode="json")) for loss in found.losses],
    }


def _trend(trend: Trend, row: ReportRow | None = None) -> dict[str, Any]:
    """Amounts are decimal strings, counts are numbers."""
    currency = "" if row is None else row.currency

    def told(n: int | None) -> Any:
        return n if n is None or not currency else wire({"n_minor": n}, currency)["n"]

    return {
        "value": told(trend.now),
        "day_before": told(trend.yesterday),
        "week_before": told(trend.week_before),
    }
