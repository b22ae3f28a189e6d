"""WooCommerce, by its REST API v3.

A parcel becomes an item of the order's `_wc_shipment_tracking_items`, and a note to the customer.
WooCommerce has no parcels of its own; the item is what its extension Shipment Tracking, and those
that are like it, write and read, mails and customers' pages among them. The note is there without
any extension. With the last parcel the order becomes `completed`, as a person would set it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

from activities.shops.client import (
    Changed,
    NotThere,
    Page,
    Refunded,
    Rights,
    ShopAway,
    ShopRefuses,
    ShopSaysNo,
)
from activities.shops.web import Reply, ServerFault, Web, again
from activities.shops.woocommerce_levels import Item, batches, items_of
from domain.money import Money, to_decimal, to_minor
from domain.shops.news import OUR_REFUND, amount_text, is_ours
from domain.shops.telling import Level, Parcel
from domain.shops.woocommerce import subject_and_version
from store import clock

PAGE: Final = 50
_TOGETHER: Final = 25
"""So many SKUs are asked for in one address, which servers cut off where it is too long."""

_PAGES_MAX: Final = 20
_TRACKING: Final = "_wc_shipment_tracking_items"
_OVER: Final = ("cancelled", "refunded", "failed", "trash")
_DRAFTS: Final = ("checkout-draft", "auto-draft", "draft")
_NO_ORDER: Final = "woocommerce_rest_shop_order_invalid_id"
_NO_ROUTE: Final = "rest_no_route"
_REFUNDS_MAX: Final = 100
_CANNOT_REFUND: Final = "woocommerce_rest_cannot_create_order_refund"
_SAID_CHARACTERS_MAX: Final = 300


class WooCommerce:
    """A `ShopClient`. `notify`: its customer gets the note of a parcel by mail."""

    knows_keys: ClassVar = False

    def __init__(
        self, web: Web, address: str, key: str, secret: str, *, notify: bool = True
    ) -> None:
        self._web = web
        self._base = f"{address.rstrip('/')}/wp-json/wc/v3"
        token = base64.b64encode(f"{key}:{secret}".encode()).decode()
        self._headers = {"authorization": f"Basic {token}"}
        self._notify = notify

    async def changed(self, since: datetime, following: str = "") -> Page:
        """By `date_modified_gmt`. Pages go on behind the last change of the one before.

        Its own pages are counted from the first order: one that changes meanwhile moves to the end,
        and the first of the next page would never be seen. `following`: a moment and a number, as
        this made it.
        """
        moment, _, number = following.partition(" ")
        after = datetime.fromisoformat(moment) if moment else since - timedelta(seconds=1)
        page = int(number or 1)
        reply = await self._get(
            "orders",
            modified_after=after.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
            dates_are_gmt="true",
            orderby="modified",
            order="asc",
            per_page=str(PAGE),
            page=str(page),
            status="any",
        )
        listed = [_changed(content) for content in _listed(reply)]
        # What somebody has in a basket is listed as well.
        orders = [one for one in listed if (one.content or {}).get("status") not in _DRAFTS]
        more = ""
        if len(listed) == PAGE:
            # Of the last second there may be more, so it is asked for again.
            behind = listed[-1].version - timedelta(seconds=1)
            same = behind <= after
            more = f"{(after if same else behind).isoformat()} {page + 1 if same else 1}"
        return Page(orders, more, reply.at)

    async def order(self, subject: str) -> Mapping[str, Any]:
        """An order, as its webhook has it."""
        return _object((await self._get(f"orders/{subject}")).json())

    async def rights(self) -> Rights:
        """Which of reading and writing its key may do."""
        await self._get("orders", per_page="1")
        await self._get("products", per_page="1")
        # A batch of nothing changes nothing, and asks for the right to write.
        await self._send("POST", "orders/batch", {})
        return Rights(name=self._base.partition("//")[2].partition("/")[0], rights=["read_write"])

    async def tell_parcel(self, parcel: Parcel) -> str:
        """Its tracking, the note, and with the last one the order's end."""
        order = _object((await self._get(f"orders/{parcel.subject}")).json())
        known = _tracking(order)
        name = hashlib.sha256(parcel.fulfilment_id.encode()).hexdigest()[:32]
        is_known = any(one.get("tracking_id") == name for one in known)
        status = order.get("status")
        if status in _OVER and not is_known:
            raise ShopSaysNo(f"the order is {status} there")
        change: dict[str, Any] = {}
        if not is_known:
            item = {
                "tracking_provider": "",
                "custom_tracking_provider": parcel.carrier,
                "custom_tracking_link": parcel.url,
                "tracking_number": parcel.number,
                "date_shipped": str(int(clock.now().timestamp())),
                "tracking_id": name,
            }
            change["meta_data"] = [{"key": _TRACKING, "value": [*known, item]}]
        if parcel.is_last and status in ("processing", "on-hold"):
            change["status"] = "completed"
        if change:
            await self._send("PUT", f"orders/{parcel.subject}", change)
        await self._note(parcel)
        return name

    async def _note(self, parcel: Parcel) -> None:
        path = f"orders/{parcel.subject}/notes"
        said = f"Sent with {parcel.carrier}, tracking number {parcel.number}"
        known = [str(one.get("note")) for one in _listed(await self._get(path))]
        if any(f"{note}. ".startswith(f"{said}. ") for note in known):
            return
        note = f"{said}. {parcel.url}".removesuffix(". ")
        await self._send("POST", path, {"note": note, "customer_note": self._notify})

    async def set_levels(self, levels: Sequence[Level], location: str) -> Mapping[str, str]:
        """`stock_quantity` of products and variations. It has no locations."""
        refused: dict[str, str] = {}
        for first in range(0, len(levels), _TOGETHER):
            some = levels[first : first + _TOGETHER]
            items = await self._items(some)
            refused |= {
                level.sku: "there is no product with this SKU"
                for level in some
                if level.sku not in items
            }
            for path, changes in batches(some, items):
                answer = _object(
                    (await self._send("POST", path, {"update": changes.content})).json()
                )
                for done in answer.get("update", ()):
                    if fault := done.get("error"):
                        refused[changes.skus[str(done.get("id"))]] = str(fault.get("message"))
        return refused

    async def _items(self, levels: Sequence[Level]) -> Mapping[str, Sequence[Item]]:
        """Our SKU → what it is there. A name that is a number may be an id there as well."""
        names = sorted({name for level in levels for name in level.names if "," not in name})
        found: list[Mapping[str, Any]] = []
        for page in range(1, _PAGES_MAX + 1):
            asked = {"sku": ",".join(names), "per_page": "100", "page": str(page), "status": "any"}
            listed = _listed(await self._get("products", **asked)) if names else []
            found += listed
            if len(listed) < 100:
                break
        known = {str(one.get("sku")) for one in found}
        for name in names:
            if name.isascii() and name.isdecimal() and name not in known:
                product = await self._product(name)
                # Orders name what has a SKU by that, and never by its id.
                if product is not None and not product.get("sku"):
                    found.append({**product, "sku": name})
        return items_of(levels, found)

    async def refunds(self, subject: str) -> Sequence[Refunded]:
        """Ours are known by their reason, which has the key."""
        order = _object((await self._get(f"orders/{subject}")).json())
        return await self._refunds(subject, str(order["currency"]))

    async def _refunds(self, subject: str, currency: str) -> list[Refunded]:
        most = str(_REFUNDS_MAX)
        listed = _listed(await self._get(f"orders/{subject}/refunds", per_page=most))
        if len(listed) >= _REFUNDS_MAX:
            raise ShopSaysNo("the order has more refunds than are read")
        for one in listed:
            if is_ours(str(one.get("reason") or "")) and not one.get("refunded_payment", True):
                # It writes the refund down before it asks the payment company.
                raise ShopAway("a refund is under way there")
        return [_refund(one, currency) for one in listed]

    async def refund(self, subject: str, key: str, amount: Money) -> Refunded:
        """Through the payment's own extension there, which moves the money."""
        made = await self._under(subject, key, amount.currency)
        if made is not None:
            return made
        wanted = {
            "amount": str(to_decimal(amount.minor, amount.currency)),
            "reason": f"{OUR_REFUND}{key}",
            "api_refund": True,
            "api_restock": False,
        }
        try:
            reply = await self._send("POST", f"orders/{subject}/refunds", wanted)
        except ServerFault as fault:
            # It says no with a 500; where it does, it has deleted the refund again.
            refusal = _refusal(fault.reply)
            if refusal is None or refusal[0] != _CANNOT_REFUND:
                raise
            made = await self._under(subject, key, amount.currency)
            if made is not None:
                return made
            raise ShopSaysNo(refusal[1]) from None
        return _refund(_object(reply.json()), amount.currency)

    async def _under(self, subject: str, key: str, currency: str) -> Refunded | None:
        found = await self._refunds(subject, currency)
        return next((one for one in found if one.key == key), None)

    async def _get(self, path: str, **asked: str) -> Reply:
        url = f"{self._base}/{path}" + (f"?{urlencode(asked)}" if asked else "")
        return _checked(await again(lambda: self._web.call("GET", url, self._headers)))

    async def _product(self, number: str) -> dict[str, Any] | None:
        """A product by its id; None: it is not there."""
        url = f"{self._base}/products/{number}"
        reply = await again(lambda: self._web.call("GET", url, self._headers))
        return None if reply.status == 404 else _object(_checked(reply).json())

    async def _send(self, method: str, path: str, content: Any) -> Reply:
        url = f"{self._base}/{path}"
        return _checked(await self._web.call(method, url, self._headers, content))


