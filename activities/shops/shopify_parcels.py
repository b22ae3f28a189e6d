"""What of a parcel Shopify knows, and which parts of its fulfilment orders the rest is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from activities.shops.client import ShopSaysNo
from domain.shops.graphql_order import number_of

Node = Mapping[str, Any]

_GONE: Final = ("CANCELLED", "ERROR", "FAILURE")
_OPEN: Final = ("OPEN", "IN_PROGRESS", "SCHEDULED")


def known_units(order: Node, number: str) -> tuple[list[str], Mapping[str, int]]:
    """The ids of the fulfilments with this tracking number, and line → units in them."""
    names: list[str] = []
    units: dict[str, int] = defaultdict(int)
    for one in order["fulfillments"]:
        if one["status"] in _GONE or number not in {info["number"] for info in one["trackingInfo"]}:
            continue
        names.append(one["id"])
        for item in one["fulfillmentLineItems"]["nodes"]:
            units[number_of(item["lineItem"]["id"])] += item["quantity"]
    return names, units


def to_fulfil(parts: Sequence[Node], units: Mapping[str, int]) -> list[list[dict[str, Any]]]:
    """What to fulfil of an order's fulfilment orders: a list for each location of the shop's.

    Raises ShopSaysNo where less than that is open there.
    """
    left = dict(units)
    by_place: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for part in parts:
        if part["status"] not in _OPEN:
            continue
        items = []
        for item in part["lineItems"]["nodes"]:
            line = number_of(item["lineItem"]["id"])
            taken = min(left.get(line, 0), item["remainingQuantity"])
            if taken > 0:
                left[line] -= taken
                items.append({"id": item["id"], "quantity": taken})
        if items:
            place = (part.get("assignedLocation") or {}).get("location") or {"id": ""}
            by_place[place["id"]].append(
                {"fulfillmentOrderId": part["id"], "fulfillmentOrderLineItems": items}
            )
    lacking = {line: count for line, count in left.items() if count > 0}
    if lacking:
        states = sorted({part["status"].lower() for part in parts})
        told = ", ".join(f"{count} of line {line}" for line, count in sorted(lacking.items()))
        raise ShopSaysNo(
            f"{told} cannot be fulfilled there any more: it was done there, or is on hold "
            f"(its parts are {', '.join(states) or 'none'})"
        )
    return list(by_place.values())
