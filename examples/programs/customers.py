"""The customers: their orders are placed, some are cancelled, and some goods are sent back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from orderloom_client.api.aftersales import cancel_order, request_return
from orderloom_client.api.orders import get_order, place_order
from orderloom_client.models import CancelRequest, Order, ReturnRequest

from .door import Door, Refused
from .following import ENDED, Following
from .plan import Plan, Wish

_PLACED_AT_ONCE: Final = 16
_LOOKS_EVERY_S: Final = 0.25
_AGAIN_AFTER_S: Final = 0.5
_ARRIVED: Final = ("delivered", *ENDED)
_ANY_VERSION: Final = "*"

CancelThere = Callable[[str], Awaitable[None]]
"""Cancels an order in the shop that has sent it."""


class Customers:
    """They place their orders at the channels' checkouts, and change their minds."""

    def __init__(
        self, door: Door, following: Following, plan: Plan, cancel_there: CancelThere
    ) -> None:
        self._door = door
        self._following = following
        self._plan = plan
        self._cancel_there = cancel_there

    async def place(self, orders: list[Mapping[str, Any]], placed: Callable[[str], None]) -> None:
        """Place these, several at once. `placed` is told the outcome of each."""
        waiting = iter(orders)

        async def work() -> None:
            for order in waiting:
                answer = await self._door.ask(
                    place_order,
                    body=Order.from_dict(order["document"]),
                    idempotency_key=f"checkout {order['order_id']}",
                    prefer="wait=20",
                )
                placed(answer.outcome)

        async with asyncio.TaskGroup() as group:
            for _ in range(_PLACED_AT_ONCE):
                group.create_task(work())

    async def change_their_minds(self) -> None:
        """Wait until every customer with a wish has had an answer."""
        await asyncio.gather(
            *(self._cancel(one) if one.stage else self._send_back(one) for one in self._plan.wishes)
        )

    async def _cancel(self, wish: Wish) -> None:
        if not await self._reached(wish):
            wish.outcome = f"order {self._following.orders[wish.order_id]['state']}"
            return
        if wish.stage == "packed":
            await self._until_packed(wish.order_id)
        if wish.in_shop:
            await self._cancel_there(wish.order_id)
            wish.outcome = "cancelled"
        else:
            wish.outcome = await self._ask(
                wish, cancel_order, CancelRequest, {"reason": "changed my mind"}
            )
        wish.over = True

    async def _reached(self, wish: Wish) -> bool:
        """Wait for the stage. False: the order ended before, because it could get no unit."""
        ended = self._following.until(
            lambda: self._following.has_ended(wish.order_id),
            self._plan.ends_within_s,
            f"{wish.order_id} never came to be {wish.stage}",
        )
        waits = [asyncio.ensure_future(one) for one in (wish.reached.wait(), ended)]
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()
        for one in done:
            one.result()
        return wish.reached.is_set()

    async def _until_packed(self, order_id: str) -> None:
        async with asyncio.timeout(self._plan.ends_within_s):
            while True:
                order = await self._door.ask(get_order, order_id=order_id)
                if any(part.state == "packed" for part in order.fulfilments):
                    return
                await asyncio.sleep(_LOOKS_EVERY_S)

    async def _send_back(self, wish: Wish) -> None:
        order_id = wish.order_id

        def has_arrived() -> bool:
            order = self._following.orders.get(order_id)
            return order is not None and order["state"] in _ARRIVED

        await self._following.until(
            has_arrived, self._plan.ends_within_s, f"{order_id} never arrived"
        )
        while not self._following.has_ended(order_id):
            wish.outcome = await self._ask(
                wish, request_return, ReturnRequest, {"reason": "not what I expected"}
            )
            if wish.outcome == "approved":
                return
            await asyncio.sleep(_AGAIN_AFTER_S)  # the order hears of its parcel in a moment
        # Lost or undeliverable: there was nothing to send back.
        wish.outcome = f"order {self._following.orders[order_id]['state']}"

    async def _ask(self, wish: Wish, operation: Any, model: Any, said: dict[str, Any]) -> str:
        request = {**said, "by": "customer"}
        if wish.line_id is not None:
            some = {"line_id": wish.line_id}
            request["lines"] = [some if wish.stage else {**some, "quantity": 1}]
        try:
            answer = await self._door.ask(
                operation,
                order_id=wish.order_id,
                body=model.from_dict(request),
                if_match=_ANY_VERSION,
                idempotency_key=f"wish {wish.order_id}",
                prefer="wait=20",
            )
        except Refused:
            return "refused"
        outcome = str(answer.to_dict()["outcome"])
        if wish.line_id is not None and outcome.endswith("cancelled"):
            return "partly cancelled"
        return outcome.removeprefix("partly_")
