"""Ends what the tests of commands share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.command_line import COPIER


@pytest.fixture(scope="session", autouse=True)
def copier() -> Iterator[None]:
    """Commands are run in copies of one process, which the first of them starts."""
    yield
    COPIER.end()
