"""What each type of event says, beside the whole order: the catalogue of docs/events.md."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.money import to_decimal
from domain.notifications.event_types import TEST_TYPE, OrderEventType
from domain.views.order_snapshot import AmountText, OrderSnapshot, Units


class EventData(BaseModel):
    """The order as it is when the event is sent, which may be later than what the event tells."""

    model_config = ConfigDict(frozen=True)

    order: OrderSnapshot
    reason: str | None = Field(None, description="What a person or a company gave as the reason.")


class UnitsData(EventData):
    """Units that the order lacks, gets or loses."""

    units: Units | None = Field(None, description="Line id → units.")


class PromiseData(EventData):
    """A promised day, of a fulfilment or of a line that is waited for."""

    fulfilment_id: str | None = None
    line_id: str | None = None
    promised_on: date | None = None


class EditedData(EventData):
    """A new version of the order's document; `GET /v1/orders/{order_id}/versions` has it."""

    version: int | None = None


class ExchangeData(EventData):
    """A return, and the order of what is sent for it; that one has its own events."""

    return_id: str | None = None
    exchange_order_id: str | None = None


class AttentionData(EventData):
    """A step that waits for a person."""

    step: str


class FulfilmentData(EventData):
    """One location's part of the order; the order's `fulfilments` has the rest of it."""

    fulfilment_id: str | None = None
    units: Units | None = Field(None, description="Line id → units, where they are counted.")


class AppointmentData(EventData):
    """A service that is given at a time."""

    fulfilment_id: str | None = None
    begins_at: datetime | None = Field(None, description="When it is to be given.")


class ReturnData(EventData):
    """Goods that come back; the order's `adjusted` has the rest of it."""

    return_id: str | None = None
    fulfilment_id: str | None = None


class MoneyData(EventData):
    """An amount that was moved, or was not."""

    payment_id: str | None = None
    amount: AmountText | None = None
    currency: str | None = None


class DisputeData(EventData):
    """A customer's bank takes money back, or asks about it."""

    dispute_id: str | None = None
    dispute_state: str
    amount: AmountText | None = None
    currency: str | None = None


class RefundGrantedData(EventData):
    """The customer is owed an amount."""

    refund_id: str | None = None
    amount: AmountText | None = None
    currency: str | None = None


class ClaimData(EventData):
    """Something is wrong with what was delivered; with an amount, so much is paid back for it."""

    claim_id: str | None = None
    kind: str | None = None
    decision: str | None = None
    units: Units | None = Field(None, description="Line id → units; none of a late delivery.")
    amount: AmountText | None = None
    currency: str | None = None


class TestData(BaseModel):
    """Says that it is a test, and nothing of an order."""

    model_config = ConfigDict(frozen=True)

    message: str = "This is a test of your subscription."


class Kind(NamedTuple):
    """One type of event: when it is sent, and what it says."""

    when: str
    data: type[EventData]


