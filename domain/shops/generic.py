"""The generic kind: our own order document, or a cancellation, in JSON."""

from __future__ import annotations

import hashlib
from typing import Any

from pydantic import ValidationError

from domain.errors import InvalidInput
from domain.fields import Document, Printable, Reason
from domain.shops.connections import ShopOptions
from domain.shops.news import OrderNews, place, told


class Cancellation(Document):
    """`{"cancel": {"channel_order_id": "1001", "reason": "changed her mind"}}`."""

    channel_order_id: Printable
    reason: Reason


def subject(content: Any) -> str:
    """The number of the order that a message is about. Raises InvalidInput."""
    match content:
        case {"cancel": {"channel_order_id": str() | int() as number}}:
            return str(number).strip()
        case {"channel_order_id": str() | int() as number}:
            return str(number).strip()
    raise InvalidInput("is missing", where="channel_order_id")


def read_order(content: Any, channel: str, options: ShopOptions) -> OrderNews:
    """What a message means. Raises InvalidInput that names what is wrong."""
    number = subject(content)
    if "cancel" in content:
        try:
            cancel = Cancellation.model_validate(content["cancel"])
        except ValidationError as error:
            raise told(error, Cancellation) from None
        return OrderNews(number=number, order=None, cancelled=cancel.reason)
    digest = hashlib.sha256(number.encode()).hexdigest()[:24]
    payment = {"provider": options.paid_by, "token": f"generic-{digest}"}
    order = place({"channel": channel, "payment": payment, **content})
    if order.channel != channel:
        raise InvalidInput(f"is {order.channel}, but {channel} sent it", where="channel")
    return OrderNews(number=number, order=order)
