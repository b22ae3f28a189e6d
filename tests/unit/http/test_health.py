"""Which server is away, and what that means."""

from __future__ import annotations

import asyncio

import pytest

from domain.errors import Unreachable
from starter.http import health
from starter.http.health import Health


async def answers() -> None:
    """A server that is there."""


async def is_away() -> None:
    raise Unreachable("10.1.2.3:5432, PostgreSQL 16.2, does not answer: start it")


async def stalls() -> None:
    await asyncio.sleep(60)


@pytest.mark.parametrize(
    ("postgresql", "temporal", "status"),
    [
        (answers, answers, "ready"),
        (answers, is_away, "degraded"),
        (answers, stalls, "degraded"),
        (is_away, answers, "away"),
        (stalls, stalls, "away"),
    ],
)
async def test_orders_are_taken_as_long_as_the_database_answers(
    postgresql: health.Look,
    temporal: health.Look,
    status: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(health, "WITHIN_S", 0.05)
    found = await Health({"postgresql": postgresql}, {"temporal": temporal}).look()
    assert found.status == status
    told = {state.server: (state.answers, state.reason) for state in found.servers}
    for name, look in (("postgresql", postgresql), ("temporal", temporal)):
        assert told[name][0] is (look is answers)
        assert (told[name][1] is None) is (look is answers)
    if is_away in (postgresql, temporal):
        assert "it does not answer" in {reason for _, reason in told.values()}
        assert "10.1.2.3" not in found.model_dump_json()
        assert "10.1.2.3" in caplog.text
