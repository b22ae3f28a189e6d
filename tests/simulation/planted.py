"""Faults put into the workflow on purpose, to see that the simulator finds them."""

from __future__ import annotations

import asyncio
import inspect
import sys
import textwrap
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from types import CodeType, FunctionType
from typing import Any, Final
from unittest.mock import patch

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from domain.orders import charges
from domain.orders.quantities import LineId, LineUnits
from workflows.chapters.authorizations import OrderAuthorizations
from workflows.chapters.backorders import OrderBackorders
from workflows.chapters.fulfilments import OrderFulfilments
from workflows.chapters.holds import OrderHolds
from workflows.chapters.payments import OrderPayments
from workflows.chapters.refunds import OrderRefunds
from workflows.chapters.returns import OrderReturns
from workflows.chapters.sending import StageLimits
from workflows.engine import steps
from workflows.engine.attention import ParkedSteps
from workflows.purchase_order import PurchaseOrderWorkflow
from workflows.state.fulfilment import Fulfilment
from workflows.state.order_book import OrderBook


async def _not_voided(self: OrderAuthorizations, why: str) -> None:
    """The authorization stands on after the order has ended."""
    del self, why


def _no_patience(self: StageLimits) -> timedelta:
    """The wait for the warehouse ends at once, whatever is left of the stage's time."""
    del self
    return timedelta(seconds=1)


async def _never_late(self: StageLimits) -> str | None:
    """Nobody is told that a stage takes too long."""
    del self
    return None


async def _nothing_is_done(self: OrderPayments, fulfilment: Fulfilment) -> None:
    """It is told that the money does not hold, and waits again."""
    del self, fulfilment


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


def _nothing_is_paid(paid: int, line_id: LineId, units: int, older: Iterable[LineUnits]) -> int:
    """What is sent in place of lost units counts as not paid for."""
    del paid, line_id, units, older
    return 0


async def _left_uncharged(self: OrderPayments, fulfilment: Fulfilment, due_minor: int) -> None:
    """A parcel left, and nobody pays for it."""
    del self, fulfilment, due_minor


def _nothing_to_take_up(self: Any, *found: Any) -> None:
    """Of what an earlier run has left, the next one knows nothing."""
    del self, found


async def _no_attention_to_take_up(self: ParkedSteps, *attention: Any) -> None:
    """What needs a person is listed, and nobody takes it from the list."""
    del self, attention


async def _no_hold_to_take_up(self: OrderHolds, count: int, *, is_held: bool) -> None:
    """The next run does not know that it is held."""
    del is_held
    self.numbered = count


async def _in_the_background(self: PurchaseOrderWorkflow) -> None:
    """The order can end before the cancellation has its answer."""
    vars(self)["background"] = asyncio.create_task(_CANCELLED_IN_UI(self))


_CANCELLED_IN_UI: Final = PurchaseOrderWorkflow.cancelled_in_ui


def _rewritten(owner: type, name: str, old: str, new: str) -> tuple[type, str, Any]:
    """A method with one piece of its text changed, where the fault is in the middle of it."""
    method = getattr(owner, name)
    source = textwrap.dedent(inspect.getsource(method))
    assert source.count(old) == 1, f"{owner.__name__}.{name} has changed: {old!r} is not there once"
    text = compile(source.replace(old, new), f"<planted {name}>", "exec")
    codes = [each for each in text.co_consts if isinstance(each, CodeType)]
    (code,) = (each for each in codes if each.co_name == name)
    changed = FunctionType(code, vars(sys.modules[owner.__module__]), name, method.__defaults__)
    changed.__kwdefaults__ = method.__kwdefaults__
    return owner, name, changed


PLANTS: Final[dict[str, tuple[tuple[Any, str, Any], ...]]] = {
    "release forgotten": ((OrderAuthorizations, "void", _not_voided),),
    "charge forgotten": ((OrderPayments, "charge", _left_uncharged),),
    "refund before its charge": ((OrderPayments, "_charging", _NeverCharging._charging),),
    "wait without bound": ((OrderBackorders, "_come", _waits_for_ever),),
    # The first fault that simulated lives found, and the bound that now brings its kind to light.
    "spin": (
        (StageLimits, "within", _no_patience),
        (StageLimits, "overdue", _never_late),
        (steps, "EARLY_ENDS_MAX", 10**9),
    ),
    "unpaid, and nothing done": ((OrderPayments, "ensure_paid_for", _nothing_is_done),),
    "cancelled against the supplier's no": (
        _rewritten(
            PurchaseOrderWorkflow,
            "be_cancelled",
            "raise refused(self.why(error)) from error",
            "workflow.logger.warning(self.why(error))",
        ),
    ),
    # Faults that lives found and that were mended. A life in seeds/ finds each of them again.
    "a renewal that may have happened is forgotten": (
        _rewritten(
            OrderAuthorizations,
            "_hold",
            "something = bool(part or edit or amount.minor)",
            "something = bool(amount.minor and not part)",
        ),
    ),
    "a time-out that is read from the history is not known": (
        (steps, "STEP_FAILURES", (ActivityError, ApplicationError)),
    ),
    "a replacement is charged": ((charges, "_share", _nothing_is_paid),),
    # What a next run could forget of where its rows say that the order stands.
    "next run: an owed refund": ((OrderRefunds, "take_up", _nothing_to_take_up),),
    "next run: an approved return": ((OrderReturns, "take_up", _nothing_to_take_up),),
    "next run: what needs a person": ((ParkedSteps, "take_up", _no_attention_to_take_up),),
    "next run: a hold": ((OrderHolds, "take_up", _no_hold_to_take_up),),
    "next run: the charge of a parcel that left": (
        _rewritten(
            OrderFulfilments,
            "_go",
            "charged = self._payments.charge(fulfilment, fulfilment.due_minor)",
            "charged = self._payments.charge(fulfilment, 0)",
        ),
    ),
    "next run: the charge of a parcel that has arrived": (
        _rewritten(
            OrderFulfilments,
            "_go",
            "await self._payments.charge(fulfilment, fulfilment.due_minor)",
            "pass",
        ),
    ),
    "next run: a fulfilment that was stopped": (
        _rewritten(OrderFulfilments, "_go", "await self._carry_on_recalled(fulfilment)", "pass"),
    ),
    "next run: the round of a backorder": (
        _rewritten(OrderBook, "take_up", "self.round = state.round", "self.round = 1"),
    ),
    "next run: what is authorized": (
        _rewritten(OrderBook, "take_up", "self.authorized = state.authorized", ""),
    ),
    "next run: that it was charged ahead": (
        _rewritten(
            OrderPayments,
            "take_up",
            'self.charged = state.prepaid == "charged"',
            "self.charged = False",
        ),
    ),
    "goes on without having been held": (
        _rewritten(OrderPayments, "_waits_no_more", "if self._held:", "if True:"),
    ),
    "end before an answer": ((PurchaseOrderWorkflow, "cancelled_in_ui", _in_the_background),),
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
