"""`python -m benchmarks` on a few orders: every figure is there, and the books are right."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.e2e.stack import ROOT

SECONDS_MAX = 280


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program to its end."""
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
        encoding="utf-8",
    )


def test_a_quick_run_writes_every_figure_and_ends_with_a_clean_audit(tmp_path: Path) -> None:
    done = bench(
        *("--quick", "--seconds", "0.5", "--open-seconds", "0.5", "--in-flight", "2"),
        *("--orders", "1", "--output", str(tmp_path)),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "audit: clean"
    document = json.loads((tmp_path / "latest.json").read_text(encoding="utf-8"))
    assert document["audit"] == "clean"
    assert document["ratios"]["vs_textbook"] > 0
    assert document["ratios"]["vs_floor"] > 0
    ours, textbook = document["orderloom"], document["textbook"]
    assert ours["orders_per_s"] > 0
    assert ours["actions_per_order"] < textbook["actions_per_order"]
    assert ours["events_per_order"] < textbook["events_per_order"]
    assert len(ours["open_loop"]) == 3
    assert (tmp_path / "latency.png").read_bytes().startswith(b"\x89PNG")


def test_web_orders_are_placed_alone_and_beside_an_import() -> None:
    done = bench(
        *("import", "--orders", "100", "--rounds", "1", "--seconds", "1", "--rate", "3"),
        *("--settle-seconds", "0"),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "audit: clean"
    figures = re.search(r"imported beside them: ([\d.]+) orders/s", done.stdout)
    assert figures is not None
    assert float(figures[1]) > 0


def test_ways_to_claim_hot_stock_are_compared_and_none_oversells() -> None:
    done = bench("stock", "--quick", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    document = json.loads(done.stdout)
    assert document["oversold"] == 0
    ways = ["FOR UPDATE", "conditional", "orderloom, alone", "orderloom"]
    assert [run["way"] for run in document["medians"]] == ways
    assert all(run["orders_per_s"] > 0 for run in document["rounds"])
    assert all(0 < run["rush"]["p50_ms"] <= run["rush"]["p99_ms"] for run in document["rounds"])
    assert document["ratios"]["hot_vs_select_for_update"] > 0


def test_the_same_is_asked_of_an_empty_and_of_an_aged_database() -> None:
    done = bench("aged", "--orders", "200", "--asked", "20")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "200 closed orders" in done.stdout
    asked = ("place", "pick", "list, newest", "search, one customer", "show, with its story")
    assert [name for name in asked if f"│ {name} " not in done.stdout] == []
    assert "× as long: " in done.stdout
