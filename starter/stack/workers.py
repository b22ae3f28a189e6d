"""The workers of the stack, and how its programs find its servers."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runtime.settings import load_settings
from starter.stack.postgres import PostgresServer
from starter.stack.program import Program
from starter.stack.temporal import NAMESPACE, TemporalServer

WORKER_COMMAND: Final = (sys.executable, str(Path(__file__).parents[2] / "worker.py"))


@dataclass(frozen=True)
class Worker:
    """One worker process."""

    program: Program

    async def start(self) -> None:
        await self.program.launch()


@asynccontextmanager
async def running_workers(
    home: Path, count: int, command: Sequence[str], environment: Mapping[str, str]
) -> AsyncIterator[list[Worker]]:
    """Some workers, each with a metrics address of its own; stopped at the end."""
    crew = [
        Worker(
            Program(
                name=f"worker-{number}",
                role="worker",
                home=home,
                command=tuple(command),
                environment={**environment, **_metrics_address(number)},
            )
        )
        for number in range(1, count + 1)
    ]
    try:
        for worker in crew:
            await worker.start()
        yield crew
    finally:
        await asyncio.gather(*(worker.program.stop() for worker in crew))


def environment(home: Path, postgres: PostgresServer, temporal: TemporalServer) -> dict[str, str]:
    """How the programs of a stack find its servers."""
    # TEMPORAL_* of the caller, a profile file included, are about other servers.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}
    ui = f"{temporal.ui_url}/namespaces/{NAMESPACE}"
    return {
        "ORDERLOOM_TEMPORAL_UI": ui,
        **kept,
        "TEMPORAL_ADDRESS": temporal.address,
        "TEMPORAL_NAMESPACE": NAMESPACE,
        "TEMPORAL_CONFIG_FILE": os.devnull,
        "DATABASE_URL": postgres.url(),
        "ORDERLOOM_HOME": str(home),
    }


def _metrics_address(worker_number: int) -> dict[str, str]:
    """The address of a worker's metrics: a port of its own, counted up from the setting."""
    address = load_settings().metrics_address
    if address is None:
        return {}
    host, _, port = address.rpartition(":")
    return {"ORDERLOOM_METRICS_ADDRESS": f"{host}:{int(port) + worker_number - 1}"}
