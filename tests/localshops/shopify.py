"""A stand-in for Shopify: its orders, fulfilments, stock and refunds, by its GraphQL API.

Orders are kept as its webhooks have them. Requests are checked against the part of its schema in
`shopify.graphql`, so that a query for a field that it does not have is refused here as well.
"""

from __future__ import annotations

import copy
import itertools
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from graphql import GraphQLResolveInfo, VariableNode, build_schema, graphql_sync

from tests.localshops.misbehaving import Clock, Manners, serving

TOKEN: Final = "shpat_stand_in"
SCHEMA: Final = build_schema(Path(__file__).with_suffix(".graphql").read_text(encoding="utf-8"))
PLACE: Final = "gid://shopify/Location/1"
PATH: Final = "/admin/api/2026-07/graphql.json"


@dataclass
class Shopify:
    """One shop. `orders`: by id, as its webhooks have them. `levels`: SKU → units."""

    clock: Clock = field(default_factory=Clock)
    manners: Manners = field(default_factory=Manners)
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    fulfilments: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    levels: dict[str, int] = field(default_factory=dict)
    scopes: list[str] = field(default_factory=lambda: ["write_orders", "read_products"])
    token: str = TOKEN
    page: int = 100
    throttled: int = 0
    keys: dict[str, Any] = field(default_factory=dict)
    under_way: bool = False
    """A call with the same key is still under way."""
    money_goes: str = "success"
    """What its payment company says of a refund at once; empty: nothing yet."""
    paid_by_hand: bool = False
    """The customer has paid by bank transfer, which it only writes down."""
    named: dict[str, str] = field(default_factory=dict)
    """Variant id → the SKU that it has; of others it has none."""
    on_page: Any = None
    """Called as a page of changed orders is read: the shop goes on meanwhile."""
    numbers: Any = field(default_factory=lambda: itertools.count(9000))
    address: str = ""

    def place(self, order: dict[str, Any]) -> dict[str, Any]:
        """Somebody orders, or an order is changed there. Returns the body of its webhook."""
        kept = {**copy.deepcopy(order), "updated_at": self.clock.now().isoformat()}
        self.orders[str(order["id"])] = kept
        return kept

    def change(self, order_id: Any, **changes: Any) -> dict[str, Any]:
        """An order changes there."""
        return self.place({**self.orders[str(order_id)], **changes})

    def told(self, order_id: Any) -> list[tuple[str, dict[str, int]]]:
        """Tracking number and units by line, of an order's fulfilments."""
        return [
            (one["tracking"]["number"], one["units"])
            for one in self.fulfilments.get(str(order_id), [])
        ]

    async def answer(self, request: web.Request) -> web.Response:
        if request.path != PATH:
            return web.Response(status=404, text="not found")
        if request.headers.get("X-Shopify-Access-Token") != self.token:
            return web.json_response({"errors": "[API] Invalid API key"}, status=401)
        if self.throttled:
            self.throttled -= 1
            return web.json_response(_throttled())
        asked = json.loads(await request.read())
        result = graphql_sync(
            SCHEMA, asked["query"], root_value=_Root(self), variable_values=asked["variables"]
        )
        answer: dict[str, Any] = {"data": result.data}
        if result.errors:
            answer["errors"] = [error.formatted for error in result.errors]
        return web.json_response(answer)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Shopify]:
        """It can be asked until the block ends."""
        async with serving(self.answer, self.manners, self.clock) as self.address:
            yield self

    def once(self, info: GraphQLResolveInfo[Any], done: Any) -> Any:
        """What has the same `@idempotent` key is answered from memory."""
        (directive,) = [
            one for one in info.field_nodes[0].directives or () if one.name.value == "idempotent"
        ]
        (argument,) = directive.arguments or ()
        assert isinstance(argument.value, VariableNode)
        key = info.variable_values.coerced[argument.value.name.value]
        if self.under_way:
            said = "This request is currently in progress, please try again."
            return {"userErrors": [{"field": None, "message": said}]}
        if key not in self.keys:
            self.keys[key] = done()
        return self.keys[key]