CATALOGUE: Final[Mapping[OrderEventType, Kind]] = {
    "orderloom.order.received.v1": Kind("An order was taken in.", EventData),
    "orderloom.order.confirmed.v1": Kind(
        "It has its stock and its authorized payment: it will be sent.", EventData
    ),
    "orderloom.order.rejected.v1": Kind(
        "It could not be confirmed, and was never charged.", EventData
    ),
    "orderloom.order.held.v1": Kind("It does not go on until somebody acts.", EventData),
    "orderloom.order.released.v1": Kind("It is not held any more.", EventData),
    "orderloom.order.hold_extended.v1": Kind("A hold of it has another deadline.", EventData),
    "orderloom.order.backordered.v1": Kind("Some of its units are waited for.", UnitsData),
    "orderloom.order.backorder_filled.v1": Kind("Units that it waited for are there.", UnitsData),
    "orderloom.order.promise_moved.v1": Kind(
        "What is waited for is on sale from another day: another day is promised.", PromiseData
    ),
    "orderloom.order.promise_at_risk.v1": Kind(
        "A promised day will probably be missed.", PromiseData
    ),
    "orderloom.order.promise_missed.v1": Kind("A promised day was missed.", PromiseData),
    "orderloom.order.edited.v1": Kind(
        "It was changed after it was placed: what is wanted of it, or where it goes.", EditedData
    ),
    "orderloom.order.exchanged.v1": Kind(
        "Units of it come back, and others are sent for them in an order of its own.", ExchangeData
    ),
    "orderloom.order.units_cancelled.v1": Kind(
        "Some of its units, or all, will not be sent.", UnitsData
    ),
    "orderloom.order.cancelled.v1": Kind("It has ended: nothing of it was sent.", EventData),
    "orderloom.order.closed.v1": Kind(
        "It has ended: everything is sent, paid and settled.", EventData
    ),
    "orderloom.order.needs_attention.v1": Kind("A step waits for a person.", AttentionData),
    "orderloom.order.attention_resolved.v1": Kind(
        "The step waits for nobody any more.", AttentionData
    ),
    "orderloom.order.person_erased.v1": Kind(
        "Who ordered it was erased: erase it, too.", EventData
    ),
    "orderloom.fulfilment.picked.v1": Kind("All of its goods were found.", FulfilmentData),
    "orderloom.fulfilment.short_picked.v1": Kind("Some of its goods were not.", FulfilmentData),
    "orderloom.fulfilment.packed.v1": Kind("It is in its parcel.", FulfilmentData),
    "orderloom.fulfilment.labelled.v1": Kind(
        "The parcel has its label and its tracking number.", FulfilmentData
    ),
    "orderloom.fulfilment.ready_to_collect.v1": Kind(
        "The goods lie ready: the customer collects them with the order's code.", FulfilmentData
    ),
    "orderloom.fulfilment.appointment_made.v1": Kind(
        "A time for a service was agreed, for the first time or another one.", AppointmentData
    ),
    "orderloom.fulfilment.appointment_missed.v1": Kind(
        "A service was not given at its time; another one is to be agreed.", AppointmentData
    ),
    "orderloom.fulfilment.work_goes_on.v1": Kind(
        "The workshop tells how far it has come with the goods.", FulfilmentData
    ),
    "orderloom.fulfilment.shipped.v1": Kind("The carrier has the parcel.", FulfilmentData),
    "orderloom.fulfilment.at_pickup_point.v1": Kind(
        "The carrier keeps the parcel for the customer, and takes it back after some days.",
        FulfilmentData,
    ),
    "orderloom.fulfilment.pickup_ends.v1": Kind(
        "The carrier takes the parcel back soon, because nobody has fetched it.", FulfilmentData
    ),
    "orderloom.fulfilment.intercepted.v1": Kind("The carrier stops the parcel.", FulfilmentData),
    "orderloom.fulfilment.delivered.v1": Kind("The customer has the parcel.", FulfilmentData),
    "orderloom.fulfilment.undeliverable.v1": Kind(
        "The carrier brings the parcel back.", FulfilmentData
    ),
    "orderloom.fulfilment.lost.v1": Kind("The carrier has lost the parcel.", FulfilmentData),
    "orderloom.fulfilment.codes_revoked.v1": Kind(
        "Codes were paid back, and are to be good no more.", EventData
    ),
    "orderloom.payment.charged.v1": Kind("The customer was charged.", MoneyData),
    "orderloom.payment.refused.v1": Kind(
        "A payment company refused to authorize or to charge.", MoneyData
    ),
    "orderloom.payment.disputed.v1": Kind("A dispute began, or has another state.", DisputeData),
    "orderloom.refund.granted.v1": Kind(
        "Somebody decided to pay something back.", RefundGrantedData
    ),
    "orderloom.refund.issued.v1": Kind("The customer was paid back.", MoneyData),
    "orderloom.refund.refused.v1": Kind("A payment company refused to pay back.", MoneyData),
    "orderloom.refund.came_back.v1": Kind("The customer's bank returned a refund.", MoneyData),
    "orderloom.return.requested.v1": Kind(
        "A return was asked for, about which a person decides.", ReturnData
    ),
    "orderloom.return.declined.v1": Kind("A person refused a return.", ReturnData),
    "orderloom.return.cancelled.v1": Kind(
        "A return was given up before anything came.", ReturnData
    ),
    "orderloom.return.label_bought.v1": Kind(
        "A label for the parcel can be given to the customer.", ReturnData
    ),
    "orderloom.return.in_transit.v1": Kind("A carrier has the parcel.", ReturnData),
    "orderloom.return.overdue.v1": Kind("A return has not come in time.", ReturnData),
    "orderloom.return.approved.v1": Kind("Goods are expected to come back.", ReturnData),
    "orderloom.return.received.v1": Kind("They came back, and were counted.", ReturnData),
    "orderloom.claim.made.v1": Kind(
        "The customer says that something is wrong with what came.", ClaimData
    ),
    "orderloom.claim.decided.v1": Kind(
        "A person, or a rule, has decided about a claim.", ClaimData
    ),
}


