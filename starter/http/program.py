"""The HTTP door as a program, with its servers behind it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Collection
from typing import Final

from temporalio.client import Client
from temporalio.service import RPCError

from domain.errors import Unreachable
from runtime.discovery import connect_settings
from runtime.logs import configure_logging
from runtime.settings import load_settings
from runtime.temporal import connect_temporal
from starter.http.app import application
from starter.http.front import Limits
from starter.http.health import Health, Look
from starter.http.metrics import Metrics
from starter.listening.server import serve as listen
from starter.service.connection import database
from store.database import Pool
from store.schema_version import check

_CONNECTIONS: Final = 10
_METRICS_AT_ONCE: Final = 20


async def serve(
    listening: socket.socket,
    stop: asyncio.Event,
    *,
    metrics: socket.socket | None,
    proxies: Collection[str],
    at_once: int,
    ready: Callable[[str], None],
) -> None:
    """Answer until `stop` is set. Raises Unreachable where PostgreSQL is away at the start.

    `ready` is called with the address once clients can connect. `metrics`: where Prometheus asks.
    """
    settings = load_settings()
    configure_logging(settings)
    temporal = await connect_temporal(connect_settings(settings.home), lazily=True)
    async with database(settings=settings, connections=_CONNECTIONS) as pool:
        looks = Health({"postgresql": _asks_postgres(pool)}, {"temporal": _asks_temporal(temporal)})
        figures = Metrics()
        app = application(looks, limits=Limits(), metrics=figures)
        ready(_url(listening))  # clients can connect from here on, and wait for the first answer
        async with asyncio.TaskGroup() as serving:
            if metrics is not None:
                told = figures.application()
                serving.create_task(listen(told, metrics, stop, at_once=_METRICS_AT_ONCE))
            serving.create_task(
                listen(app, listening, stop, at_once=at_once, trusted_proxies=proxies)
            )


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _asks_postgres(pool: Pool) -> Look:
    async def ask() -> None:
        async with pool.acquire() as conn:
            await check(conn)

    return ask


def _asks_temporal(temporal: Client) -> Look:
    async def ask() -> None:
        try:
            await temporal.service_client.check_health()
        except (RPCError, RuntimeError) as error:
            raise Unreachable(f"Temporal does not answer ({error})") from error

    return ask
