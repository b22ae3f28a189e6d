"""How the sandbox companies misbehave, and the one way in to what they keep.

The three faults are the ways in which a remote call really fails: refused at the door, lost on the
way there, and lost on the way back after the work was done. Only the last two look alike to the
caller, which is why Stripe's guide "Advanced error handling" has callers treat a lost connection
and a 5xx as indeterminate and repeat the call with the same idempotency key.

Faults are set with `store.sandbox.companies.set_fault`, at any time and from any process.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import TypeVar

from activities.provider_errors import TimedOut, Unavailable
from store.database import Connection, Pool
from store.sandbox import companies
from store.sandbox.companies import FaultKind

T = TypeVar("T")


class Faults:
    """Runs a company's operations, each with the faults that are set for it."""

    def __init__(self, pool: Pool, provider: str, random: Random, timeout_seconds: float) -> None:
        self._pool = pool
        self._provider = provider
        self._random = random
        self._timeout_seconds = timeout_seconds

    async def run(self, operation: str, effect: Callable[[Connection], Awaitable[T]]) -> T:
        """Run `effect`, which stores its result, unless a fault prevents it or hides its answer.

        Raises Unavailable or TimedOut for a fault, and Unavailable when the company's own database
        is out of reach. No connection is held while a time-out passes.
        """
        try:
            async with self._pool.acquire() as connection:
                roll = self._random.random()
                fault = await companies.draw_fault(connection, self._provider, operation, roll)
                if fault is None:
                    return await effect(connection)
                if fault is FaultKind.TIMEOUT_AFTER:
                    await effect(connection)
        except companies.NOT_HERE as error:
            raise Unavailable(
                "this database has no sandbox companies: make them by `orderloom setup --sandbox`, "
                f"or name a real company instead of the sandbox {self._provider} provider"
            ) from error
        except companies.CONNECTION_LOST as error:
            raise Unavailable(
                f"the sandbox {self._provider} provider lost its database during {operation}: "
                f"{error}"
            ) from error
        if fault is FaultKind.UNAVAILABLE:
            raise Unavailable(f"the sandbox {self._provider} provider answers 503 to {operation}")
        await asyncio.sleep(self._timeout_seconds)
        raise TimedOut(
            f"the sandbox {self._provider} provider did not answer {operation} "
            f"within {self._timeout_seconds} s"
        )
