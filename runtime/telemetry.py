"""The metrics and logs of the Temporal client library."""

from __future__ import annotations

import logging
from typing import Final

from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)

from domain.errors import InvalidInput
from runtime.settings import Settings

# The library's log goes where our own goes.
_LOG: Final = LoggingConfig(
    TelemetryFilter(core_level="WARN", other_level="ERROR"),
    forwarding=LogForwardingConfig(logging.getLogger("temporalio")),
)


def core_runtime(settings: Settings) -> Runtime:
    """What the client library's own threads run in. Left alone, it would log to standard output."""
    address = settings.metrics_address
    metrics = PrometheusConfig(bind_address=address) if address else None
    try:
        return Runtime(telemetry=TelemetryConfig(logging=_LOG, metrics=metrics))
    except (RuntimeError, ValueError) as error:
        raise InvalidInput(str(error), where="ORDERLOOM_METRICS_ADDRESS") from error
