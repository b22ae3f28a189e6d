"""The HTTP door as a program, with its servers behind it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Collection, Coroutine
from contextlib import aclosing
from typing import Any, Final

import uvloop

from runtime.extensions import pay_pages
from runtime.logs import configure_logging
from runtime.program import settle
from runtime.settings import load_settings
from starter.http.app import application
from starter.http.cursors import Cursors
from starter.http.front import Limits
from starter.http.health import Health
from starter.http.metrics import Metrics
from starter.jobs.host import work_on_jobs
from starter.listening.server import serve as listen
from starter.service.connection import service
from starter.service.pay_pages import CompanyPages
from starter.web.floor.settling import settle_runs
from starter.web.screens.openid import OpenId

_CONNECTIONS: Final = 10
_METRICS_AT_ONCE: Final = 20


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run the program. uvloop answers more requests in the same time than Python's own loop."""
    uvloop.run(main)


async def serve(
    listening: socket.socket,
    stop: asyncio.Event,
    *,
    metrics: socket.socket | None,
    proxies: Collection[str],
    origins: Collection[str],
    at_once: int,
    ready: Callable[[str], None],
) -> None:
    """Answer until `stop` is set. Raises Unreachable where PostgreSQL is away at the start.

    `ready` is called with the address once clients can connect. `metrics`: where Prometheus asks.
    `proxies`: whose forwarded headers are believed. `origins`: whose pages may ask.
    """
    settings = load_settings()
    configure_logging(settings)
    # Without an address of our own nobody could come back from a company's page.
    companies = CompanyPages(pay_pages() if settings.pages_url else {}, settings.pages_url)
    async with (
        aclosing(companies),
        service(connections=_CONNECTIONS, temporal_may_be_away=True) as here,
    ):
        looks = Health({"postgresql": here.check_schema}, {"temporal": here.check_temporal})
        cursors = Cursors(await here.access.signing_secret("cursors"))
        figures = Metrics()
        app = application(
            *(here, looks, cursors),
            limits=Limits(),
            metrics=figures,
            origins=origins,
            tracking_urls=settings.tracking_urls,
            pay_pages=companies,
            openid=None if settings.openid.issuer is None else OpenId(settings.openid),
            temporal_ui=settings.temporal_ui,
            stop=stop,
        )
        settle()
        ready(_url(listening))  # clients can connect from here on, and wait for the first answer
        async with asyncio.TaskGroup() as serving:
            serving.create_task(work_on_jobs(stop))
            serving.create_task(settle_runs(here.floor, stop))
            if metrics is not None:
                told = figures.application(here)
                serving.create_task(listen(told, metrics, stop, at_once=_METRICS_AT_ONCE))
            serving.create_task(
                listen(app, listening, stop, at_once=at_once, trusted_proxies=proxies)
            )


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
