"""Placing many orders at once, with a result for each."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import chain
from typing import Annotated, Any, Final, Literal, get_args

import typer

from domain.errors import Conflict, InvalidInput, OrderloomError, Unreachable
from domain.fields import Document
from domain.orders.messages import Placement, Units, Waiting
from domain.orders.order import Order
from domain.orders.policy import Policy
from domain.sellers import Code
from starter.channels.read_results import Problem, Record
from starter.cli.orders.pace import Pace
from starter.cli.terminal.options import read_model
from starter.service.connection import service
from starter.service.orders import Orders
from store.faults import NotPrepared

Outcome = Literal[
    "confirmed",
    "held",
    "in_progress",
    "rejected",
    "conflict",
    "refused",
    "malformed",
    "not_placed",
    "readable",
]


class _Whose(Document):
    channel: Code


def _channel(code: str) -> str:
    """The code as it is. A wrong one would have each order of each file refused."""
    return read_model(_Whose, {"channel": code}, where="--channel").channel


MarketplaceChannel = Annotated[
    str,
    typer.Option(
        "--channel",
        metavar="CODE",
        callback=_channel,
        help="Whose orders a marketplace's file holds; other files say it themselves.",
    ),
]

# The client gives its last word some time after it has waited for the decision.
_LAST_WORD_SECONDS: Final = 25.0
# One order may have a fault of its own; a server that is away fails them all.
_FAILURES_MAX: Final = 3
_CONNECTIONS_MAX: Final = 20


@dataclass(frozen=True)
class Result:
    """The result of one record, kept without its order."""

    record: Record
    order_id: str
    outcome: Outcome
    reason: str = ""
    missing: tuple[Units, ...] = ()
    backordered: tuple[Waiting, ...] = ()
    promised_on: date | None = None


@dataclass(frozen=True)
class Plan:
    """How orders are placed. `policy`: what is set in it differs from their channels'."""

    policy: Policy
    concurrency: int
    answer_within: timedelta
    bulk: bool


def counts_of(results: Sequence[Result]) -> dict[Outcome, int]:
    """How often each outcome came; without those that did not."""
    found = Counter(result.outcome for result in results)
    return {outcome: found[outcome] for outcome in get_args(Outcome) if found[outcome]}


def report_of(results: Sequence[Result], file: str) -> dict[str, Any]:
    """What became of a file's orders, for programs."""
    return {
        "file": file,
        "orders": [
            {
                "line": result.record.line,
                "order_id": result.order_id,
                "outcome": result.outcome,
                "reason": result.reason,
                "missing": [units.model_dump() for units in result.missing],
                "backordered": [x.model_dump(mode="json") for x in result.backordered],
                "promised_on": result.promised_on and result.promised_on.isoformat(),
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
        "summary": counts_of(results),
    }


Note = Callable[[int, Result], None]
"""Takes the result of the n-th record, as soon as it is known."""


def read_records(records: Iterable[Record], note: Note) -> None:
    """Note what can be read, and place nothing."""
    for index, record, order in _sound(records, note):
        note(index, Result(record, order.order_id, "readable"))


async def place_records(records: Iterable[Record], plan: Plan, note: Note) -> None:
    """Place the sound orders. When the database stops answering, the rest is not tried.

    The records are read when they are needed, and none is kept: a file may hold very many. Raises
    Unreachable when a server does not answer at the beginning.
    """
    waiting = _sound(records, note)
    first = next(waiting, None)
    if first is None:
        return
    waiting = chain([first], waiting)
    failed: list[str] = []  # since the last answer
    pace = Pace(plan.concurrency)
    clock = asyncio.get_running_loop().time

    connections = min(plan.concurrency, _CONNECTIONS_MAX) + 1
    async with service(connections=connections, temporal_may_be_away=True) as here:

        async def work() -> None:
            for index, record, order in waiting:
                if len(failed) >= _FAILURES_MAX:
                    note(index, Result(record, order.order_id, "not_placed", failed[-1]))
                    continue
                async with pace.turn():
                    began = clock()
                    result = await _place(here.orders, record, order, plan)
                    if result.outcome == "not_placed":
                        failed.append(result.reason)
                    else:
                        failed.clear()
                        pace.took(clock() - began)
                note(index, result)

        await asyncio.gather(*(work() for _ in range(plan.concurrency)))


def _sound(records: Iterable[Record], note: Note) -> Iterator[tuple[int, Record, Order]]:
    """The records that hold an order, numbered, without it; notes the others."""
    for index, record in enumerate(records):
        if record.order is None:
            note(index, Result(record, record.name, "malformed"))
        else:
            yield index, replace(record, order=None), record.order


async def _place(client: Orders, record: Record, order: Order, plan: Plan) -> Result:
    def result(outcome: Outcome, reason: str) -> Result:
        return Result(record, order.order_id, outcome, reason)

    try:
        answer = await _answer(client, order, plan)
    except NotPrepared:
        raise
    except InvalidInput as error:
        field = error.where or ""
        problem = Problem(record.line, field, str(error).removeprefix(f"{field}: "))
        return Result(
            replace(record, name=order.channel_order_id, problems=(problem,)),
            order.order_id,
            "malformed",
        )
    except Conflict as error:
        return result("conflict", str(error))
    except Unreachable as error:
        return result("not_placed", str(error))
    except OrderloomError as error:
        return result("refused", str(error))
    return replace(
        result(answer.outcome, answer.reason),
        missing=answer.missing,
        backordered=answer.backordered,
        promised_on=answer.promised_on,
    )


async def _answer(client: Orders, order: Order, plan: Plan) -> Placement:
    seconds = plan.answer_within.total_seconds() + _LAST_WORD_SECONDS
    try:
        return await asyncio.wait_for(
            client.place(
                order, policy=plan.policy, answer_within=plan.answer_within, bulk=plan.bulk
            ),
            seconds,
        )
    except TimeoutError:
        raise Unreachable(f"no answer within {seconds:.0f} s; nothing is lost") from None
