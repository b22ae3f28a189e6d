"""The requests to stop a parcel on its way, and to send one anew that comes back; their answers.

An address stays out of it: it is kept with the order's person, and found by the request's id.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

from domain.fields import Flag, Reason, Shape, inconsistent
from domain.money import Money
from domain.orders.edit_messages import PersonChange
from domain.orders.messages import OrderRequest
from domain.orders.people import Address

Way = Literal["redirect", "return"]

FulfilmentId = Annotated[
    str,
    StringConstraints(min_length=1, max_length=300),
    Shape(r"^[^:\s]+:[0-9]{1,6}$", "the id of a fulfilment, such as web-1001:1"),
]


class InterceptRequest(OrderRequest):
    """Have the carrier stop a parcel that it has.

    `way`: redirect, to the address that is kept for this request's id; or return, to the sender.
    """

    fulfilment_id: FulfilmentId
    way: Way
    reason: Reason

    @model_validator(mode="after")
    def _is_found(self) -> Self:
        if self.way == "redirect" and self.request_id is None and type(self) is InterceptRequest:
            raise inconsistent("request_id", "is needed to find the address that is kept for it")
        return self


class Interception(InterceptRequest):
    """Have the carrier stop a parcel that it has, with the `address` that it is redirected to."""

    address: Address | None = None

    @model_validator(mode="after")
    def _goes_somewhere(self) -> Self:
        if (self.way == "redirect") != (self.address is not None):
            raise inconsistent("address", "is where a parcel is redirected to: give both or none")
        return self

    @property
    def person(self) -> PersonChange:
        """What changes of the person."""
        return PersonChange(address=self.address)

    @property
    def as_met(self) -> InterceptRequest:
        """The rest, as it goes to the order's workflow."""
        return InterceptRequest(**self.model_dump(exclude={"address"}, exclude_unset=True))


class InterceptOutcome(BaseModel):
    """The carrier has accepted it; its scans tell what comes of that. `fee`: what it asks for."""

    model_config = ConfigDict(frozen=True)

    request_id: str
    outcome: Literal["accepted"] = "accepted"
    fulfilment_id: str
    way: Way
    fee: Money | None = None


class SendAnewRequest(OrderRequest):
    """Send a parcel once more that its carrier brings back, instead of paying it back.

    `personal`: to the address that is kept for this request's id.
    """

    fulfilment_id: FulfilmentId
    reason: Reason
    personal: Flag = False

    @model_validator(mode="after")
    def _is_found(self) -> Self:
        if self.personal and self.request_id is None:
            raise inconsistent("request_id", "is needed to find the address that is kept for it")
        return self


class ParcelAnew(OrderRequest):
    """Send a parcel once more that its carrier brings back. `address`: to another one."""

    fulfilment_id: FulfilmentId
    reason: Reason
    address: Address | None = None

    @property
    def person(self) -> PersonChange:
        """What changes of the person."""
        return PersonChange(address=self.address)

    @property
    def as_met(self) -> SendAnewRequest:
        """The rest, as it goes to the order's workflow."""
        given = self.model_dump(exclude={"address"}, exclude_unset=True)
        return SendAnewRequest(**given, personal=self.address is not None)


class SendAnewOutcome(BaseModel):
    """It goes out once more when the warehouse has counted it as `return_id`."""

    model_config = ConfigDict(frozen=True)

    request_id: str
    outcome: Literal["awaited"] = "awaited"
    fulfilment_id: str
    return_id: str
