"""Faults put into the workflow on purpose, to see that the simulator finds them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any, Final
from unittest.mock import patch

from temporalio import workflow

from workflows.chapters.authorizations import OrderAuthorizations
from workflows.chapters.backorders import OrderBackorders
from workflows.chapters.payments import OrderPayments
from workflows.engine import steps
from workflows.state.fulfilment import Fulfilment


async def _not_voided(self: OrderAuthorizations, why: str) -> None:
    """The authorization stands on after the order has ended."""
    del self, why


def _whatever_is_owed(self: OrderAuthorizations, fulfilment: Fulfilment) -> timedelta:
    """As it was: the end of an authorization ends the wait, also where nothing is to be charged."""
    until = self._book.can_be_charged_until(fulfilment)
    if until is None or self._policy.charge != "at_shipment":
        return timedelta.max
    return max(until - workflow.now(), timedelta(seconds=1))


class _NeverCharging(OrderPayments):
    """Looks as if nothing were being charged."""

    @property
    def _charging(self) -> int:
        return 0

    @_charging.setter
    def _charging(self, count: int) -> None:
        del count


async def _waits_for_ever(self: OrderBackorders, until: Any) -> bool:
    """What never comes is waited for without an end."""
    del until
    return await _COME(self, workflow.now() + timedelta(days=3000))


_COME: Final = OrderBackorders._come

PLANTS: Final[dict[str, tuple[tuple[Any, str, Any], ...]]] = {
    "release forgotten": ((OrderAuthorizations, "void", _not_voided),),
    "refund before its charge": ((OrderPayments, "_charging", _NeverCharging._charging),),
    "wait without bound": ((OrderBackorders, "_come", _waits_for_ever),),
    # The first fault that simulated lives found, and the bound that now brings its kind to light.
    "spin": (
        (OrderAuthorizations, "time_left", _whatever_is_owed),
        (steps, "EARLY_ENDS_MAX", 10**9),
    ),
}


@contextmanager
def planted(name: str | None) -> Iterator[None]:
    """Inside, the workflow has this fault."""
    with ExitStack() as stack:
        for where, what, instead in PLANTS[name] if name else ():
            # What each object sets for itself is no attribute of its class yet.
            own = isinstance(instead, property)
            stack.enter_context(patch.object(where, what, instead, create=own))
        yield
