"""Kinds of messages to customers, and of which events each of them tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal, get_args

from domain.notifications.event_types import EventType

MessageKind = Literal[
    "received",
    "held",
    "released",
    "confirmed",
    "backordered",
    "delayed",
    "partly_cancelled",
    "cancelled",
    "ready",
    "label_made",
    "shipped",
    "at_pickup_point",
    "pickup_ends",
    "delivered",
    "undeliverable",
    "lost",
    "payment_refused",
    "refund",
    "return_requested",
    "return_approved",
    "return_declined",
    "return_cancelled",
    "return_label",
    "return_overdue",
    "return_received",
    "exchanged",
    "claim_made",
    "claim_decided",
]
KINDS: Final[tuple[MessageKind, ...]] = get_args(MessageKind)

MessageState = Literal["planned", "sending", "sent", "refused", "bounced", "dropped"]
"""refused: the mail server, or the recipient's, took it not. dropped: it was not even tried."""

ChannelKind = Literal["web", "pos", "marketplace", "b2b"]

TELLS: Final[Mapping[EventType, MessageKind]] = {
    "orderloom.order.received.v1": "received",
    "orderloom.order.held.v1": "held",
    "orderloom.order.released.v1": "released",
    "orderloom.order.confirmed.v1": "confirmed",
    "orderloom.order.backordered.v1": "backordered",
    "orderloom.order.promise_moved.v1": "delayed",
    "orderloom.order.promise_at_risk.v1": "delayed",
    "orderloom.order.units_cancelled.v1": "partly_cancelled",
    "orderloom.order.cancelled.v1": "cancelled",
    "orderloom.order.rejected.v1": "cancelled",
    "orderloom.order.exchanged.v1": "exchanged",
    "orderloom.fulfilment.ready_to_collect.v1": "ready",
    "orderloom.fulfilment.labelled.v1": "label_made",
    "orderloom.fulfilment.shipped.v1": "shipped",
    "orderloom.fulfilment.at_pickup_point.v1": "at_pickup_point",
    "orderloom.fulfilment.pickup_ends.v1": "pickup_ends",
    "orderloom.fulfilment.delivered.v1": "delivered",
    "orderloom.fulfilment.undeliverable.v1": "undeliverable",
    "orderloom.fulfilment.lost.v1": "lost",
    "orderloom.payment.refused.v1": "payment_refused",
    "orderloom.refund.issued.v1": "refund",
    "orderloom.return.requested.v1": "return_requested",
    "orderloom.return.approved.v1": "return_approved",
    "orderloom.return.declined.v1": "return_declined",
    "orderloom.return.cancelled.v1": "return_cancelled",
    "orderloom.return.label_bought.v1": "return_label",
    "orderloom.return.overdue.v1": "return_overdue",
    "orderloom.return.received.v1": "return_received",
    "orderloom.claim.made.v1": "claim_made",
    "orderloom.claim.decided.v1": "claim_decided",
}
"""The type of an event → the message that tells of it. Other events are no message."""

UNTOLD: Final = (
    # These come back by themselves: the customer has nothing to do with it.
    *("coming back", "found, and coming back", "lost goods are back"),
    # The refusal of the payment is told.
    "held: payment",
    # It does not go on: that it is cancelled is told.
    "hold ended",
)
"""Lines of stories whose events are no message, though their types are. Nor are those whose data
says that they are quiet (`domain.orders.hold_messages.TELLS_CUSTOMER`).
"""

OFF: Final[frozenset[MessageKind]] = frozenset({"label_made"})
"""Kinds that are sent only where the settings name them."""

WISHED: Final[frozenset[MessageKind]] = frozenset({"label_made", "delivered"})
"""Kinds that a customer may not wish to get (`delivery_updates` of the consent). All others say
what an order needs: what is agreed, what is to be done, and what happens to the money."""

USUAL: Final[Mapping[ChannelKind, Sequence[MessageKind]]] = {
    "web": [kind for kind in KINDS if kind not in OFF],
    "b2b": [kind for kind in KINDS if kind not in OFF],
    # Who buys at a counter has the goods in the hand, and a marketplace writes to its customers.
    "pos": ["refund", "ready", *(kind for kind in KINDS if kind.startswith("return_"))],
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
