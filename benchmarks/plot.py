"""Placement latency against rate, as a picture."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from benchmarks.results import Results

FILE = "latency.png"


def draw(results: Results, folder: Path) -> Path:
    """Write the picture to `folder`, and return the file."""
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for number, (name, entry) in enumerate(results.entries.items()):
        if not entry.open_loop:
            continue
        rates = [load.orders_per_s for load in entry.open_loop]
        for label, style, latencies in (
            ("p50", "o-", [load.p50_ms for load in entry.open_loop]),
            ("p99", "s--", [load.p99_ms for load in entry.open_loop]),
        ):
            axes.plot(rates, latencies, style, color=f"C{number}", label=f"{name}, {label}")
    axes.set_xlabel("orders placed per second (25, 50 and 75 % of what each reaches)")
    axes.set_ylabel("from the scheduled time to the decision, ms")
    axes.set_title(f"Placement latency, {results.machine.cores} cores, {results.at:%Y-%m-%d}")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend()
    file = folder / FILE
    figure.savefig(file, dpi=120)
    return file
