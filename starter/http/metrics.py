"""Figures of the HTTP door for Prometheus. A label is a route, never a path: paths name orders."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, make_asgi_app
from starlette.types import ASGIApp

from starter.http.gauges import AskingFirst, Gauges
from starter.service.service import Service

_SECONDS: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)


class Metrics:
    """Requests by method, route and status, how long they took, and how many are under way."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._gauges = Gauges(self._registry)
        self.under_way = Gauge(
            "orderloom_http_requests_under_way",
            "Requests that are being answered.",
            registry=self._registry,
        )
        self._answered = Counter(
            "orderloom_http_requests",
            "Requests that were answered.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "orderloom_http_request_seconds",
            "Seconds from a request's head to the end of its answer.",
            ("method", "route"),
            buckets=_SECONDS,
            registry=self._registry,
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answer."""
        self._answered.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def application(self, here: Service | None = None) -> ASGIApp:
        """What answers Prometheus. It belongs on an address that only Prometheus reaches.

        `here`: what is asked about queues, servers and the day; None: only requests are told.
        """
        application: ASGIApp = make_asgi_app(registry=self._registry)
        return application if here is None else AskingFirst(application, self._gauges, here)
