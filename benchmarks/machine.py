"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

import psutil
from pydantic import BaseModel, ConfigDict
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.client import Client

from store.database import Pool


class Machine(BaseModel):
    """Hardware and versions."""

    model_config = ConfigDict(frozen=True)

    processor: str
    cores: int
    memory_gb: float
    system: str
    python: str
    temporal_sdk: str
    temporal_server: str
    postgresql: str

    def sentence(self) -> str:
        """In one line."""
        return (
            f"{self.cores} cores of {self.processor}, {self.memory_gb:.0f} GB, {self.system}, "
            f"Python {self.python}, Temporal {self.temporal_server} (SDK {self.temporal_sdk}), "
            f"PostgreSQL {self.postgresql}"
        )


async def describe(client: Client, pool: Pool) -> Machine:
    """This machine, and the servers that run on it."""
    info = await client.workflow_service.get_system_info(GetSystemInfoRequest())
    async with pool.acquire() as conn:
        postgresql = str(await conn.fetchval("SHOW server_version"))
    return Machine(
        processor=_processor(),
        cores=_cores(),
        memory_gb=round(psutil.virtual_memory().total / 1e9, 1),
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        temporal_sdk=version("temporalio"),
        temporal_server=info.server_version,
        postgresql=postgresql,
    )


def _cores() -> int:
    """Those that this process may use, where the system tells."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"
