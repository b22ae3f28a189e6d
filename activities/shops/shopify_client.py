"""Shopify, by its Admin GraphQL API."""

from __future__ import annotations

import hashlib
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from activities.shops import shopify_documents as documents
from activities.shops.client import Changed, NotThere, Page, Refunded, Rights, ShopAway, ShopSaysNo
from activities.shops.shopify_graphql import PAGES_MAX, Graphql
from activities.shops.shopify_parcels import known_units, to_fulfil
from activities.shops.shopify_refunds import check_none_waits, refunds_of, with_left
from domain.money import Money, to_decimal
from domain.shops.graphql_order import as_webhook, number_of
from domain.shops.news import OUR_REFUND
from domain.shops.telling import Level, Parcel

PAGE: Final = 25
"""Each of its orders is asked for, and a page has to fit into a visit."""
_LINES: Final = 50
_TOGETHER: Final = 25
_NEEDED: Final = (
    *("read_orders", "write_orders", "read_customers", "read_products"),
    *("read_inventory", "write_inventory", "read_locations"),
    "write_merchant_managed_fulfillment_orders",
)


class Shopify:
    """A `ShopClient`. `notify`: it writes to the customer of a parcel and of a refund."""

    knows_keys: ClassVar = True

    def __init__(self, api: Graphql, *, notify: bool = True) -> None:
        self._api = api
        self._notify = notify

    async def changed(self, since: datetime, following: str = "") -> Page:
        """By `updatedAt`. A page holds no order whole: `order` asks for each."""
        moment = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        wanted = {
            "query": f"updated_at:>='{moment}'",
            "first": PAGE,
            "after": following or None,
        }
        answer = await self._api.ask(documents.CHANGED, wanted)
        found = _whole(answer.data, "orders", "nodes", "pageInfo")
        orders = [
            Changed(number_of(node["id"]), datetime.fromisoformat(node["updatedAt"]))
            for node in found["nodes"]
        ]
        info = found["pageInfo"]
        return Page(orders, info["endCursor"] if info["hasNextPage"] else "", answer.at)

    async def order(self, subject: str) -> Mapping[str, Any]:
        """An order with all of its lines, of one moment."""
        for _ in range(2):
            order = await self._order(subject)
            if order is not None:
                return as_webhook(order)
        raise ShopAway(f"order {subject} changes faster than it can be read")

    async def _order(self, subject: str) -> dict[str, Any] | None:
        """None: it changed while its lines were read."""
        wanted: dict[str, Any] = {"id": _gid("Order", subject), "lines": _LINES, "after": None}
        order = (await self._api.ask(documents.ORDER, wanted)).data["order"]
        if order is None:
            raise NotThere(f"order {subject} is not there")
        lines = order["lineItems"]
        for _ in range(PAGES_MAX):
            info = lines["pageInfo"]
            if not info["hasNextPage"]:
                return dict(order)
            more = await self._api.ask(documents.LINES, {**wanted, "after": info["endCursor"]})
            if (more.data["order"] or {}).get("updatedAt") != order["updatedAt"]:
                return None
            lines = more.data["order"]["lineItems"]
            order["lineItems"]["nodes"] += lines["nodes"]
        raise ShopSaysNo(f"order {subject} has more lines than are read")

    async def rights(self) -> Rights:
        """The scopes of the token."""
        data = (await self._api.ask(documents.RIGHTS)).data
        installed = data.get("currentAppInstallation") or {"accessScopes": ()}
        scopes = sorted(one["handle"] for one in installed["accessScopes"])
        return Rights(
            name=data["shop"]["name"],
            rights=scopes,
            lacking=[scope for scope in _NEEDED if not _is_covered(scope, scopes)],
        )

    async def tell_parcel(self, parcel: Parcel) -> str:
        """A fulfilment, of what no fulfilment with this tracking number has."""
        order = await self._fulfilments(parcel.subject)
        names, known = known_units(order, parcel.number)
        open_units = {
            line: units - known.get(line, 0)
            for line, units in parcel.units.items()
            if units > known.get(line, 0)
        }
        if order["cancelledAt"] and open_units:
            raise ShopSaysNo("the order is cancelled there")
        tracking = {"company": parcel.carrier, "number": parcel.number}
        if parcel.url:
            tracking["url"] = parcel.url
        for items in to_fulfil(order["fulfillmentOrders"]["nodes"], open_units):
            wanted = {
                "lineItemsByFulfillmentOrder": items,
                "trackingInfo": tracking,
                "notifyCustomer": self._notify,
            }
            name = "fulfillmentCreate"
            made = await self._api.tell(documents.FULFIL, name, {"fulfillment": wanted})
            names.append(made["fulfillment"]["id"])
        return number_of(names[0]) if names else ""

    async def _fulfilments(self, subject: str) -> Mapping[str, Any]:
        wanted = {"id": _gid("Order", subject), "after": None}
        order = (await self._api.ask(documents.FULFILMENTS, wanted)).data["order"]
        if order is None:
            raise NotThere(f"order {subject} is not there")
        parts = order["fulfillmentOrders"]
        for _ in range(PAGES_MAX):
            if not parts["pageInfo"]["hasNextPage"]:
                break
            wanted["after"] = parts["pageInfo"]["endCursor"]
            more = (await self._api.ask(documents.FULFILMENTS, wanted)).data["order"]
            parts = more["fulfillmentOrders"]
            order["fulfillmentOrders"]["nodes"] += parts["nodes"]
        found: Mapping[str, Any] = order
        return found

    async def set_levels(self, levels: Sequence[Level], location: str) -> Mapping[str, str]:
        """Its quantity `available`. Where several items have one SKU, each gets all of it."""
        refused: dict[str, str] = {}
        place = await self._location(location)
        for first in range(0, len(levels), _TOGETHER):
            some = levels[first : first + _TOGETHER]
            items = await self._items(some)
            known = [level for level in some if items[level.sku]]
            refused |= {
                level.sku: "there is no item with this SKU"
                for level in some
                if not items[level.sku]
            }
            try:
                await self._set(known, items, place)
            except ShopSaysNo as error:
                if len(known) == 1:
                    refused[known[0].sku] = str(error)
                    continue
                # It does all of them or none: find out which one it is.
                for level in known:
                    try:
                        await self._set([level], items, place)
                    except ShopSaysNo as one:
                        refused[level.sku] = str(one)
        return refused

    async def _set(
        self, levels: Sequence[Level], items: Mapping[str, Sequence[str]], place: str
    ) -> None:
        quantities = [
            {
                "inventoryItemId": item,
                "locationId": place,
                "quantity": level.units,
                "changeFromQuantity": None,
            }
            for level in levels
            for item in items[level.sku]
        ]
        if not quantities:
            return
        wanted = {"name": "available", "reason": "correction", "quantities": quantities}
        # Setting is the same however often it is done; but a key that was used once answers from
        # its memory, and sets nothing. So each try has its own.
        key = uuid.uuid4().hex
        name = "inventorySetQuantities"
        await self._api.tell(documents.SET_LEVELS, name, {"input": wanted, "key": key})

    async def _items(self, levels: Sequence[Level]) -> Mapping[str, Sequence[str]]:
        """Our SKU → the ids of its items there."""
        names = sorted({name for level in levels for name in level.names})
        found: dict[str, set[str]] = defaultdict(set)
        query = " OR ".join(f"sku:{_quoted(name)}" for name in names)
        async for node in self._api.pages(documents.ITEMS, {"query": query}, "inventoryItems"):
            found[node["sku"] or ""].add(node["id"])  # It finds more than was asked for.
        variants = [_gid("ProductVariant", name) for name in names if _is_number(name)]
        if variants:
            answer = await self._api.ask(documents.VARIANTS, {"ids": variants})
            for node in answer.data["nodes"]:
                # An order names an item by its id only where the item has no SKU.
                if node and not node["sku"]:
                    found[number_of(node["id"])].add(node["inventoryItem"]["id"])
        return {
            level.sku: sorted({item for name in level.names for item in found.get(name, ())})
            for level in levels
        }

    async def _location(self, location: str) -> str:
        if location:
            return location if location.startswith("gid:") else _gid("Location", location)
        found = (await self._api.ask(documents.PRIMARY_LOCATION)).data["location"]
        if found is None:
            raise ShopSaysNo("it has no primary location: name one as `stock_location`")
        return str(found["id"])

    async def refunds(self, subject: str) -> Sequence[Refunded]:
        """Ours are known by their note, which has the key."""
        order = await self._money(subject)
        return refunds_of(order, order["currencyCode"])

    async def refund(self, subject: str, key: str, amount: Money) -> Refunded:
        """To the payment that has enough left."""
        order = await self._money(subject)
        made = [one for one in refunds_of(order, amount.currency) if one.key == key]
        if made:
            return made[0]
        check_none_waits(order)
        if {order["currencyCode"], order["presentmentCurrencyCode"]} != {amount.currency}:
            raise ShopSaysNo("the customer has paid in another currency than the shop's")
        value = to_decimal(amount.minor, amount.currency)
        parent = with_left(order, value)
        payment = {
            "orderId": _gid("Order", subject),
            "parentId": parent["id"],
            "gateway": parent["gateway"],
            "kind": "REFUND",
            "amount": str(value),
        }
        wanted = {
            "orderId": _gid("Order", subject),
            "note": f"{OUR_REFUND}{key}",
            "notify": self._notify,
            "transactions": [payment],
        }
        content = {"input": wanted, "key": _key(key)}
        answer = await self._api.tell(documents.REFUND, "refundCreate", content)
        done = refunds_of({"refunds": [answer["refund"]]}, amount.currency)
        if not done:
            raise ShopSaysNo("it made a refund, but the payment company refused the money")
        return done[0]

    async def _money(self, subject: str) -> Mapping[str, Any]:
        asked = {"id": _gid("Order", subject)}
        order: Mapping[str, Any] | None = (await self._api.ask(documents.MONEY, asked)).data[
            "order"
        ]
        if order is None:
            raise NotThere(f"order {subject} is not there")
        return order


def _whole(data: Mapping[str, Any], name: str, *parts: str) -> Mapping[str, Any]:
    found = data.get(name)
    if not isinstance(found, dict) or any(part not in found for part in parts):
        raise ShopAway(f"it answered without {name}")
    return found


def _gid(kind: str, number: str) -> str:
    return f"gid://shopify/{kind}/{number}"


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdecimal()


def _key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _is_covered(scope: str, scopes: Sequence[str]) -> bool:
    """Whether we have a scope. One that allows writing allows reading, too."""
    return scope in scopes or scope.replace("read_", "write_", 1) in scopes
