"""The way to Temporal for programs that give an answer soon: it ends after some seconds."""

from __future__ import annotations

import asyncio
import re
from typing import Final

from temporalio.client import Client
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.service import RPCError

from domain.errors import Unreachable
from runtime.codec import data_converter
from runtime.discovery import ConnectSettings

CONNECT_SECONDS_MAX: Final = 8.0


async def connect_temporal(place: ConnectSettings, *, lazily: bool = False) -> Client:
    """A client of the Temporal that was found. Raises Unreachable, after some seconds at most.

    Raises InvalidInput where the file of keys cannot be used. `lazily`: it connects with its first
    call, which raises RuntimeError where it cannot.
    """
    address = place.temporal.get("target_host", "")
    converter = data_converter(place.codec_keys)
    # The library's own log would go to standard output, in the middle of an answer in JSON.
    silent = Runtime(telemetry=TelemetryConfig(logging=None))
    try:
        return await asyncio.wait_for(
            Client.connect(
                **place.temporal,
                data_converter=converter,
                runtime=silent,
                lazy=lazily,
            ),
            CONNECT_SECONDS_MAX,
        )
    except TimeoutError:
        reason = f"no answer within {CONNECT_SECONDS_MAX:.0f} s"
    except (RuntimeError, ValueError, RPCError) as error:
        reason = _cause(str(error))
    raise Unreachable(
        f"Temporal at {address} does not answer ({reason}): start it, or correct TEMPORAL_ADDRESS"
    )


def _cause(text: str) -> str:
    """The innermost words of a connection error, which come wrapped in the library's own types."""
    quoted = re.findall(r'(?:message|error): "([^"]+)"', text)
    return quoted[-1] if quoted else text.splitlines()[0]
