"""`orderloom place`: orders from a file, each with its own answer."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import chain, islice
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from domain.errors import Conflict, InvalidInput, Refused, Unreachable
from domain.orders.messages import Waiting
from domain.orders.policy import Policy
from domain.words import count_of, few
from starter.channels.documents import label, load, read_orders
from starter.channels.marketplace import CHANNEL
from starter.channels.northwind_customers import read_customers
from starter.channels.read_results import Record
from starter.channels.text import decode
from starter.cli.orders.placing import (
    MarketplaceChannel,
    Plan,
    Result,
    counts_of,
    place_records,
    read_records,
    report_of,
)
from starter.cli.terminal import output
from starter.cli.terminal.options import DryRun, Json, read_json_file
from starter.cli.terminal.output import Output, complain
from starter.cli.terminal.rendering import units_of

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)


@app.command()
def place(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="The orders; - is standard input.")],
    concurrency: Annotated[
        int,
        typer.Option(
            "--concurrency",
            min=1,
            max=200,
            help="Orders placed at once, at most: fewer while answers take long.",
        ),
    ] = 8,
    all_or_nothing: Annotated[
        bool,
        typer.Option(
            "--all-or-nothing",
            help="Reject an order of which not every unit is available. "
            "Else it ships what there is, and the rest is cancelled.",
        ),
    ] = False,
    policy: Annotated[
        Path | None,
        typer.Option(
            "--policy",
            metavar="FILE.json",
            help="How long things may take for these orders; see `orderloom schema policy`.",
        ),
    ] = None,
    customers: Annotated[
        Path | None,
        typer.Option(
            "--customers",
            metavar="FILE.csv",
            help="Northwind customers.csv, for the customers' names.",
        ),
    ] = None,
    channel: MarketplaceChannel = CHANNEL,
    wait_s: Annotated[
        float,
        typer.Option("--wait", min=0.1, max=600, help="Seconds to wait for each decision."),
    ] = 10.0,
    progress: Annotated[
        bool | None,
        typer.Option(
            "--progress/--no-progress",
            help="Show a progress bar; by default in a terminal.",
            show_default=False,
        ),
    ] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Place orders from a file or standard input.

    Takes one order in JSON, a JSON array, JSON Lines, a marketplace's order file (tab-separated, a
    row for each item) or a Northwind CSV export, told apart by content. An order that is placed
    again is the same order: nothing happens twice, and the answer is the same. Malformed orders are
    reported with file, line, field and reason; the others go on. Orders of a file with several let
    others pass where work has to wait for workers, and are placed as fast as the system takes them
    without slowing down. While Temporal is away, orders are accepted all the same, in progress:
    they are safe, and a worker starts them when it is back. A dry run asks no server: it says which
    orders can be read.

    Exit code: 3 if the database stopped answering (place the file again), else 2 if any record was
    malformed, else 1 if any order was rejected, refused or in conflict, else 0.

    Example: `orderloom place examples/order.json`
    """
    rules = Policy() if policy is None else read_json_file(Policy, policy)
    if all_or_nothing:
        rules = rules.model_copy(update={"partly_available": "all_or_nothing"})
    names = None if customers is None else _customer_names(customers)
    data = load(file)
    records = read_orders(data, names, channel=channel)
    some = list(islice(records, 2))
    plan = Plan(rules, concurrency, timedelta(seconds=wait_s), bulk=len(some) > 1)
    out = Output(as_json=as_json, dry_run=dry_run)
    placing = _place_all(
        chain(some, records), plan, label(file), out, lines=data.count(b"\n") + 1, progress=progress
    )
    results = asyncio.run(placing)
    _report(results, label(file), out)
    _end(results, as_json=as_json)


def _customer_names(file: Path) -> dict[str, str]:
    names, problems = read_customers(decode(load(str(file))))
    if problems:
        raise InvalidInput(str(problems[0]), where=f"{file}:{problems[0].line}")
    return names


