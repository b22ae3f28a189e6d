"""The way to the servers for a worker: it waits for them as long as it takes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, TypeVar
from urllib.parse import urlsplit

from temporalio.client import Client
from temporalio.envconfig import ClientConfig

from domain.errors import InvalidInput, Unreachable
from runtime.codec import data_converter
from runtime.settings import Settings
from runtime.telemetry import core_runtime

T = TypeVar("T")

logger = logging.getLogger("orderloom.worker")

WAIT_FOR_SERVERS_S: Final = 2.0


def database_address(settings: Settings) -> str:
    """Where the database is. An address that waiting cannot mend is refused here."""
    url = settings.database_url
    if url is None:
        raise Unreachable("DATABASE_URL is not set: postgresql://user:password@host:port/database")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("postgres", "postgresql") and parts.port != 0
    except ValueError:
        usable = False
    if not usable:  # it may hold a password: not repeated here
        raise InvalidInput(
            "must be postgresql://user:password@host:port/name", where="DATABASE_URL"
        )
    return url


def temporal_connection(settings: Settings) -> Callable[[], Awaitable[Client]]:
    """How to connect to Temporal. A configuration that waiting cannot mend is refused here."""
    try:
        config = ClientConfig.load_client_connect_config()
    except (RuntimeError, OSError, ValueError) as error:
        raise InvalidInput(str(error), where="Temporal's configuration") from error
    if not config.get("target_host"):
        raise Unreachable("TEMPORAL_ADDRESS is not set: host:port of a Temporal server")
    converter = data_converter(settings.codec_keys)
    core = core_runtime(settings)
    return lambda: Client.connect(**config, data_converter=converter, runtime=core)


async def until_there(
    connect: Callable[[], Awaitable[T]],
    server: str,
    stop: asyncio.Event,
    *,
    faults: tuple[type[Exception], ...],
) -> T | None:
    """Connect, however long the server takes to be there. None when told to stop meanwhile.

    `faults`: how a server that is not there yet shows. The pause ends with `stop`, which no
    library's retries can do.
    """
    while not stop.is_set():
        try:
            return await connect()
        except faults as fault:
            logger.warning("%s does not answer yet: %s", server, fault)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), WAIT_FOR_SERVERS_S)
    return None
