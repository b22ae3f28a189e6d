"""`python -m benchmarks`: the contest, which `make bench` runs; and commands beside it.

Exit codes: 0 done and clean, 1 the audit found something or a contestant failed, 2 bad options.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from temporalio.service import RPCError

from benchmarks import (
    aged,
    contest,
    growth,
    hot_stock,
    hot_tables,
    http,
    imports,
    open_pages,
    plot,
    profile,
    results,
    scans,
    screens,
    tables,
)
from benchmarks.contestants.registry import ALL, BY_NAME
from benchmarks.options import parse_options
from benchmarks.statements import tell
from benchmarks.tune import tune
from benchmarks.venue import ROOT
from domain.errors import InvalidInput, OrderloomError, Unreachable

T = TypeVar("T")
Command = Callable[[Console, argparse.Namespace], int]

WITH_DATABASE = [contestant.name for contestant in ALL if contestant.has_effects]
RESULTS = ROOT / "benchmarks" / "results"


def main(arguments: list[str] | None = None) -> int:
    """Do as told, and return the exit code."""
    logging.basicConfig(level=logging.WARNING)
    args = _parser().parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 130)
    command = _COMMANDS.get(args.command, _contest)
    code = 1
    try:
        code = command(console, args)
    except* (OrderloomError, RPCError) as failed:
        errors = list(_plain(failed))
        print("\n".join(f"benchmarks: {error}" for error in errors), file=sys.stderr)
        code = 2 if any(isinstance(error, InvalidInput) for error in errors) else 1
    return code


def _until_told(work: Coroutine[Any, Any, T]) -> T:
    """Run it to its end, or until Ctrl-C, SIGTERM or the terminal's end; servers never stay."""

    async def stoppable() -> T:
        task = asyncio.current_task()
        assert task is not None
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        return await work

    try:
        return asyncio.run(stoppable())
    except (asyncio.CancelledError, KeyboardInterrupt):
        raise Unreachable("stopped before the end; nothing was written") from None


def _contest(console: Console, args: argparse.Namespace) -> int:
    plan = contest.QUICK if args.quick else contest.FULL
    given = {
        "rounds": args.rounds,
        "in_flight": args.in_flight,
        "seconds": args.seconds,
        "open_seconds": args.open_seconds,
        "sampled_orders": args.orders,
    }
    plan = plan.model_copy(update={name: n for name, n in given.items() if n is not None})
    began = time.monotonic()

    def say(line: str) -> None:
        console.print(f"{time.monotonic() - began:4.0f} s  {line}")

    done = _until_told(contest.run(ALL, plan, say))
    file = results.write(done, args.output)
    picture = plot.draw(done, args.output)
    _print(console, done, as_markdown=args.markdown)
    console.print(f"written: {file} and {picture}", soft_wrap=True)
    return _verdict(console, list(done.findings))


def _show(console: Console, args: argparse.Namespace) -> int:
    try:
        _print(console, results.read(args.output), as_markdown=args.markdown)
    except FileNotFoundError:
        raise InvalidInput(
            f"there is no {results.FILE} in it: run the benchmark first", where=str(args.output)
        ) from None
    return 0


def _tune(console: Console, args: argparse.Namespace) -> int:
    settings = (parse_options(args.a), parse_options(args.b))
    found = _until_told(
        tune(
            console,
            BY_NAME[args.contestant],
            settings,
            rounds=args.rounds,
            in_flight=args.in_flight,
            seconds=args.seconds,
        )
    )
    return _verdict(console, found)


def _statements(console: Console, args: argparse.Namespace) -> int:
    contestant = BY_NAME[args.contestant]
    return _verdict(console, _until_told(tell(console, contestant, orders=args.orders)))


def _grow(console: Console, args: argparse.Namespace) -> int:
    work = growth.grow(
        console,
        args.open,
        rounds=args.rounds,
        in_flight=args.in_flight,
        seconds=args.seconds,
        output=args.output,
    )
    return _verdict(console, _until_told(work))


def _import(console: Console, args: argparse.Namespace) -> int:
    work = imports.disturb(
        console,
        orders=args.orders,
        options=args.options,
        rate=args.rate,
        rounds=args.rounds,
        seconds=args.seconds,
        settle_seconds=args.settle_seconds,
    )
    return _verdict(console, _until_told(work))


def _stock(console: Console, args: argparse.Namespace) -> int:
    plan = hot_stock.QUICK if args.quick else hot_stock.FULL
    given = {name: getattr(args, name) for name in ("rounds", "in_flight", "seconds")}
    plan = plan.model_copy(update={name: n for name, n in given.items() if n is not None})
    quiet = args.json or args.markdown
    say = (lambda _: None) if quiet else console.print
    runs = _until_told(hot_stock.compete(plan, say))
    oversold = sum(run.oversold for run in runs)
    if args.json:
        print(json.dumps(hot_tables.document(runs, plan), indent=2))
    elif args.markdown:
        print(hot_tables.markdown(runs, plan))
    else:
        hot_tables.show(runs, plan, console)
        print(f"oversold: {oversold}")
    return 1 if oversold else 0


