"""The demo's customers: some cancel, at every stage, and some send goods back.

They send signals to their orders, as anybody can with the `temporal` program. To catch an order at
a given stage, the warehouse or the carrier waits for it until its answer is known.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any, Final, Literal, TypeVar

from temporalio.client import Client

from domain import ids
from domain.orders.order import Order
from starter.service.orders import Orders
from starter.simulation.simulator import Step
from store.views.reads import OrderSummary
from workflows.order import OrderWorkflow

T = TypeVar("T")

CancelStage = Literal["before picking", "picked", "packed", "labelled", "handed over"]

STAGES: Final[dict[CancelStage, Step]] = {
    "before picking": "pick",
    "picked": "pack",
    # The warehouse does not wait: a packed parcel only waits for its label, a slow one.
    "packed": "pack",
    "labelled": "handover",
    "handed over": "carry",
}
"""The step that waits, to catch an order at a stage."""

SLOW_SERVICE: Final = "slow"
"""The sandbox carrier is slow with labels of this service."""

FINAL: Final = ("rejected", "cancelled", "closed")
_ARRIVED: Final = ("delivered", *FINAL)

_ALL: Final = 10_000
_LOOK_S: Final = 0.5
_POLL_S: Final = 0.25
_AT_MOST_S: Final = 500.0


class TookTooLong(Exception):
    """An event that had to happen did not."""


@dataclass
class Cancellation:
    """A customer who cancels the order, or only one of its lines."""

    order_id: str
    stage: CancelStage
    line_id: str | None
    outcome: str = "not asked"
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    over: bool = False


@dataclass
class ReturnWish:
    """A customer who sends the order back, or only one unit of its first line."""

    order_id: str
    line_id: str | None
    outcome: str = "not asked"


@dataclass(frozen=True)
class Script:
    """The plan of the customers' actions."""

    cancellations: dict[str, Cancellation]
    returns: dict[str, ReturnWish]

    def wishes(self) -> Iterator[Cancellation | ReturnWish]:
        """All of them."""
        yield from self.cancellations.values()
        yield from self.returns.values()

    def holds(self, step: Step, part_id: str) -> bool:
        """Whether a step must wait; notes that the step was reached."""
        wish = self.cancellations.get(ids.order_of(part_id))
        if wish is None or wish.over or STAGES[wish.stage] != step:
            return False
        wish.reached.set()
        return wish.stage != "packed"


