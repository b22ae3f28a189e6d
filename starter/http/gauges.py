"""Figures of the queues, the servers and the day, for Prometheus: asked when it asks."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from prometheus_client import CollectorRegistry, Gauge
from starlette.types import ASGIApp, Receive, Scope, Send

from domain.errors import Unreachable
from starter.service.service import Service

_FRESH_S: Final = 5.0
"""Two who ask within this time are told the same."""


class Gauges:
    """How things are. What a server that is away would have told is left out."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, told: str, *labels: str) -> Gauge:
            return Gauge(f"orderloom_{name}", told, labels, registry=registry)

        self._up = gauge("server_up", "1: the server answers.", "server")
        self._wait = gauge("queue_wait_seconds", "For how long the oldest one waits.", "queue")
        self._size = gauge("queue_size", "How many there are, 10,000 at most.", "queue")
        self._trip = gauge(
            "postgresql_round_trip_seconds", "How long PostgreSQL takes to answer nothing."
        )
        self._pool = gauge("postgresql_connections", "Of this program's pool.", "state")
        self._workers = gauge("workers", "Workers that have asked Temporal for tasks lately.")
        self._standing = gauge(
            "standing", "How much there was when today was counted last.", "figure"
        )
        self._age = gauge("figures_age_seconds", "Since the day's figures were counted.")
        self._asked_at = -_FRESH_S
        self._asking = asyncio.Lock()

    async def ask(self, here: Service) -> None:
        """Ask the servers, unless somebody has just done so."""
        async with self._asking:
            if time.monotonic() - self._asked_at < _FRESH_S:
                return
            look = await here.queues.look()
            for gauge in (self._wait, self._size, self._standing):
                gauge.clear()
            self._up.labels("postgresql").set(look.waits is not None)
            self._up.labels("temporal").set(look.backlog is not None)
            self._pool.labels("used").set(look.connections.used)
            self._pool.labels("most").set(look.connections.most)
            self._trip.set((look.round_trip_us or 0) / 1_000_000)
            self._workers.set(0 if look.backlog is None else look.backlog.workers)
            if look.backlog is not None:
                self._wait.labels("temporal").set(look.backlog.wait_s)
                self._size.labels("temporal").set(look.backlog.tasks)
            if look.waits is not None and look.sizes is not None:
                for name, seconds in look.waits._asdict().items():
                    self._wait.labels(name.removesuffix("_wait")).set(seconds)
                for name, size in look.sizes._asdict().items():
                    self._size.labels(name).set(size)
                await self._day(here)
            self._asked_at = time.monotonic()

    async def _day(self, here: Service) -> None:
        try:
            figures, age_s = await here.days.standing()
        except Unreachable:
            return
        for name, value in figures.items():
            self._standing.labels(name).set(value)
        self._age.set(age_s)


class AskingFirst:
    """An application before which the servers are asked."""

    def __init__(self, app: ASGIApp, gauges: Gauges, here: Service) -> None:
        self._app = app
        self._gauges = gauges
        self._here = here

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            await self._gauges.ask(self._here)
        await self._app(scope, receive, send)