def _checked(reply: Reply) -> Reply:
    if reply.status < 400:
        return reply
    refusal = _refusal(reply)
    if refusal is None or refusal[0] == _NO_ROUTE:
        raise ShopRefuses(f"it answered {reply.status}: is its address right, and WooCommerce on?")
    if refusal[0] == _NO_ORDER:
        raise NotThere(refusal[1])
    raise ShopSaysNo(refusal[1])


def _refusal(reply: Reply) -> tuple[str, str] | None:
    """The code and the words of its no; None: the answer is nobody's who knows WooCommerce."""
    try:
        content = reply.json()
    except ShopAway:
        return None
    if not isinstance(content, dict) or not isinstance(content.get("code"), str):
        return None
    return content["code"], str(content.get("message") or content["code"])[:_SAID_CHARACTERS_MAX]


def _changed(content: Mapping[str, Any]) -> Changed:
    subject, version = subject_and_version(content)
    return Changed(subject, version, content)


def _listed(reply: Reply) -> list[dict[str, Any]]:
    content = reply.json()
    if not isinstance(content, list) or not all(isinstance(one, dict) for one in content):
        raise ShopAway("it answered with something that is not a list")
    return content


def _object(content: Any) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise ShopAway("it answered with something that is not an object")
    return content


def _tracking(order: Mapping[str, Any]) -> list[dict[str, Any]]:
    for one in order.get("meta_data", ()):
        if one.get("key") == _TRACKING and isinstance(one.get("value"), list):
            return [item for item in one["value"] if isinstance(item, dict)]
    return []


def _refund(refund: Mapping[str, Any], currency: str) -> Refunded:
    reason = str(refund.get("reason") or "")
    minor = to_minor(amount_text(abs(Decimal(str(refund["amount"]))), currency), currency)
    return Refunded(
        reference=f"woocommerce-refund-{refund['id']}",
        key=reason.removeprefix(OUR_REFUND) if is_ours(reason) else "",
        amount=Money(minor=minor, currency=currency),
        at=datetime.fromisoformat(f"{refund['date_created_gmt']}+00:00"),
    )
