"""A stand-in for WooCommerce: its orders, notes, refunds and products, by its REST API v3."""

from __future__ import annotations

import base64
import copy
import itertools
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from aiohttp import web

from tests.localshops.misbehaving import Clock, Manners, serving

KEY: Final = "ck_stand_in"
SECRET: Final = "cs_stand_in"
BASE: Final = "/wp-json/wc/v3/"
_NO_GATEWAY: Final = "The payment gateway for this order does not support automatic refunds."


@dataclass
class WooCommerce:
    """One shop. `products`: by id; a variation has its parent's id. `may_write`: of the key."""

    clock: Clock = field(default_factory=Clock)
    manners: Manners = field(default_factory=Manners)
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    products: dict[int, dict[str, Any]] = field(default_factory=dict)
    may_write: bool = True
    refunds_itself: bool = True
    """Its payment company pays back when it is asked."""
    on_page: Any = None
    """Called as a page of orders is read: the shop goes on meanwhile."""
    numbers: Any = field(default_factory=lambda: itertools.count(9000))
    address: str = ""

    def place(self, order: dict[str, Any]) -> dict[str, Any]:
        """Somebody orders, or an order is changed there. Returns the body of its webhook."""
        now = self.clock.now().replace(tzinfo=None).isoformat()
        kept = {"meta_data": [], **copy.deepcopy(order), "date_modified_gmt": now}
        self.orders[str(order["id"])] = kept
        return kept

    def change(self, order_id: Any, **changes: Any) -> dict[str, Any]:
        """An order changes there."""
        return self.place({**self.orders[str(order_id)], **changes})

    def stock(self, sku: str, units: int = 0, *, parent: int = 0) -> int:
        """A product, or a variation of one. Returns its id."""
        number: int = next(self.numbers)
        self.products[number] = {
            "id": number,
            "sku": sku,
            "type": "variation" if parent else "simple",
            "parent_id": parent,
            "manage_stock": False,
            "stock_quantity": units,
        }
        return number

    def level(self, sku: str) -> int:
        """What it may sell of a SKU."""
        (found,) = [one for one in self.products.values() if one["sku"] == sku]
        units: int = found["stock_quantity"]
        return units

    def told(self, order_id: Any) -> list[str]:
        """The tracking numbers of an order, as its extension Shipment Tracking shows them."""
        return [
            item["tracking_number"]
            for one in self.orders[str(order_id)]["meta_data"]
            if one["key"] == "_wc_shipment_tracking_items"
            for item in one["value"]
        ]

    async def answer(self, request: web.Request) -> web.Response:
        expected = base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {expected}":
            return _no(401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
        if request.method != "GET" and not self.may_write:
            code = "woocommerce_rest_cannot_create"
            return _no(401, code, "The API key provided does not have write permissions.")
        path = request.path.removeprefix(BASE)
        content = json.loads(await request.read() or b"null")
        query = dict(request.query)
        routes: tuple[tuple[str, str, Callable[[re.Match[str]], Any]], ...] = (
            ("GET", r"orders", lambda _: self._list(query)),
            ("GET", r"orders/(\d+)", lambda m: self._order(m[1])),
            ("PUT", r"orders/(\d+)", lambda m: self._put(m[1], content)),
            ("GET", r"orders/(\d+)/notes", lambda m: self.notes.get(m[1], [])),
            ("POST", r"orders/(\d+)/notes", lambda m: self._note(m[1], content)),
            ("GET", r"orders/(\d+)/refunds", lambda m: self._refunds(m[1])),
            ("POST", r"orders/(\d+)/refunds", lambda m: self._refund(m[1], content)),
            ("POST", r"orders/batch", lambda _: {}),
            ("GET", r"products", lambda _: self._products(query)),
            ("GET", r"products/(\d+)", lambda m: self._product(int(m[1]))),
            ("POST", r"products/batch", lambda _: self._batch(content, 0)),
            ("POST", r"products/(\d+)/variations/batch", lambda m: self._batch(content, int(m[1]))),
        )
        for method, pattern, act in routes:
            found = re.fullmatch(pattern, path)
            if found and method == request.method:
                done = act(found)
                if done is None:
                    return _no(404, "woocommerce_rest_shop_order_invalid_id", "Invalid ID.")
                return done if isinstance(done, web.Response) else web.json_response(done)
        return _no(404, "rest_no_route", "No route was found.")

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[WooCommerce]:
        """It can be asked until the block ends."""
        async with serving(self.answer, self.manners, self.clock) as self.address:
            yield self

    def _list(self, query: dict[str, str]) -> Any:
        rows = list(self.orders.values())
        if after := query.get("modified_after"):
            assert query["dates_are_gmt"] == "true"
            moment = datetime.fromisoformat(after)
            rows = [o for o in rows if datetime.fromisoformat(o["date_modified_gmt"]) > moment]
        if query.get("orderby") == "modified":
            assert query["order"] == "asc"
            rows.sort(key=lambda one: (one["date_modified_gmt"], one["id"]))
        size = int(query.get("per_page", 10))
        start = (int(query.get("page", 1)) - 1) * size
        page = copy.deepcopy(rows[start : start + size])
        if self.on_page is not None:
            self.on_page()
        return page

    def _order(self, order_id: str) -> Any:
        return self.orders.get(order_id)

    def _put(self, order_id: str, content: dict[str, Any]) -> Any:
        order = self.orders.get(order_id)
        if order is None:
            return None
        changes = {key: value for key, value in content.items() if key != "meta_data"}
        meta = {one["key"]: one for one in [*order["meta_data"], *content.get("meta_data", [])]}
        return self.change(order_id, meta_data=list(meta.values()), **changes)

    def _note(self, order_id: str, content: dict[str, Any]) -> Any:
        made = {"id": next(self.numbers), **content}
        self.notes.setdefault(order_id, []).append(made)
        return made

    def _refunds(self, order_id: str) -> Any:
        order = self.orders.get(order_id)
        return None if order is None else [one["whole"] for one in order["refunds"]]

    def _refund(self, order_id: str, content: dict[str, Any]) -> Any:
        order = self.orders.get(order_id)
        if order is None:
            return None
        gone = sum(Decimal(one["whole"]["amount"]) for one in order["refunds"])
        if gone + Decimal(content["amount"]) > Decimal(order["total"]):
            code = "woocommerce_rest_cannot_create_order_refund"
            return _no(500, code, "Invalid refund amount.")
        if content["api_refund"] and not self.refunds_itself:
            return _no(500, "woocommerce_rest_cannot_create_order_refund", _NO_GATEWAY)
        made = {
            "id": next(self.numbers),
            "date_created_gmt": self.clock.now().replace(tzinfo=None).isoformat(),
            "refunded_payment": content["api_refund"],
            **content,
        }
        row = {
            "id": made["id"],
            "reason": content["reason"],
            "total": f"-{content['amount']}",
            "whole": made,
        }
        whole = gone + Decimal(content["amount"]) == Decimal(order["total"])
        changes = {"status": "refunded"} if whole else {}
        self.change(order_id, refunds=[*order["refunds"], row], **changes)
        return made

    def _products(self, query: dict[str, str]) -> Any:
        names = query["sku"].split(",") if "sku" in query else None
        size = int(query.get("per_page", 10))
        start = (int(query.get("page", 1)) - 1) * size
        # Variations are found by their SKU alone.
        found = [
            one
            for one in self.products.values()
            if (one["sku"] in names if names is not None else not one["parent_id"])
        ]
        return found[start : start + size]

    def _product(self, number: int) -> Any:
        return self.products.get(number)

    def _batch(self, content: dict[str, Any], parent: int) -> Any:
        done = []
        for change in content["update"]:
            product = self.products.get(change["id"])
            if product is None or product["parent_id"] != parent:
                error = {"code": "woocommerce_rest_product_invalid_id", "message": "Invalid ID."}
                done.append({"id": change["id"], "error": error})
                continue
            product |= change
            done.append(product)
        return {"update": done}


def _no(status: int, code: str, message: str) -> web.Response:
    content = {"code": code, "message": message, "data": {"status": status}}
    return web.json_response(content, status=status)
