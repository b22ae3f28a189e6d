"""What each type of event about a customer says: numbers and codes, and nothing personal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from domain.customers.care import ConsentKind
from domain.notifications.event_types import CustomerEventType


class ToldCustomer(BaseModel):
    """A customer as they are when the event is sent. `GET /v1/customers/{customer_id}` has more.

    `merged_into`: the customer who is this person as well, and whose the rest is. `merged`: who is
    merged into this one. Of one who is erased nothing is known but the id.
    """

    model_config = ConfigDict(frozen=True)

    customer_id: str
    known_since: datetime
    erased: bool
    merged_into: str | None
    merged: tuple[str, ...]
    consent: Mapping[ConsentKind, bool] = Field(
        description="Which messages they wish to get, beside those that an order needs."
    )
    segments: tuple[str, ...]


class CustomerData(BaseModel):
    """The customer as it is when the event is sent, which may be later than what it tells."""

    model_config = ConfigDict(frozen=True)

    customer: ToldCustomer


class MergeData(CustomerData):
    """Two customers are one person, or are two after all."""

    into: str | None = Field(None, description="The customer who remains, or remained.")


class SegmentData(CustomerData):
    """Somebody belongs to a segment, or does so no more."""

    segment: str | None = None


class CustomerKind(NamedTuple):
    """One type of event: when it is sent, and what it says."""

    when: str
    data: type[CustomerData]


CUSTOMER_CATALOGUE: Final[Mapping[CustomerEventType, CustomerKind]] = {
    "orderloom.customer.created.v1": CustomerKind(
        "Somebody has ordered for the first time.", CustomerData
    ),
    "orderloom.customer.changed.v1": CustomerKind(
        "Who or where the customer is has changed: an order was edited, or one was erased.",
        CustomerData,
    ),
    "orderloom.customer.merged.v1": CustomerKind(
        "The customer is the same person as another one.", MergeData
    ),
    "orderloom.customer.unmerged.v1": CustomerKind("The two are two after all.", MergeData),
    "orderloom.customer.consent_changed.v1": CustomerKind(
        "The customer has said which messages they wish.", CustomerData
    ),
    "orderloom.customer.segment_entered.v1": CustomerKind(
        "The customer belongs to a segment.", SegmentData
    ),
    "orderloom.customer.segment_left.v1": CustomerKind(
        "The customer belongs to a segment no more.", SegmentData
    ),
    "orderloom.customer.erased.v1": CustomerKind(
        "Nobody knows the customer any more: erase them, too.", CustomerData
    ),
}


def customer_data_of(
    kind: CustomerEventType, customer: ToldCustomer, *, into: str | None, segment: str | None
) -> CustomerData:
    """What an event about a customer says.

    `into`, `segment`: None also where the change is not kept any more.
    """
    said = {"customer": customer, "into": into, "segment": segment}
    model = CUSTOMER_CATALOGUE[kind].data
    return model.model_validate({name: said[name] for name in model.model_fields})
