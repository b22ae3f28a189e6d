"""`orderloom simulate`: the warehouse, the carriers and the returns desk, played by the program."""

from __future__ import annotations

import asyncio
import signal
import time
from datetime import timedelta
from typing import Annotated, Any, Final

import typer

from starter.cli.terminal.options import Json, read_model
from starter.cli.terminal.output import Output, complain
from starter.service.connection import records
from starter.simulation.simulator import SimulateOptions, SimulationReport
from starter.simulation.simulator import simulate as play

app = typer.Typer(rich_markup_mode="markdown", add_completion=False)

_DEFAULTS: Final = SimulateOptions()
_SPEED: Final = 3600.0
_SECONDS_BETWEEN_LINES: Final = 1.0


@app.command()
def simulate(
    speed: Annotated[
        float,
        typer.Option("--speed", help="How fast time passes: 3600 is an hour in a second."),
    ] = _SPEED,
    seed: Annotated[int, typer.Option("--seed", help="Another number, another story.")] = 1,
    until_idle: Annotated[
        bool, typer.Option("--until-idle", help="End when there is nothing more to do.")
    ] = False,
    idle_after: Annotated[
        float,
        typer.Option("--idle-after", min=0.1, max=3600, help="Seconds of nothing that count."),
    ] = _DEFAULTS.idle_after.total_seconds(),
    short_picks: Annotated[
        float, typer.Option("--short-picks", help="Share of picks that find too little.")
    ] = _DEFAULTS.short_pick_rate,
    lost: Annotated[
        float, typer.Option("--lost", help="Share of parcels that are lost.")
    ] = _DEFAULTS.lost_rate,
    undeliverable: Annotated[
        float, typer.Option("--undeliverable", help="Share of parcels that are brought back.")
    ] = _DEFAULTS.undeliverable_rate,
    repeated_scans: Annotated[
        float, typer.Option("--repeated-scans", help="Share of parcels with a scan sent twice.")
    ] = _DEFAULTS.repeated_scan_rate,
    late_scans: Annotated[
        float, typer.Option("--late-scans", help="Share of parcels with a scan sent too late.")
    ] = _DEFAULTS.late_scan_rate,
    return_missing: Annotated[
        float, typer.Option("--return-missing", help="Share of returns that lack units.")
    ] = _DEFAULTS.return_missing_rate,
    return_scrap: Annotated[
        float, typer.Option("--return-scrap", help="Share of returns that are partly spoilt.")
    ] = _DEFAULTS.return_scrap_rate,
    as_json: Json = False,
) -> None:
    """Play the warehouse, the carriers and the returns desk, until Ctrl-C.

    They report in the same way as real ones would: they pick, pack, hand over, scan, deliver, lose,
    and count what comes back. With --json, a line for each progress; the last one is the result.

    Example: `orderloom simulate --speed 10000 --until-idle`
    """
    content = {
        "speed": speed,
        "seed": seed,
        "until_idle": until_idle,
        "idle_after": timedelta(seconds=idle_after),
        "short_pick_rate": short_picks,
        "lost_rate": lost,
        "undeliverable_rate": undeliverable,
        "repeated_scan_rate": repeated_scans,
        "late_scan_rate": late_scans,
        "return_missing_rate": return_missing,
        "return_scrap_rate": return_scrap,
    }
    options = read_model(SimulateOptions, content, where="simulate")
    asyncio.run(_play(options, Output(as_json=as_json)))


async def _play(options: SimulateOptions, out: Output) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    last_line_at = 0.0

    def told(report: SimulationReport) -> None:
        nonlocal last_line_at
        if out.as_json:
            out.record(report.model_dump())
        elif time.monotonic() - last_line_at >= _SECONDS_BETWEEN_LINES:
            last_line_at = time.monotonic()
            complain(_line(report))

    async with records() as here:
        report = await play(here, options, stop, told=told)
    if out.as_json:
        out.record({**report.model_dump(), "ended": True})
    else:
        out.say(_line(report))


def _line(report: SimulationReport) -> str:
    counts: dict[str, Any] = report.model_dump()
    told = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items() if count)
    return f"simulated: {told or 'nothing to do'}"