def _throttled() -> dict[str, Any]:
    return {
        "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
        "extensions": {
            "cost": {
                "requestedQueryCost": 102,
                "throttleStatus": {
                    "maximumAvailable": 2000.0,
                    "currentlyAvailable": 2,
                    "restoreRate": 100.0,
                },
            }
        },
    }


class _Root:
    """What the schema's queries and mutations do."""

    def __init__(self, shop: Shopify) -> None:
        self.shop_ = shop

    def shop(self, _info: Any) -> Any:
        return {"name": "Stand-in"}

    def currentAppInstallation(self, _info: Any) -> Any:  # noqa: N802 - Shopify calls it so
        return {"accessScopes": [{"handle": scope} for scope in self.shop_.scopes]}

    def orders(self, _info: Any, first: int, query: str, after: str | None = None, **_: Any) -> Any:
        asked = re.fullmatch(r"updated_at:>='(.*)'", query)
        assert asked is not None
        since = datetime.fromisoformat(asked[1])
        rows = sorted(
            (datetime.fromisoformat(one["updated_at"]), int(one["id"]), one)
            for one in self.shop_.orders.values()
        )
        rows = [row for row in rows if row[0] >= since]
        if after:
            moment, number = after.split("|")
            rows = [r for r in rows if r[:2] > (datetime.fromisoformat(moment), int(number))]
        size = min(first, self.shop_.page)
        page = rows[:size]
        more = len(rows) > size
        found = {
            "nodes": [_order(self.shop_, row[2]) for row in page],
            "pageInfo": {
                "hasNextPage": more,
                "endCursor": f"{page[-1][0].isoformat()}|{page[-1][1]}" if page else None,
            },
        }
        if self.shop_.on_page is not None:
            self.shop_.on_page()
        return found

    def order(self, _info: Any, id: str) -> Any:
        found = self.shop_.orders.get(_number(id))
        return None if found is None else _order(self.shop_, found)

    def location(self, _info: Any, **_: Any) -> Any:
        return {"id": PLACE}

    def inventoryItems(self, _info: Any, query: str, **_: Any) -> Any:  # noqa: N802 - Shopify calls it so
        names = [json.loads(name) for name in re.findall(r'sku:("(?:[^"\\]|\\.)*")', query)]
        # Its search finds what only begins so, too.
        skus = {one: self.shop_.named.get(one, one) for one in self.shop_.levels}
        return {
            "nodes": [
                {"id": f"gid://shopify/InventoryItem/{one}", "sku": sku}
                for one, sku in skus.items()
                if any(sku.startswith(name) for name in names)
            ],
            "pageInfo": {"hasNextPage": False, "endCursor": None},
        }

    def nodes(self, _info: Any, ids: list[str]) -> Any:
        return [
            {
                "__typename": "ProductVariant",
                "id": one,
                "sku": self.shop_.named.get(_number(one)),
                "inventoryItem": {"id": f"gid://shopify/InventoryItem/{_number(one)}"},
            }
            if _number(one) in self.shop_.levels
            else None
            for one in ids
        ]

    def inventorySetQuantities(self, info: Any, input: dict[str, Any]) -> Any:  # noqa: N802 - Shopify calls it so
        def done() -> Any:
            for one in input["quantities"]:
                if "changeFromQuantity" not in one:
                    return {"userErrors": [{"message": "changeFromQuantity is mandatory"}]}
                assert one["locationId"] == PLACE
            for one in input["quantities"]:
                self.shop_.levels[_number(one["inventoryItemId"])] = one["quantity"]
            return {"userErrors": []}

        return self.shop_.once(info, done)

    def fulfillmentCreate(self, _info: Any, fulfillment: dict[str, Any]) -> Any:  # noqa: N802 - Shopify calls it so
        shop = self.shop_
        units: dict[str, int] = {}
        order_id = said = ""
        for part in fulfillment["lineItemsByFulfillmentOrder"]:
            order_id = _number(part["fulfillmentOrderId"])
            remaining = _remaining(shop, order_id)
            for item in part["fulfillmentOrderLineItems"]:
                line = _number(item["id"])
                if item["quantity"] > remaining[line]:
                    said = "Invalid fulfillment order line item quantity requested."
                units[line] = item["quantity"]
        if said:
            return {"fulfillment": None, "userErrors": [{"message": said}]}
        name = f"gid://shopify/Fulfillment/{next(shop.numbers)}"
        made: dict[str, Any] = {"id": name, "tracking": fulfillment["trackingInfo"], "units": units}
        shop.fulfilments.setdefault(order_id, []).append(made)
        done = not any(_remaining(shop, order_id).values())
        shop.change(order_id, fulfillment_status="fulfilled" if done else "partial")
        return {"fulfillment": {"id": name}, "userErrors": []}

    def refundCreate(self, info: Any, input: dict[str, Any]) -> Any:  # noqa: N802 - Shopify calls it so
        def done() -> Any:
            (wanted,) = input["transactions"]
            order = self.shop_.orders[_number(input["orderId"])]
            gone = sum(
                Decimal(one["amount"]) for each in order["refunds"] for one in each["transactions"]
            )
            if gone + Decimal(wanted["amount"]) > Decimal(order["total_price"]):
                said = "Refund amount is more than is left."
                return {"refund": None, "userErrors": [{"message": said}]}
            made = {
                "id": next(self.shop_.numbers),
                "note": input["note"],
                "created_at": self.shop_.clock.now().isoformat(),
                "transactions": [
                    {
                        "id": next(self.shop_.numbers),
                        "kind": "refund",
                        "status": self.shop_.money_goes,
                        "amount": wanted["amount"],
                    }
                ]
                if self.shop_.money_goes
                else [],
            }
            whole = gone + Decimal(wanted["amount"]) == Decimal(order["total_price"])
            self.shop_.change(
                order["id"],
                refunds=[*order["refunds"], made],
                financial_status="refunded" if whole else "partially_refunded",
            )
            return {"refund": _refund(made), "userErrors": []}

        return self.shop_.once(info, done)


