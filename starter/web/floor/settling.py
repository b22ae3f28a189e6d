"""What runs of scans have left to be recorded, recorded by the server itself.

The page of a run asks for that until all is recorded. Where it was closed, or the server ended in
between, nobody asks any more.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Final

from starter.service.floor import LEFT_FOR, Floor

logger = logging.getLogger("orderloom.floor")

_PAUSE_S: Final = LEFT_FOR.total_seconds()


async def settle_runs(floor: Floor, stop: asyncio.Event) -> None:
    """Do that until `stop` is set."""
    while not stop.is_set():
        try:
            await settle_once(floor)
        except Exception as defect:  # noqa: BLE001 - what stands still here stops no other answer
            _tell(defect)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _PAUSE_S)


async def settle_once(floor: Floor) -> None:
    """Do it for all runs of this moment. One that fails keeps no other one waiting."""
    for run_no in await floor.left_over():
        try:
            await floor.settle(run_no)
        except Exception as defect:  # noqa: BLE001 - it is tried again
            _tell(defect)


def _tell(defect: Exception) -> None:
    # A message may quote a customer.
    logger.error("runs are not recorded for a moment: %s", type(defect).__name__)
