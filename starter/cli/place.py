"""`orderloom place`: orders from a file, each with its own answer."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from domain.errors import Conflict, InvalidInput, OrderloomError, Refused, Unreachable
from domain.messages import Units
from domain.order import Order
from domain.policy import Policy
from settings import load_settings
from starter.channels.documents import label, load, read_orders
from starter.channels.northwind import read_customers
from starter.channels.records import Record
from starter.channels.text import decode
from starter.cli import output
from starter.cli.connection import database_faults
from starter.cli.options import Json, read_json_file
from starter.cli.output import Output, complain, count_of
from starter.cli.rendering import units_of
from starter.cli.service import service
from starter.client import OrderClient

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)

_LAST_WORD_SECONDS: Final = 25.0

_Outcome = Literal[
    "confirmed", "in_progress", "rejected", "conflict", "refused", "malformed", "not_placed"
]


@dataclass(frozen=True)
class _Result:
    """What became of one record."""

    record: Record
    order_id: str
    outcome: _Outcome
    reason: str = ""
    missing: tuple[Units, ...] = ()


@dataclass(frozen=True)
class _Plan:
    """How a file is placed."""

    policy: Policy
    concurrency: int
    answer_within: timedelta
    progress: bool | None


@app.command()
def place(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="The orders; - is standard input.")],
    concurrency: Annotated[
        int, typer.Option("--concurrency", min=1, max=200, help="Orders placed at once.")
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
    as_json: Json = False,
) -> None:
    """Place orders from a file or standard input.

    Takes one order in JSON, a JSON array, JSON Lines or a Northwind CSV export, told apart by
    content. An order that is placed again is the same order: nothing happens twice, and the answer
    is the same. Malformed orders are reported with file, line, field and reason; the others go on.

    Exit code: 3 if a server stopped answering (place the file again), else 2 if any record was
    malformed, else 1 if any order was rejected, refused or in conflict, else 0.

    Example: `orderloom place examples/order.json`
    """
    settings = load_settings()
    rules = settings.policy
    if policy is not None:
        rules = read_json_file(Policy, policy, base=rules)
    if all_or_nothing:
        rules = rules.model_copy(update={"partly_available": "all_or_nothing"})
    names = None if customers is None else _customer_names(customers)
    records = list(read_orders(load(file), names))
    plan = _Plan(rules, concurrency, timedelta(seconds=wait_s), progress)
    out = Output(as_json=as_json)
    results = asyncio.run(_place_all(records, plan, label(file), out))
    _report(results, label(file), out)
    _end(results)


def _customer_names(file: Path) -> dict[str, str]:
    names, problems = read_customers(decode(load(str(file))))
    if problems:
        raise InvalidInput(str(problems[0]), where=f"{file}:{problems[0].line}")
    return names


async def _place_all(
    records: Sequence[Record], plan: _Plan, file: str, out: Output
) -> list[_Result]:
    """Place what can be placed; results in the order of the file."""
    results: dict[int, _Result] = {}
    show = output.console(stderr=True, force_terminal=True if plan.progress else None)
    with Progress(
        TextColumn("placing"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=show,
        disable=not (show.is_terminal if plan.progress is None else plan.progress),
        # Lines that go to a file or a pipe are none of the bar's business.
        redirect_stdout=output.console().is_terminal,
        transient=True,
    ) as bar:
        task = bar.add_task("placing", total=len(records))

        def note(index: int, result: _Result) -> None:
            results[index] = result
            bar.advance(task)
            if not out.as_json:
                _say(result, file, out)

        good: list[tuple[int, Record, Order]] = []
        for index, record in enumerate(records):
            if record.order is None:
                note(index, _Result(record, record.name, "malformed"))
            else:
                good.append((index, record, record.order))
        if good:
            await _place_good(good, plan, note)
    return [results[index] for index in sorted(results)]


async def _place_good(good: Sequence[tuple[int, Record, Order]], plan: _Plan, note: Any) -> None:
    """Place orders, several at once. When a server stops answering, the rest is not tried."""
    waiting = iter(good)
    stopped: list[str] = []

    async with service(connections=min(plan.concurrency, 20) + 1) as here:

        async def work() -> None:
            for index, record, order in waiting:
                if stopped:
                    result = _Result(record, order.order_id, "not_placed", stopped[0])
                else:
                    result = await _place_one(here.orders, record, order, plan)
                    if result.outcome == "not_placed":
                        stopped.append(result.reason)
                note(index, result)

        await asyncio.gather(*(work() for _ in range(min(plan.concurrency, len(good)))))


async def _place_one(client: OrderClient, record: Record, order: Order, plan: _Plan) -> _Result:
    def result(outcome: _Outcome, reason: str, missing: tuple[Units, ...] = ()) -> _Result:
        return _Result(record, order.order_id, outcome, reason, missing)

    try:
        with database_faults():
            answer = await asyncio.wait_for(
                client.place(order, policy=plan.policy, answer_within=plan.answer_within),
                plan.answer_within.total_seconds() + _LAST_WORD_SECONDS,
            )
    except Conflict as error:
        return result("conflict", str(error))
    except Unreachable as error:
        return result("not_placed", str(error))
    except OrderloomError as error:
        return result("refused", str(error))
    return result(answer.outcome, answer.reason, answer.missing)


def _say(result: _Result, file: str, out: Output) -> None:
    if result.outcome == "malformed":
        name = f" (order {result.order_id})" if result.order_id else ""
        for problem in result.record.problems:
            complain(f"{file}:{problem.line}: {problem}{name}")
        return
    missing = units_of({units.line_id: units.quantity for units in result.missing})
    if missing and result.outcome == "confirmed":
        more = f", without {missing}: not available"
    else:
        more = f": {result.reason}" if result.reason else ""
        more += f" ({missing})" if missing else ""
    out.say(f"{result.order_id}  {result.outcome.replace('_', ' ')}{more}")


def _report(results: Sequence[_Result], file: str, out: Output) -> None:
    found = Counter(result.outcome for result in results)
    counts = {outcome: found[outcome] for outcome in get_args(_Outcome) if found[outcome]}
    if not out.as_json:
        summary = ", ".join(f"{n} {outcome.replace('_', ' ')}" for outcome, n in counts.items())
        out.say(f"{count_of(len(results), 'order')}: {summary or 'nothing to place'}")
        return
    out.document(
        {
            "file": file,
            "orders": [
                {
                    "line": result.record.line,
                    "order_id": result.order_id,
                    "outcome": result.outcome,
                    "reason": result.reason,
                    "missing": [units.model_dump() for units in result.missing],
                }
                for result in results
                if result.outcome != "malformed"
            ],
            "problems": [
                {
                    "file": file,
                    "line": problem.line,
                    "field": problem.field,
                    "reason": problem.reason,
                    "channel_order_id": result.record.name,
                }
                for result in results
                for problem in result.record.problems
            ],
            "summary": counts,
        }
    )


def _end(results: Sequence[_Result]) -> None:
    """Raise what the exit code is made of: the gravest thing that happened."""
    by_outcome: dict[str, list[_Result]] = {}
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
        raise kind(f"{unwanted[0].order_id} {unwanted[0].outcome}: {unwanted[0].reason}")
    counted = ", ".join(
        f"{n} {outcome}" for outcome, n in Counter(r.outcome for r in unwanted).items()
    )
    raise kind(
        f"{len(unwanted)} of {len(results)} orders were not taken ({counted}); the reason is "
        "beside each"
    )