def data_of(
    kind: OrderEventType, order: OrderSnapshot, what: str, why: str | None, told: Mapping[str, Any]
) -> EventData:
    """What an event says, by its line of the order's story.

    `what`, `why`, `told`: the line's words, its reason and its data, which may be erased by now.
    """
    model = CATALOGUE[kind].data
    said: dict[str, Any] = {
        "step": what.partition(": ")[2],
        "dispute_state": what.partition(": ")[2].replace(" ", "_"),
        "units": _units(told),
        "payment_id": told.get("payment_key"),
        **{
            name: told.get(name)
            for name in (
                *("fulfilment_id", "line_id", "promised_on", "return_id", "dispute_id"),
                *("claim_id", "kind", "decision", "exchange_order_id"),
                "version",
            )
        },
    }
    granted = told.get("granted") or {}
    amount = granted.get("amount") or {
        "minor": told.get("amount_minor"),
        "currency": told.get("currency"),
    }
    said["refund_id"] = granted.get("refund_id")
    if amount["minor"] is not None and amount["currency"] is not None:
        said["amount"] = str(to_decimal(amount["minor"], amount["currency"]))
        said["currency"] = amount["currency"]
    fields = {name: said[name] for name in model.model_fields if said.get(name) is not None}
    try:
        return model.model_validate({"order": order, "reason": why, **fields})
    except ValidationError:
        # The order tells all of it. An odd line of one order must not hold back those of others.
        needed = {name: said[name] for name in ("step", "dispute_state") if name in fields}
        return model.model_validate({"order": order, "reason": why, **needed})


def _units(told: Mapping[str, Any]) -> Units | None:
    """The units that a line counts by order line; some count those of each fulfilment instead."""
    for name in ("units", "picked", "backordered"):
        counted = told.get(name)
        if (
            isinstance(counted, dict)
            and counted
            and all(isinstance(one, int) for one in counted.values())
        ):
            return counted
    return None


class Message(BaseModel):
    """An event as it is sent and read: CloudEvents 1.0, structured.

    `id` is the same whenever it is sent. `sequence` is a text that sorts: of two events of one
    order, or of one customer, the later one has the larger one. `subject`: its id.
    """

    model_config = ConfigDict(frozen=True)

    specversion: str = "1.0"
    id: str
    source: str
    type: str
    subject: str | None = None
    time: str
    sequence: str | None = None
    datacontenttype: str = "application/json"
    data: dict[str, Any]

    def body(self) -> bytes:
        """As it is sent, without what it does not have."""
        return self.model_dump_json(exclude_none=True).encode()


SOURCE: Final = "/orderloom/sellers/{seller}"
OWN_SOURCE: Final = "/orderloom"
"""Of what belongs to no seller: customers, and tests."""


def sequence_text(position: int) -> str:
    """A position as a text that sorts as positions do."""
    return f"{position:020d}"


def message_of_test(message_id: str, time: str) -> Message:
    """An event that shows whether a subscription works."""
    return Message(
        id=message_id,
        source=OWN_SOURCE,
        type=TEST_TYPE,
        time=time,
        data=TestData().model_dump(mode="json"),
    )
