"""`orderloom watch-folder`: orders from files that others put into a folder."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import chain, islice
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from domain.errors import InvalidInput, OrderloomError, Unreachable
from domain.orders.policy import Policy
from domain.words import count_of
from runtime.program import until_signal
from starter.channels.documents import load, read_orders
from starter.channels.marketplace import CHANNEL
from starter.cli.orders.placing import (
    MarketplaceChannel,
    Plan,
    Result,
    counts_of,
    place_records,
    report_of,
)
from starter.cli.terminal.options import Json
from starter.cli.terminal.output import Output, complain

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)

ENDINGS: Final = (".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".txt")
DONE: Final = "done"
REFUSED: Final = "refused"

_TAKEN: Final = ("confirmed", "held", "in_progress")
_ANSWER_WITHIN: Final = timedelta(seconds=10)
_AT_ONCE: Final = 8


class Stuck(InvalidInput):
    """A file that cannot be put away."""


@app.command("watch-folder")
def watch_folder(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where others put files.")],
    every_s: Annotated[
        float, typer.Option("--every", min=0.1, max=3600, help="Seconds between two looks.")
    ] = 2.0,
    once: Annotated[
        bool, typer.Option("--once", help="Take what is there, and end; for a timer.")
    ] = False,
    channel: MarketplaceChannel = CHANNEL,
    as_json: Json = False,
) -> None:
    """Place the orders of each file that comes into a folder, until it is stopped.

    Files end in .json, .jsonl, .ndjson, .csv, .tsv or .txt, and hold what `orderloom place` takes.
    A file is read once it has not changed between two looks. Then it goes into `done`, or, where
    one of its orders was not taken, into `refused`; beside it lies a report with each order's
    answer, NAME.report.json. A file that is put there again repeats nothing. While the database is
    away, files stay where they are.

    Example: `orderloom watch-folder /srv/orders`
    """
    if not folder.is_dir():
        raise InvalidInput("is no folder", where=str(folder))
    out = Output(as_json=as_json)
    if once:
        _once(folder, channel, out)
    else:
        asyncio.run(until_signal(lambda stop: _watch(folder, every_s, channel, out, stop)))


def _once(folder: Path, channel: str, out: Output) -> None:
    taken, stuck = [], 0
    for file in waiting(folder):
        try:
            taken.append(asyncio.run(take(file, channel)))
        except Stuck as error:
            complain(str(error))
            stuck += 1
            continue
        if not out.as_json:
            _say(taken[-1], out)
    if out.as_json:
        out.document({"files": taken})
    if stuck:
        raise InvalidInput(f"{count_of(stuck, 'file')} could not be put away", where=str(folder))


async def _watch(
    folder: Path, every_s: float, channel: str, out: Output, stop: asyncio.Event
) -> None:
    before: dict[Path, tuple[int, int]] = {}
    stuck: dict[Path, tuple[int, int]] = {}
    while not stop.is_set():
        now = {file: _looks(file) for file in waiting(folder)}
        try:
            for file, looks in now.items():
                if before.get(file) == looks != stuck.get(file) and not stop.is_set():
                    try:
                        _say(await take(file, channel), out)
                    except Stuck as error:
                        complain(str(error))
                        stuck[file] = looks
        except OrderloomError as error:
            complain(str(error))
        before = now
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every_s)


def waiting(folder: Path) -> Iterator[Path]:
    """The files in a folder that are to be read, by their names."""
    for file in sorted(folder.iterdir()):
        is_hidden = file.name.startswith(".")
        if file.suffix.lower() in ENDINGS and not is_hidden and file.is_file():
            yield file


async def take(file: Path, channel: str = CHANNEL) -> dict[str, Any]:
    """Place a file's orders, and move it away. Returns its report.

    `channel`: of a marketplace's orders.

    Raises Unreachable where the database does not answer, and Stuck where the file cannot be put
    away: the file stays, and can be taken again.
    """
    results: dict[int, Result] = {}
    fault = ""
    try:
        data = load(str(file))
    except InvalidInput as error:
        fault = str(error)
    else:
        records = read_orders(data, channel=channel)
        some = list(islice(records, 2))
        plan = Plan(Policy(), _AT_ONCE, _ANSWER_WITHIN, bulk=len(some) > 1)
        await place_records(chain(some, records), plan, results.__setitem__)
    found = [results[index] for index in sorted(results)]
    left = [result for result in found if result.outcome == "not_placed"]
    if left:
        raise Unreachable(f"{_named(file)} stays: {left[0].reason}")
    is_done = not fault and all(outcome in _TAKEN for outcome in counts_of(found))
    report = report_of(found, _named(file))
    if fault:
        report["problems"] = [{"file": _named(file), "reason": fault}]
    try:
        _move(file, DONE if is_done else REFUSED, report)
    except OSError as error:
        raise Stuck(
            f"its orders are dealt with, but it cannot be put away ({error.strerror}): mend that, "
            "and put it there again, which repeats nothing",
            where=str(file.with_name(_named(file))),
        ) from None
    return {**report, "folder": DONE if is_done else REFUSED}


def _move(file: Path, to: str, report: dict[str, Any]) -> None:
    """First the report, whole or not at all, and then the file: after a crash it is taken again."""
    there = file.parent / to
    there.mkdir(exist_ok=True)
    name, number = file.name, 1
    while (there / name).exists():
        number += 1
        name = f"{file.stem}.{number}{file.suffix}"
    written = there / f".{name}.report"
    text = json.dumps(report, ensure_ascii=False, indent=2) + "\n"
    written.write_text(text, encoding="utf-8", errors="backslashreplace")
    written.replace(there / f"{name}.report.json")
    file.replace(there / name)


def _named(file: Path) -> str:
    """Its name as it can be shown: signs that are no letters anywhere are written as numbers."""
    return file.name.encode("utf-8", "backslashreplace").decode()


def _looks(file: Path) -> tuple[int, int]:
    try:
        found = file.stat()
    except OSError:  # Somebody has taken it away.
        return (-1, -1)
    return (found.st_size, found.st_mtime_ns)


def _say(report: dict[str, Any], out: Output) -> None:
    if out.as_json:
        out.document(report)
        return
    counts = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in report["summary"].items())
    out.say(f"{report['file']}  {report['folder']}: {counts or 'no order can be read'}")