async def _place_all(
    records: Iterable[Record],
    plan: Plan,
    file: str,
    out: Output,
    *,
    lines: int,
    progress: bool | None,
) -> list[Result]:
    """Place the sound orders; results in the order of the file, which has `lines` lines."""
    results: dict[int, Result] = {}
    show = output.console(stderr=True, force_terminal=True if progress else None)
    with Progress(
        TextColumn("placing"),
        BarColumn(),
        TextColumn("{task.fields[orders]} orders"),
        TimeRemainingColumn(),
        console=show,
        disable=not (show.is_terminal if progress is None else progress),
        # Lines that go to a file or a pipe are none of the bar's business.
        redirect_stdout=output.console().is_terminal,
        transient=True,
    ) as bar:
        # How many orders there are is known when the last one has been read.
        task = bar.add_task("placing", total=lines, orders=0)

        def note(index: int, result: Result) -> None:
            results[index] = result
            bar.update(task, completed=result.record.line, orders=len(results))
            if not out.as_json:
                _say(result, file, out)

        if out.dry_run:
            read_records(records, note)
        else:
            await place_records(records, plan, note)
    return [results[index] for index in sorted(results)]


def _say(result: Result, file: str, out: Output) -> None:
    if result.outcome == "malformed":
        name = f" (order {result.order_id})" if result.order_id else ""
        for problem in result.record.problems:
            complain(f"{file}:{problem.line}: {problem}{name}")
        return
    missing = units_of({units.line_id: units.quantity for units in result.missing})
    if missing and result.outcome == "confirmed":
        more = f", without {missing}: not available"
    else:
        more = f": {result.reason or missing}" if result.reason or missing else ""
    if result.backordered:
        more += f", {few(map(_backordered, result.backordered), 'line')}"
    if result.promised_on and result.promised_on not in [u.promised_on for u in result.backordered]:
        more += f", there by {result.promised_on}"
    out.say(f"{result.order_id}  {result.outcome.replace('_', ' ')}{more}")


def _backordered(units: Waiting) -> str:
    when = f"there by {units.promised_on}" if units.promised_on else "no day known yet"
    return f"line {units.line_id} × {units.quantity} backordered: {when}"


def _report(results: Sequence[Result], file: str, out: Output) -> None:
    if out.as_json:
        out.document(report_of(results, file))
        return
    counts = counts_of(results)
    summary = ", ".join(f"{n} {outcome.replace('_', ' ')}" for outcome, n in counts.items())
    out.say(f"{count_of(len(results), 'order')}: {summary or 'nothing to place'}")


def _end(results: Sequence[Result], *, as_json: bool) -> None:
    """Raise the gravest error, which decides the exit code."""
    by_outcome: dict[str, list[Result]] = {}
    for result in results:
        by_outcome.setdefault(result.outcome, []).append(result)
    left = by_outcome.get("not_placed", [])
    if left:
        raise Unreachable(
            f"{len(left)} of {count_of(len(results), 'order')} not placed: {left[0].reason}; "
            "then place the same file again, which repeats nothing"
        )
    malformed = by_outcome.get("malformed", [])
    if malformed:
        some = "the order" if len(results) == 1 else f"{len(malformed)} of {len(results)} orders"
        raise InvalidInput(
            f"{some} could not be read: correct what is reported by line, and place the file "
            "again, which repeats nothing"
        )
    unwanted = [r for name in ("conflict", "refused", "rejected") for r in by_outcome.get(name, [])]
    if not unwanted:
        return
    kind = Conflict if unwanted[0].outcome == "conflict" else Refused
    if len(results) == 1:
        why = f": {unwanted[0].reason}" if as_json else "; the reason is beside it"
        raise kind(f"{unwanted[0].order_id} {unwanted[0].outcome}{why}")
    counted = ", ".join(
        f"{n} {outcome}" for outcome, n in Counter(r.outcome for r in unwanted).items()
    )
    raise kind(
        f"{len(unwanted)} of {len(results)} orders were not taken ({counted}); the reason is "
        "beside each"
    )
