"""Retries of the library that the product uses, as the product uses it."""

from __future__ import annotations

import subprocess
import sys

RETRIES_ONCE = """
from runtime.retries import retry_context
for attempt in retry_context(on=ValueError, attempts=2, wait_initial=0, wait_jitter=0):
    with attempt:
        if attempt.num == 1:
            raise ValueError("with a customer's name")
print("answer", attempt.num)
"""


def test_a_retry_writes_nothing_into_what_a_command_answers() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", RETRIES_ONCE],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    assert (ended.stdout, ended.stderr) == ("answer 2\n", "")