def write_script(orders: Sequence[Order], *, cancellations: int, returns: int) -> Script:
    """Choose customers, spread over the orders and over all stages.

    Every third cancels only one line.
    """
    wanted = cancellations + returns
    every = max(1, len(orders) // wanted) if wanted else 1
    chosen = list(orders)[::every][:wanted]
    stages = cycle(STAGES)
    cancels: dict[str, Cancellation] = {}
    sends_back: dict[str, ReturnWish] = {}
    for number, order in enumerate(chosen):
        partly = number % 3 == 2 and len(order.lines) > 1
        line_id = order.lines[0].line_id if partly else None
        turn_to_cancel = number % 2 == 0 if len(sends_back) < returns else True
        if turn_to_cancel and len(cancels) < cancellations:
            cancels[order.order_id] = Cancellation(order.order_id, next(stages), line_id)
        else:
            sends_back[order.order_id] = ReturnWish(order.order_id, line_id)
    return Script(cancels, sends_back)


def with_slow_labels(documents: Sequence[Order], script: Script) -> list[Order]:
    """The orders to place: some get a slow label, to be caught while packed."""
    slow = {wish.order_id for wish in script.cancellations.values() if wish.stage == "packed"}
    return [
        order.model_copy(
            update={"shipping": order.shipping.model_copy(update={"service": SLOW_SERVICE})}
        )
        if order.order_id in slow
        else order
        for order in documents
    ]


class Board:
    """The present state of every order, read once for all that wait for it."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._changed = asyncio.Condition()
        self.summaries: dict[str, OrderSummary] = {}

    async def run(self) -> None:
        """Read repeatedly, until cancelled."""
        while True:
            found = await self._orders.list(at_most=_ALL)
            async with self._changed:
                self.summaries = {summary.order_id: summary for summary in found}
                self._changed.notify_all()
            await asyncio.sleep(_LOOK_S)

    async def until(self, holds: Callable[[Mapping[str, OrderSummary]], bool]) -> None:
        """Wait until the states fulfil a condition."""
        async with self._changed:
            await self._changed.wait_for(lambda: holds(self.summaries))


class Customers:
    """Plays the script."""

    def __init__(self, temporal: Client, orders: Orders, board: Board, script: Script) -> None:
        self._temporal = temporal
        self._orders = orders
        self._board = board
        self._script = script

    async def play(self) -> None:
        """Wait until every customer has had an answer. Raises TookTooLong."""
        await asyncio.gather(
            *(self._cancel(wish) for wish in self._script.cancellations.values()),
            *(self._send_back(wish) for wish in self._script.returns.values()),
        )

    async def _cancel(self, wish: Cancellation) -> None:
        order_id = wish.order_id
        if not await self._reached(wish):
            wish.outcome = f"order {self._board.summaries[order_id].decision}"
            return
        if wish.stage == "packed":
            await _until(lambda: self._is_packed(order_id), f"{order_id} was never packed")
        request: dict[str, Any] = {"reason": "changed my mind", "by": "customer"}
        if wish.line_id is not None:
            request["lines"] = [{"line_id": wish.line_id}]
        await self._signal(order_id, "cancel", request)
        answers = ("cancelled", "cancel refused")

        async def answer() -> str | None:
            return await self._told(order_id, answers)

        told = await _until(answer, f"{order_id} never answered to its cancellation")
        partly = told == "cancelled" and wish.line_id is not None
        wish.outcome = "partly cancelled" if partly else told.removeprefix("cancel ")
        wish.over = True

    async def _reached(self, wish: Cancellation) -> bool:
        """Wait for the stage. False: the order ended before, because it could get no unit."""
        order_id = wish.order_id
        ended = self._board.until(
            lambda seen: order_id in seen and seen[order_id].decision in FINAL
        )
        waits = [asyncio.ensure_future(wait) for wait in (wish.reached.wait(), ended)]
        try:
            await _in_time(
                asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED),
                f"{order_id} never came to be {wish.stage}",
            )
        finally:
            for wait in waits:
                wait.cancel()
        return wish.reached.is_set()

    async def _send_back(self, wish: ReturnWish) -> None:
        order_id = wish.order_id
        arrived = self._board.until(
            lambda seen: order_id in seen and seen[order_id].state in _ARRIVED
        )
        await _in_time(arrived, f"{order_id} never arrived")
        phase = await _until(
            lambda: self._phase(order_id), f"{order_id} never knew that it arrived"
        )
        if phase != "return window":
            wish.outcome = f"order {phase}"  # Lost or undeliverable: there is nothing to send back.
            return
        request: dict[str, Any] = {"reason": "not what I expected", "by": "customer"}
        if wish.line_id is not None:
            request["lines"] = [{"line_id": wish.line_id, "quantity": 1}]
        await self._signal(order_id, "request_return", request)
        answers = ("return approved", "request_return refused")

        async def answer() -> str | None:
            return await self._told(order_id, answers)

        told = await _until(answer, f"{order_id} never answered to its return")
        wish.outcome = told.removeprefix("return ").removeprefix("request_return ")

    async def _signal(self, order_id: str, name: str, request: dict[str, Any]) -> None:
        handle = self._temporal.get_workflow_handle(ids.workflow_id(order_id))
        await handle.signal(name, request)

    async def _is_packed(self, order_id: str) -> str | None:
        states = {part.state for part in (await self._orders.get(order_id)).fulfilments}
        return "packed" if "packed" in states else None

    async def _phase(self, order_id: str) -> str | None:
        """The phase of the order's workflow, which knows of a delivery after the record."""
        decision = self._board.summaries[order_id].decision
        if decision in FINAL:
            return decision
        handle = self._temporal.get_workflow_handle(ids.workflow_id(order_id))
        view = await handle.query(OrderWorkflow.view)
        return view.phase if view.phase in ("return window", *FINAL) else None

    async def _told(self, order_id: str, answers: Sequence[str]) -> str | None:
        story = await self._orders.events(order_id)
        return next((event.what for event in reversed(story) if event.what in answers), None)


async def _until(look: Callable[[], Awaitable[str | None]], otherwise: str) -> str:
    async def found() -> str:
        while (result := await look()) is None:
            await asyncio.sleep(_POLL_S)
        return result

    return await _in_time(found(), otherwise)


async def _in_time(event: Awaitable[T], otherwise: str) -> T:
    try:
        return await asyncio.wait_for(event, _AT_MOST_S)
    except TimeoutError:
        raise TookTooLong(f"{otherwise} within {_AT_MOST_S:.0f} s") from None
