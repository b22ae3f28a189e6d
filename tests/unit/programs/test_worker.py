"""The worker as a program: how it refuses to start, and what its log lines carry."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from temporalio import activity
from temporalio.testing import ActivityEnvironment

from runtime.logs import configure_logging
from runtime.settings import Settings
from worker import main

PROGRAM = Path(__file__).parents[3] / "worker.py"
OURS = ("ORDERLOOM_", "TEMPORAL_", "DATABASE_URL")


def run_worker(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the program to its end with this environment and no other settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return subprocess.run(
        [sys.executable, str(PROGRAM)],
        env={**kept, **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        encoding="utf-8",
    )


def test_bad_settings_end_it_with_2_and_a_sentence_that_names_each(tmp_path: Path) -> None:
    ended = run_worker(
        tmp_path,
        ORDERLOOM_DATABASE_POOL_SIZE="lots",
        ORDERLOOM_LOG_LEVEL="loud",
        DATABASE_URL="postgresql://orders:secret@db/orders",
    )
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith("worker: environment: ")
    assert "ORDERLOOM_DATABASE_POOL_SIZE" in line
    assert "ORDERLOOM_LOG_LEVEL" in line
    assert "secret" not in ended.stderr + ended.stdout


def test_without_a_database_it_ends_with_3_and_says_how_to_name_one(tmp_path: Path) -> None:
    ended = run_worker(tmp_path)
    assert ended.returncode == 3
    assert ended.stderr.startswith("worker: DATABASE_URL is not set")
    assert "postgresql://" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.fixture
def root_logger() -> Iterator[None]:
    """Log handlers are put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


DATABASE = "postgresql://localhost:1/nowhere"


@pytest.mark.parametrize(
    ("environment", "code", "named"),
    [
        ({"DATABASE_URL": DATABASE}, 3, "TEMPORAL_ADDRESS"),
        ({"DATABASE_URL": DATABASE, "TEMPORAL_PROFILE": "nowhere"}, 2, "Temporal's configuration"),
        ({"DATABASE_URL": "nonsense", "TEMPORAL_ADDRESS": "127.0.0.1:1"}, 2, "DATABASE_URL"),
        ({"DATABASE_URL": "postgresql://x:y/z", "TEMPORAL_ADDRESS": "h:1"}, 2, "DATABASE_URL"),
        (
            {
                "DATABASE_URL": DATABASE,
                "TEMPORAL_ADDRESS": "127.0.0.1:1",
                "ORDERLOOM_CODEC_KEYS": "no-such-file",
            },
            2,
            "no-such-file: cannot be read (No such file or directory)",
        ),
    ],
    ids=["no address", "no such profile", "no url", "no port", "no keys"],
)
@pytest.mark.usefixtures("root_logger")
def test_what_waiting_cannot_mend_ends_it_at_once(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    environment: dict[str, str],
    code: int,
    named: str,
) -> None:
    for name in list(os.environ):
        if name.startswith(OURS):
            monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    assert main() == code
    said = capsys.readouterr().err
    assert named in said
    assert "Traceback" not in said


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The lines on standard error; on standard output there is nothing."""
    captured = capsys.readouterr()
    assert captured.out == ""
    return [json.loads(line) for line in captured.err.splitlines()]


@pytest.mark.usefixtures("root_logger")
def test_a_line_of_an_activity_carries_the_order_the_step_and_the_attempt(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging(Settings())
    environment = ActivityEnvironment()
    environment.info = dataclasses.replace(
        environment.info, workflow_id="order:web-1001", activity_type="ship", attempt=3
    )
    environment.run(lambda: activity.logger.info("label bought", extra={"parcel": "web-1001:1"}))
    (line,) = logged(capsys)
    assert line["event"].startswith("label bought")
    assert (line["order_id"], line["step"], line["attempt"]) == ("web-1001", "ship", 3)
    assert line["parcel"] == "web-1001:1"
    assert line["level"] == "info"
    assert line["timestamp"].endswith("Z")


@pytest.mark.usefixtures("root_logger")
def test_a_line_of_a_workflow_carries_the_order(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings())
    task = {"workflow_id": "order:web-1001", "workflow_type": "Order", "attempt": 1}
    logging.getLogger("temporalio.workflow").warning("slow", extra={"temporal_workflow": task})
    (line,) = logged(capsys)
    assert (line["order_id"], line["step"]) == ("web-1001", "Order")
    assert "temporal_workflow" not in line


@pytest.mark.usefixtures("root_logger")
def test_an_exception_stays_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings())
    try:
        raise ConnectionError("the database is away")
    except ConnectionError:
        logging.getLogger("orderloom.worker").exception("relay paused")
    (line,) = logged(capsys)
    assert line["event"] == "relay paused"
    assert "ConnectionError: the database is away" in line["exception"]


@pytest.mark.usefixtures("root_logger")
def test_lines_below_the_level_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings(log_level="warning"))
    logging.getLogger("orderloom.worker").info("ready")
    logging.getLogger("orderloom.worker").warning("PostgreSQL does not answer yet")
    assert [line["event"] for line in logged(capsys)] == ["PostgreSQL does not answer yet"]


@pytest.mark.usefixtures("root_logger")
def test_people_can_read_the_console_format(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings(log_format="console"))
    logging.getLogger("orderloom.worker").info("ready")
    assert "ready" in capsys.readouterr().err