def _number(gid: str) -> str:
    return gid.rpartition("/")[2]


def _bag(amount: Any) -> dict[str, Any]:
    money = {"amount": str(amount), "currencyCode": "EUR"}
    return {"shopMoney": money, "presentmentMoney": money}


def _upper(word: str | None) -> str | None:
    return None if word is None else word.upper()


def _remaining(shop: Shopify, order_id: str) -> dict[str, int]:
    """Line → units that are neither fulfilled nor taken off."""
    left = {
        str(line["id"]): line["current_quantity"] for line in shop.orders[order_id]["line_items"]
    }
    for one in shop.fulfilments.get(order_id, []):
        for line, units in one["units"].items():
            left[line] -= units
    return left


def _reductions(line: dict[str, Any]) -> dict[str, Any]:
    return {
        "discountAllocations": [
            {"allocatedAmountSet": _bag(one["amount"])} for one in line["discount_allocations"]
        ],
        "taxLines": [
            {"title": one["title"], "rate": one["rate"], "priceSet": _bag(one["price"])}
            for one in line["tax_lines"]
        ],
    }


def _line(line: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/LineItem/{line['id']}",
        "sku": line["sku"],
        "title": line["title"],
        "quantity": line["quantity"],
        "currentQuantity": line["current_quantity"],
        "requiresShipping": line["requires_shipping"],
        "isGiftCard": line["gift_card"],
        "variant": {"id": f"gid://shopify/ProductVariant/{line['variant_id']}"},
        "originalUnitPriceSet": _bag(line["price"]),
        **_reductions(line),
    }


def _address(address: dict[str, Any] | None) -> dict[str, Any] | None:
    if address is None:
        return None
    return {
        "firstName": address["first_name"],
        "lastName": address["last_name"],
        "name": f"{address['first_name']} {address['last_name']}",
        "countryCodeV2": address["country_code"],
        **{key: address[key] for key in ("company", "address1", "address2", "city", "province")},
        **{key: address[key] for key in ("zip", "phone")},
    }


def _transaction(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/OrderTransaction/{one['id']}",
        "kind": _upper(one["kind"]),
        "status": _upper(one["status"]),
        "amountSet": _bag(one["amount"]),
        "gateway": "shopify_payments",
        "manualPaymentGateway": False,
    }


