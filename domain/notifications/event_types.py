"""Which lines of an order's story are events for other systems, which changes of customers are,
and of which type.

A type ends in its version. Within a version, fields and types are only added.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeGuard, get_args

OrderEventType = Literal[
    "orderloom.order.received.v1",
    "orderloom.order.confirmed.v1",
    "orderloom.order.rejected.v1",
    "orderloom.order.held.v1",
    "orderloom.order.released.v1",
    "orderloom.order.hold_extended.v1",
    "orderloom.order.backordered.v1",
    "orderloom.order.backorder_filled.v1",
    "orderloom.order.promise_moved.v1",
    "orderloom.order.promise_at_risk.v1",
    "orderloom.order.promise_missed.v1",
    "orderloom.order.edited.v1",
    "orderloom.order.exchanged.v1",
    "orderloom.order.units_cancelled.v1",
    "orderloom.order.cancelled.v1",
    "orderloom.order.closed.v1",
    "orderloom.order.needs_attention.v1",
    "orderloom.order.attention_resolved.v1",
    "orderloom.order.person_erased.v1",
    "orderloom.fulfilment.picked.v1",
    "orderloom.fulfilment.short_picked.v1",
    "orderloom.fulfilment.packed.v1",
    "orderloom.fulfilment.labelled.v1",
    "orderloom.fulfilment.ready_to_collect.v1",
    "orderloom.fulfilment.appointment_made.v1",
    "orderloom.fulfilment.appointment_missed.v1",
    "orderloom.fulfilment.work_goes_on.v1",
    "orderloom.fulfilment.shipped.v1",
    "orderloom.fulfilment.at_pickup_point.v1",
    "orderloom.fulfilment.pickup_ends.v1",
    "orderloom.fulfilment.intercepted.v1",
    "orderloom.fulfilment.delivered.v1",
    "orderloom.fulfilment.undeliverable.v1",
    "orderloom.fulfilment.lost.v1",
    "orderloom.fulfilment.codes_revoked.v1",
    "orderloom.payment.charged.v1",
    "orderloom.payment.refused.v1",
    "orderloom.payment.disputed.v1",
    "orderloom.refund.granted.v1",
    "orderloom.refund.issued.v1",
    "orderloom.refund.refused.v1",
    "orderloom.refund.came_back.v1",
    "orderloom.return.requested.v1",
    "orderloom.return.approved.v1",
    "orderloom.return.declined.v1",
    "orderloom.return.cancelled.v1",
    "orderloom.return.label_bought.v1",
    "orderloom.return.in_transit.v1",
    "orderloom.return.overdue.v1",
    "orderloom.return.received.v1",
    "orderloom.claim.made.v1",
    "orderloom.claim.decided.v1",
]
CustomerEventType = Literal[
    "orderloom.customer.created.v1",
    "orderloom.customer.changed.v1",
    "orderloom.customer.merged.v1",
    "orderloom.customer.unmerged.v1",
    "orderloom.customer.consent_changed.v1",
    "orderloom.customer.segment_entered.v1",
    "orderloom.customer.segment_left.v1",
    "orderloom.customer.erased.v1",
]
EventType = Literal[OrderEventType, CustomerEventType]
EVENT_TYPES: Final[tuple[EventType, ...]] = get_args(EventType)
CUSTOMER_EVENT_TYPES: Final[tuple[CustomerEventType, ...]] = get_args(CustomerEventType)
"""Only who names them gets them: they are about persons, and of no channel or seller."""

TEST_TYPE: Final = "orderloom.test.v1"
"""Of the event that only shows whether a subscription works."""

TOLD: Final[Mapping[str, OrderEventType]] = {
    "received": "orderloom.order.received.v1",
    "confirmed": "orderloom.order.confirmed.v1",
    "rejected": "orderloom.order.rejected.v1",
    "held": "orderloom.order.held.v1",
    "released": "orderloom.order.released.v1",
    "hold ended": "orderloom.order.released.v1",
    "hold extended": "orderloom.order.hold_extended.v1",
    "backordered": "orderloom.order.backordered.v1",
    "stock reserved, the rest is backordered": "orderloom.order.backordered.v1",
    "missing units backordered": "orderloom.order.backordered.v1",
    "fell back to backorder": "orderloom.order.backordered.v1",
    "backorder filled": "orderloom.order.backorder_filled.v1",
    "first day of sale moved": "orderloom.order.promise_moved.v1",
    "promise at risk": "orderloom.order.promise_at_risk.v1",
    "promise missed": "orderloom.order.promise_missed.v1",
    "edited": "orderloom.order.edited.v1",
    "exchanged": "orderloom.order.exchanged.v1",
    "units cancelled": "orderloom.order.units_cancelled.v1",
    "missing units cancelled": "orderloom.order.units_cancelled.v1",
    "cancelled": "orderloom.order.cancelled.v1",
    "closed": "orderloom.order.closed.v1",
    "needs attention": "orderloom.order.needs_attention.v1",
    "attention resolved": "orderloom.order.attention_resolved.v1",
    "person erased": "orderloom.order.person_erased.v1",
    "picked": "orderloom.fulfilment.picked.v1",
    "short pick": "orderloom.fulfilment.short_picked.v1",
    "packed": "orderloom.fulfilment.packed.v1",
    "label bought": "orderloom.fulfilment.labelled.v1",
    "ready to be collected": "orderloom.fulfilment.ready_to_collect.v1",
    "sent by the supplier": "orderloom.fulfilment.labelled.v1",
    "appointment made": "orderloom.fulfilment.appointment_made.v1",
    "appointment moved": "orderloom.fulfilment.appointment_made.v1",
    "appointment missed": "orderloom.fulfilment.appointment_missed.v1",
    "work goes on": "orderloom.fulfilment.work_goes_on.v1",
    "shipped": "orderloom.fulfilment.shipped.v1",
    "waits at a pick-up point": "orderloom.fulfilment.at_pickup_point.v1",
    "pick-up ends soon": "orderloom.fulfilment.pickup_ends.v1",
    "intercepted": "orderloom.fulfilment.intercepted.v1",
    "delivered": "orderloom.fulfilment.delivered.v1",
    "undeliverable": "orderloom.fulfilment.undeliverable.v1",
    "lost": "orderloom.fulfilment.lost.v1",
    "codes revoked": "orderloom.fulfilment.codes_revoked.v1",
    "charged": "orderloom.payment.charged.v1",
    "authorize refused": "orderloom.payment.refused.v1",
    "capture refused": "orderloom.payment.refused.v1",
    "dispute": "orderloom.payment.disputed.v1",
    "refund granted": "orderloom.refund.granted.v1",
    "refunded": "orderloom.refund.issued.v1",
    "paid back elsewhere": "orderloom.refund.issued.v1",
    "refund refused": "orderloom.refund.refused.v1",
    "refund came back": "orderloom.refund.came_back.v1",
    "return requested": "orderloom.return.requested.v1",
    "return approved": "orderloom.return.approved.v1",
    "return declined": "orderloom.return.declined.v1",
    "return cancelled": "orderloom.return.cancelled.v1",
    "return label bought": "orderloom.return.label_bought.v1",
    "return in transit": "orderloom.return.in_transit.v1",
    "return overdue": "orderloom.return.overdue.v1",
    "overdue return closed": "orderloom.return.cancelled.v1",
    "coming back": "orderloom.return.approved.v1",
    "found, and coming back": "orderloom.return.approved.v1",
    "return received": "orderloom.return.received.v1",
    "lost goods are back": "orderloom.return.received.v1",
    "claimed goods are asked back": "orderloom.return.approved.v1",
    "claimed goods are back": "orderloom.return.received.v1",
    "claim made": "orderloom.claim.made.v1",
    "claim decided": "orderloom.claim.decided.v1",
}
"""The first words of a line, up to a colon → the type of its event.

