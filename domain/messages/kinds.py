"""Kinds of messages to customers, and of which events each of them tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal, get_args

from domain.notifications.event_types import EventType

MessageKind = Literal[
    "received",
    "confirmed",
    "cancelled",
    "shipped",
    "delivered",
    "refund",
]
KINDS: Final[tuple[MessageKind, ...]] = get_args(MessageKind)

MessageState = Literal["planned", "sending", "sent", "refused", "bounced", "dropped"]
"""refused: the mail server, or the recipient's, took it not. dropped: it was not even tried."""

ChannelKind = Literal["web", "pos", "marketplace", "b2b"]

TELLS: Final[Mapping[EventType, MessageKind]] = {
    "orderloom.order.received.v1": "received",
    "orderloom.order.confirmed.v1": "confirmed",
    "orderloom.order.cancelled.v1": "cancelled",
    "orderloom.order.rejected.v1": "cancelled",
    "orderloom.fulfilment.shipped.v1": "shipped",
    "orderloom.fulfilment.delivered.v1": "delivered",
    "orderloom.refund.issued.v1": "refund",
}
"""The type of an event → the message that tells of it. Other events are no message."""

OFF: Final[frozenset[MessageKind]] = frozenset()
"""Kinds that are sent only where the settings name them."""

USUAL: Final[Mapping[ChannelKind, Sequence[MessageKind]]] = {
    "web": [kind for kind in KINDS if kind not in OFF],
    "b2b": [kind for kind in KINDS if kind not in OFF],
    # Who buys at a counter has the goods in the hand, and a marketplace writes to its customers.
    "pos": ["refund"],
    "marketplace": [],
}


def told(
    chosen: Mapping[ChannelKind, Sequence[MessageKind]],
) -> list[tuple[ChannelKind, EventType, MessageKind]]:
    """Which events become which messages, for each kind of channel.

    `chosen`: what the settings say in place of `USUAL`, for the kinds of channels that they name.
    """
    return [
        (channel, event, kind)
        for channel, usual in USUAL.items()
        for event, kind in TELLS.items()
        if kind in chosen.get(channel, usual)
    ]
