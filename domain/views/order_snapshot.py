"""An order as the world outside sees it: in answers of the HTTP API, and in events.

It is whole each time, so nobody has to add up changes. What was promised, what has happened since
and what was adjusted are three lists of it. Of a person it tells the customer's id, and what people
typed as reasons.
Amounts are decimal texts in the order's currency ("12.50"), and times are in UTC.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.orders.fulfilment_state import FulfilmentState
from domain.orders.handling import Handling
from domain.orders.messages import RefundKind, RefundTo
from domain.orders.return_messages import ReturnState
from domain.payments.payments import Kind, PaymentState

OrderState = Literal[
    "received",
    "held",
    "confirmed",
    "in_fulfilment",
    "delivered",
    "closed",
    "rejected",
    "cancelled",
]
FulfilmentStatus = Literal["unfulfilled", "partly_fulfilled", "fulfilled"]
PaymentStatus = Literal[
    "unpaid",
    "authorized",
    "paid",
    "disputed",
    "refund_owed",
    "partly_refunded",
    "refunded",
    "voided",
]
AmountText = Annotated[
    str, Field(pattern=r"^-?[0-9]+(\.[0-9]+)?$", examples=["12.50"], description="Decimal text.")
]
Units = dict[str, int]
"""Line id → units."""


class Part(BaseModel):
    """A part of what is shown: frozen, and always with all of its fields."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_serialization_defaults_required=True
    )


class ShownLine(Part):
    """One line, and where its units are now. `total`: with tax and its share of the shipping."""

    line_id: str
    sku: str
    total: AmountText
    ordered: int
    backordered: int
    allocated: int
    picked: int
    shipped: int
    delivered: int
    lost: int
    cancelled: int
    return_requested: int
    returned: int


class ShownFulfilment(Part):
    """One location's part of the order, and its parcel once it has one."""

    fulfilment_id: str
    location: str
    handling: Handling
    state: FulfilmentState
    changed_at: datetime
    units: Units
    carrier: str | None
    tracking_number: str | None
    carrier_status: str | None
    last_scan_at: datetime | None
    handed_over_at: datetime | None


class ShownPayment(Part):
    """One call to a payment company, and what became of it. `message`: the company's own words."""

    payment_id: str
    kind: Kind
    state: PaymentState
    provider: str
    amount: AmountText
    requested_at: datetime
    settled_at: datetime | None
    message: str


class WaitingStep(Part):
    """A step that waits for a person. `allowed`: the answers it takes; none: it ends by itself."""

    step: str
    reason: str
    since: datetime
    allowed: tuple[str, ...]


class PromisedDays(Part):
    """By these days at the latest, these units leave their location, and arrive."""

    fulfilment_id: str
    units: Units
    leaves_on: date | None
    arrives_on: date | None


class Happened(Part):
    """Something that has happened. Such entries are only ever added, `event_id` by `event_id`.

    `of`: the fulfilment or the return that it happened to.
    """

    event_id: int
    at: datetime
    what: str
    of: str | None
    by: str


class ShownRefund(Part):
    """An amount that is paid back: `owed` of it is not with the customer yet."""

    type: Literal["refund"]
    refund_id: str
    kind: RefundKind
    at: datetime
    reason: str
    amount: AmountText
    owed: AmountText
    to: RefundTo
    units: Units


class ReturnedUnits(Part):
    """Units of a line in a return: asked for, fit to be sold again, and not fit."""

    quantity: int
    restocked: int
    scrapped: int


class ShownReturn(Part):
    """Goods that come back. undeliverable, found: the carrier brings them, nobody has asked."""

    type: Literal["return"]
    return_id: str
    kind: Literal["customer", "undeliverable", "found", "claimed"]
    state: ReturnState
    at: datetime
    reason: str
    units: dict[str, ReturnedUnits]


Adjusted = Annotated[ShownRefund | ShownReturn, Field(discriminator="type")]
"""What was changed of that which was agreed when the order was placed."""


class OrderSnapshot(Part):
    """An order at one moment.

    `version` names what is shown: where it is the same, so is everything else. `waits_to_start`: it
    is on record, and its workflow has not begun.
    """

    order_id: str
    version: str
    channel: str
    channel_order_id: str
    seller: str
    customer_id: str
    state: OrderState
    fulfilment_status: FulfilmentStatus
    payment_status: PaymentStatus
    reason: str
    held: str | None
    waits_to_start: bool
    currency: str
    total: AmountText
    authorized: AmountText
    captured: AmountText
    refunded: AmountText
    refund_owed: AmountText
    placed_at: datetime
    received_at: datetime
    lines: tuple[ShownLine, ...]
    fulfilments: tuple[ShownFulfilment, ...]
    payments: tuple[ShownPayment, ...]
    promised: tuple[PromisedDays, ...]
    happened: tuple[Happened, ...]
    adjusted: tuple[Adjusted, ...]
    tasks: tuple[WaitingStep, ...]