def _refund(refund: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/Refund/{refund['id']}",
        "note": refund["note"],
        "createdAt": refund.get("created_at", "2026-11-20T10:00:00Z"),
        "transactions": {"nodes": [_transaction(one) for one in refund["transactions"]]},
    }


def _order(shop: Shopify, order: dict[str, Any]) -> dict[str, Any]:
    order_id = str(order["id"])
    customer = order["customer"]
    sale = {"id": f"1{order_id}", "kind": "sale", "status": "success"}
    paid = {**sale, "amount": order["total_price"]}
    parent = {"parentTransaction": {"id": f"gid://shopify/OrderTransaction/1{order_id}"}}
    remaining = _remaining(shop, order_id)

    def lines(_info: Any, first: int, after: str | None = None) -> Any:
        start = int(after or 0)
        rows = order["line_items"]
        return {
            "nodes": [_line(line) for line in rows[start : start + first]],
            "pageInfo": {
                "hasNextPage": len(rows) > start + first,
                "endCursor": str(start + first),
            },
        }

    return {
        "id": f"gid://shopify/Order/{order_id}",
        "name": order["name"],
        "test": order["test"],
        "createdAt": order["created_at"],
        "updatedAt": order["updated_at"],
        "cancelledAt": order["cancelled_at"],
        "cancelReason": _upper(order["cancel_reason"]),
        "displayFinancialStatus": _upper(order["financial_status"]),
        "displayFulfillmentStatus": {
            None: "UNFULFILLED",
            "partial": "PARTIALLY_FULFILLED",
            "fulfilled": "FULFILLED",
        }[order.get("fulfillment_status")],
        "currencyCode": order["currency"],
        "presentmentCurrencyCode": order["currency"],
        "taxesIncluded": order["taxes_included"],
        "totalPriceSet": _bag(order["total_price"]),
        "totalTipReceivedSet": _bag(order["total_tip_received"]),
        "originalTotalDutiesSet": None,
        "totalCashRoundingAdjustment": {"paymentSet": _bag("0.0"), "refundSet": _bag("0.0")},
        "email": order["email"],
        "phone": order["phone"],
        "note": order["note"],
        "customerLocale": order["customer_locale"],
        "customer": {
            "id": f"gid://shopify/Customer/{customer['id']}",
            "firstName": customer["first_name"],
            "lastName": customer["last_name"],
        },
        "billingAddress": _address(order["billing_address"]),
        "shippingAddress": _address(order["shipping_address"]),
        "lineItems": lines,
        "shippingLines": {
            "nodes": [
                {
                    "title": line["title"],
                    "code": line["code"],
                    "originalPriceSet": _bag(line["price"]),
                    **_reductions(line),
                }
                for line in order["shipping_lines"]
            ]
        },
        "refunds": [_refund(one) for one in order["refunds"]],
        "transactions": [
            {**_transaction(paid), "manualPaymentGateway": shop.paid_by_hand},
            *(
                {**_transaction(one), **parent}
                for refund in order["refunds"]
                for one in refund["transactions"]
            ),
        ],
        "fulfillments": [
            {
                "id": one["id"],
                "status": "SUCCESS",
                "trackingInfo": [one["tracking"]],
                "fulfillmentLineItems": {
                    "nodes": [
                        {"id": f"{one['id']}-{line}", "quantity": units, "lineItem": _named(line)}
                        for line, units in one["units"].items()
                    ]
                },
            }
            for one in shop.fulfilments.get(order_id, [])
        ],
        "fulfillmentOrders": {
            "nodes": [
                {
                    "id": f"gid://shopify/FulfillmentOrder/{order_id}",
                    "status": "OPEN" if any(remaining.values()) else "CLOSED",
                    "assignedLocation": {"location": {"id": PLACE}},
                    "lineItems": {
                        "nodes": [
                            {
                                "id": f"gid://shopify/FulfillmentOrderLineItem/{line}",
                                "remainingQuantity": units,
                                "lineItem": _named(line),
                            }
                            for line, units in remaining.items()
                        ]
                    },
                }
            ],
            "pageInfo": {"hasNextPage": False, "endCursor": None},
        },
    }


def _named(line: str) -> dict[str, Any]:
    return {"id": f"gid://shopify/LineItem/{line}"}
