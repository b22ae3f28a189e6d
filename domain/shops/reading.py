"""Reads a message by the kind of shop that sent it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from domain.errors import InvalidInput
from domain.shops import generic, shopify, woocommerce
from domain.shops.access import ShopKind
from domain.shops.connections import ShopOptions
from domain.shops.news import OrderNews
from domain.shops.signatures import TEST_TOPIC


def is_about_an_order(kind: ShopKind, topic: str) -> bool:
    """Whether messages of this topic hold a whole order."""
    match kind:
        case "shopify":
            return topic in shopify.TOPICS
        case "woocommerce":
            return topic in woocommerce.TOPICS
    return topic != TEST_TOPIC


def content_of(body: bytes) -> Any:
    """A message's JSON. Raises InvalidInput."""
    try:
        content = json.loads(body.decode("utf-8"))
        # Python reads half a surrogate pair, a zero byte and NaN; the database refuses them.
        text = json.dumps(content, ensure_ascii=False, allow_nan=False)
        text.encode("utf-8")
    except (ValueError, RecursionError):
        raise InvalidInput("is not JSON, or was cut off on its way", where="body") from None
    if not isinstance(content, dict):
        raise InvalidInput("must be a JSON object", where="body")
    return content


def subject_and_version(kind: ShopKind, content: Any, sent: datetime) -> tuple[str, datetime]:
    """Which order of the shop's a message is about, and as of when. Raises InvalidInput.

    Two messages about one order are put in their sequence by that, however they come.
    """
    match kind:
        case "shopify":
            return shopify.subject_and_version(content)
        case "woocommerce":
            return woocommerce.subject_and_version(content)
    return generic.subject(content), sent


def read_order(kind: ShopKind, content: Any, channel: str, options: ShopOptions) -> OrderNews:
    """What a message means. Raises InvalidInput that names what is wrong."""
    reader = {
        "shopify": shopify.read_order,
        "woocommerce": woocommerce.read_order,
        "generic": generic.read_order,
    }[kind]
    return reader(content, channel, options)