def _profile(console: Console, args: argparse.Namespace) -> int:
    who, load = BY_NAME[args.contestant], {"in_flight": args.in_flight, "seconds": args.seconds}
    work = profile.profile(console, who, **load, output=args.output)
    return _verdict(console, _until_told(work))


def _alone(work: Callable[[Console, argparse.Namespace], Coroutine[Any, Any, None]]) -> Command:
    """A command that prints what it finds, and finds nothing wrong."""

    def command(console: Console, args: argparse.Namespace) -> int:
        _until_told(work(console, args))
        return 0

    return command


_COMMANDS = {
    "show": _show,
    "tune": _tune,
    "statements": _statements,
    "grow": _grow,
    "import": _import,
    "stock": _stock,
    "aged": _alone(aged.compare),
    "http": _alone(http.run),
    "scans": _alone(scans.measure),
    "screens": _alone(screens.measure),
    "open-pages": _alone(open_pages.measure),
    "profile": _profile,
}


def _print(console: Console, done: results.Results, *, as_markdown: bool) -> None:
    if as_markdown:
        print(tables.markdown(done))
    else:
        tables.show(done, console)


def _verdict(console: Console, findings: list[str]) -> int:
    for finding in findings:
        console.print(finding, soft_wrap=True)
    count = len(findings)
    print(f"audit: {count} violation{'s' * (count > 1)}" if count else "audit: clean")
    return 1 if findings else 0


def _plain(group: BaseExceptionGroup[Exception]) -> Iterator[Exception]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _plain(error)
        else:
            yield error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a look at whether it runs: a minute")
    parser.add_argument("--rounds", type=int, help="rounds of every loop")
    parser.add_argument("--in-flight", type=int, help="orders under way in a closed loop")
    parser.add_argument("--seconds", type=float, help="measured in each closed loop")
    parser.add_argument("--open-seconds", type=float, help="at each rate of an open loop")
    parser.add_argument("--orders", type=int, help="orders whose histories are counted")
    _add_output(parser)
    commands = parser.add_subparsers(dest="command", title="instead of the contest")
    _add_output(commands.add_parser("show", help="the tables of the last run once more"))
    asking = commands.add_parser("statements", help="what one order asks of PostgreSQL")
    asking.add_argument("--contestant", choices=WITH_DATABASE, default="orderloom")
    asking.add_argument("--orders", type=int, default=10)
    tuning = commands.add_parser(
        "tune",
        help="two settings of one worker against each other",
        description="Options as name=value with commas between: sandbox=false,processes=2; "
        "names in capitals are settings: ORDERLOOM_DATABASE_POOL_SIZE=20.",
    )
    tuning.add_argument("-a", default="", help="options of the first; nothing: as it ships")
    tuning.add_argument("-b", default="", help="options of the second")
    tuning.add_argument("--contestant", choices=list(BY_NAME), default="orderloom")
    _add_load(tuning).add_argument("--rounds", type=int, default=5, help="pairs")
    growing = commands.add_parser("grow", help="the same load beside many open orders")
    growing.add_argument("--open", type=_numbers, default=[1000, 10_000], help="for example 1,9")
    _add_load(growing).add_argument("--rounds", type=int, default=contest.FULL.rounds)
    _add_output(growing)
    imports.add_options(commands.add_parser("import", help="web orders beside an import of many"))
    hot_stock.add_options(commands.add_parser("stock", help="ways to claim what all want"))
    aged.add_options(commands.add_parser("aged", help="beside millions of closed orders"))
    http.add_options(commands.add_parser("http", help="what the HTTP door costs"))
    scans.add_options(commands.add_parser("scans", help="many pickers with scanners at once"))
    screens.add_options(commands.add_parser("screens", help="each page with a million orders"))
    open_pages.add_options(commands.add_parser("open-pages", help="what open pages cost"))
    profiling = _add_load(commands.add_parser("profile", help="where the time of one order goes"))
    profiling.add_argument("--contestant", choices=WITH_DATABASE, default="orderloom")
    _add_output(profiling)
    return parser


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def _add_load(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--in-flight", type=int, default=contest.FULL.in_flight)
    parser.add_argument("--seconds", type=float, default=contest.FULL.seconds)
    return parser


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--markdown", action="store_true", help="tables for a page")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of the results")


if __name__ == "__main__":
    code = main()
    # The client library can abort while the interpreter shuts down; the code must be right.
    sys.stdout.flush()
    os._exit(code)