"units cancelled" is said of lines that read "cancelled" and are not the order's end
(`event_word` in store/schema/routines/notifications.sql).
"""

NOT_TOLD: Final = frozenset(
    {
        "address refused",
        "authorization ended",
        "authorization released",
        "authorization renewed",
        "backorder waits on",
        "cancellation asked for",
        "carrier claim",
        "difference resolved",
        "erasure asked for",
        "exchange settled",
        "found goods kept by the customer",
        "found goods not paid for",
        "goodwill asked for",
        "interception given up",
        "label printed again",
        "label printed",
        "label refused",
        "label voided",
        "missing units refunded",
        "not returned, written off",
        "note",
        "missing units replaced",
        "packing slip printed",
        "paid back more than was charged",
        "pick list printed",
        "picking starts again",
        "placed as an exchange",
        "put back",
        "ready for its appointment",
        "ready for the workshop",
        "ready to be given out",
        "refused by the warehouse",
        "rejection asked for",
        "stock reserved",
        "unexpected carrier scan",
        "units freed",
        "to be sent anew",
        "void refused",
        "work done",
        "work failed",
        "work stopped",
    }
)
"""Lines for people here: how Orderloom works inside. A request that is refused is one as well."""


CHANGES_TOLD: Final[Mapping[str, CustomerEventType]] = {
    "created": "orderloom.customer.created.v1",
    "changed": "orderloom.customer.changed.v1",
    "merged": "orderloom.customer.merged.v1",
    "unmerged": "orderloom.customer.unmerged.v1",
    "consent_changed": "orderloom.customer.consent_changed.v1",
    "segment_entered": "orderloom.customer.segment_entered.v1",
    "segment_left": "orderloom.customer.segment_left.v1",
    "erased": "orderloom.customer.erased.v1",
}
"""What happens to customers (`customer_change`) → the type of its event.

That a customer has ordered again is told by the order's own events.
"""


def is_of_customers(type_: str) -> TypeGuard[CustomerEventType]:
    """Whether an event of this type is about a customer, and of no order."""
    return type_ in CUSTOMER_EVENT_TYPES


def is_known(word: str) -> bool:
    """Whether somebody has decided about lines with these first words."""
    return word in TOLD or word in NOT_TOLD or word.endswith(" refused")
