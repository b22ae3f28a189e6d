"""A Shopify and a WooCommerce shop: they send their orders, and what happens to them there.

As real ones do, they send some messages twice, some late, and some in another sequence than that in
which it happened.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Protocol

import httpx

from .following import Event
from .shopify import ShopifyOrder
from .woocommerce import WooOrder

_AGAIN_AFTER_S: Final = 0.5
_LATE_S: Final = 3.0
_PATIENCE_S: Final = 180.0
_EVERY_TWICE: Final = 4
_EVERY_MIXED: Final = 3
"""So many orders, of which one is sent twice, or in the wrong sequence."""

_SHORTLY_BEFORE: Final = timedelta(seconds=2)


class ShopOrder(Protocol):
    """An order as its shop has it."""

    def unpaid(self) -> dict[str, Any]:
        """As it was when it was new."""
        ...

    def now(self) -> dict[str, Any]:
        """As it is."""
        ...

    def cancel(self) -> None:
        """The customer does not want it any more."""
        ...

    def pay_back(self, amount: str) -> None:
        """An amount was paid back by the shop."""
        ...


_KINDS: Final[Mapping[str, Callable[[Mapping[str, Any], datetime], ShopOrder]]] = {
    "shopify": ShopifyOrder,
    "woocommerce": WooOrder,
}


class Shop:
    """One shop. `sent`: its messages; `repeated`, `mixed`: what came twice, or out of sequence."""

    def __init__(self, url: str, channel: str, kind: str, secret: str) -> None:
        self._url = f"{url}/v1/webhooks/shops/{channel}"
        self._kind = kind
        self._secret = secret.encode()
        self._client = httpx.AsyncClient(timeout=20)
        self._orders: dict[str, ShopOrder] = {}
        self._busy = asyncio.Lock()
        self._late: set[asyncio.Task[None]] = set()
        self.sent = self.repeated = self.mixed = self.paid_back = 0

    async def sell(self, orders: list[Mapping[str, Any]], placed: Callable[[str], None]) -> None:
        """Its customers pay at its checkout. `placed` is told of each."""
        for number, order in enumerate(orders):
            made = _KINDS[self._kind](order["document"], datetime.now(UTC) - _SHORTLY_BEFORE)
            self._orders[order["order_id"]] = made
            mixed = number % _EVERY_MIXED == 1
            if not mixed:
                await self._send("created", made.unpaid())
            await self._send("paid", made.now(), twice=number % _EVERY_TWICE == 0)
            if mixed:
                self.mixed += 1
                self._send_late("created", made.unpaid())
            placed("sent by a shop")

    async def cancel(self, order_id: str) -> None:
        """A customer cancels in the shop."""
        async with self._busy:
            order = self._orders[order_id]
            order.cancel()
            await self._send("cancelled", order.now())

    def hear(self, event: Event) -> None:
        """Pay back what the customer of an order is owed: the money is at the shop."""
        order = self._orders.get(event["subject"])
        if order is None or event["type"] != "orderloom.order.needs_attention.v1":
            return
        what, _, refund_id = event["data"]["step"].partition(" ")
        if what == "refund_payment":
            adjusted = event["data"]["order"]["adjusted"]
            (owed,) = (one["owed"] for one in adjusted if one.get("refund_id") == refund_id)
            if Decimal(owed):
                self._keep(asyncio.get_running_loop().create_task(self._pay_back(order, owed)))

    async def close(self) -> None:
        """Wait for what is still to be sent."""
        await asyncio.gather(*self._late)
        await self._client.aclose()

    async def _pay_back(self, order: ShopOrder, amount: str) -> None:
        async with self._busy:
            order.pay_back(amount)
            await self._send("updated", order.now())
            self.paid_back += 1

    def _send_late(self, what: str, content: dict[str, Any]) -> None:
        async def later() -> None:
            await asyncio.sleep(_LATE_S)
            await self._send(what, content)

        self._keep(asyncio.get_running_loop().create_task(later()))

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def _send(self, what: str, content: dict[str, Any], *, twice: bool = False) -> None:
        body = json.dumps(content).encode()
        signature = base64.b64encode(hmac.digest(self._secret, body, hashlib.sha256)).decode()
        headers = _headers(self._kind, what, signature)
        for _ in range(2 if twice else 1):
            await self._post(body, headers)
            self.sent += 1
        self.repeated += int(twice)

    async def _post(self, body: bytes, headers: dict[str, str]) -> None:
        """Send a message until it is taken."""
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                try:
                    answer = await self._client.post(self._url, content=body, headers=headers)
                    if answer.is_success:
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(_AGAIN_AFTER_S)


def _headers(kind: str, what: str, signature: str) -> dict[str, str]:
    common = {"Content-Type": "application/json"}
    if kind == "shopify":
        topic = {"created": "create"}.get(what, what)
        return {
            **common,
            "X-Shopify-Topic": f"orders/{topic}",
            "X-Shopify-Hmac-Sha256": signature,
            "X-Shopify-Webhook-Id": str(uuid.uuid4()),
            "X-Shopify-Event-Id": str(uuid.uuid4()),
            "X-Shopify-Triggered-At": datetime.now(UTC).isoformat(),
        }
    return {
        **common,
        "X-WC-Webhook-Topic": "order.created" if what == "created" else "order.updated",
        "X-WC-Webhook-Signature": signature,
        "X-WC-Webhook-Source": "https://shop.example/",
    }
