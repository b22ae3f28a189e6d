"""The protocol that every carrier's adapter implements."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict

from domain.fulfilment.label_files import LabelFile
from domain.fulfilment.packed import Packed
from domain.money import Money
from domain.orders.people import Address


class Label(BaseModel):
    """A parcel label as the carrier has it now; `voided` once it was given back.

    Carriers use tracking numbers again after some time: a number alone never identifies a parcel,
    but carrier, number and shipment together do.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    carrier: str
    tracking_number: str
    service: str
    voided: bool
    files: tuple[LabelFile, ...] = ()
    """The label to print, in each format that the carrier makes. They are kept with the parcel."""


class Carrier(Protocol):
    """A carrier that sells labels.

    `key` is the idempotency key: the same key with the same content gives the same answer and at
    most one label, however often and however concurrently it is sent; with other content it is
    Declined(IDEMPOTENCY_CONFLICT). Every method may raise `OutcomeUnknown` (Unavailable, TimedOut)
    and `Declined`. See `activities.provider_errors`.
    """

    async def buy_label(
        self,
        *,
        key: str,
        fulfilment_id: str,
        service: str,
        country: str,
        postal_code: str | None,
        packed: Packed,
    ) -> Label:
        """Buy a label. Raises Declined(NOT_SERVICEABLE) for an address or service it cannot do.

        `country` is ISO 3166-1 alpha-2. `packed`: box and weight, as far as the packer gave them;
        what is told under a key never changes. A repeat returns the same label as it is now:
        `voided` is true if it was given back since. It has its files with it, as `lookup` has:
        where the worker dies before they are kept, they come so, and nothing is bought again. An
        adapter whose company gives a file in a call of its own raises `OutcomeUnknown` while it
        cannot have it.
        """
        ...

    async def void_label(self, *, key: str, tracking_number: str) -> None:
        """Give back the newest label with this number.

        Raises Declined(ALREADY_VOIDED) when another key has given it back before.
        """
        ...

    async def lookup(self, *, key: str) -> Label | None:
        """Look up the call with this key, be it a purchase or a void.

        Returns the call's label as it is now, or None if the carrier has not seen the key. Raises
        `Declined` if the carrier refused the call. None means "not seen yet", not "never happened":
        repeat the call with the same key.
        """
        ...


@runtime_checkable
class SellsReturnLabels(Protocol):
    """What a `Carrier` has besides that sells labels for parcels from customers, too.

    Its `lookup` and `void_label` know these labels. Without it, customers send parcels by
    themselves.
    """

    async def buy_return_label(
        self,
        *,
        key: str,
        return_id: str,
        service: str,
        country: str,
        postal_code: str | None,
        location: str,
    ) -> Label:
        """Buy a label from this address to one of our locations, as `buy_label` buys one to it.

        The carrier's account knows the locations by their names here. Raises
        Declined(NOT_SERVICEABLE) for an address, service or location that it cannot do.
        """
        ...


class Intercepted(BaseModel):
    """The carrier stops the parcel. `fee`: what it charges for that, tax included."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fee: Money | None = None


@runtime_checkable
class Intercepts(Protocol):
    """What a `Carrier` has besides that stops parcels on their way.

    The same key with the same content gives the same answer, as with `buy_label`; where the answer
    is lost, the call is repeated with its key.
    """

    async def intercept(self, *, key: str, tracking_number: str, to: Address | None) -> Intercepted:
        """Redirect the newest parcel with this number; without an address, back to the sender.

        What comes of it is told by scans. Raises Declined(TOO_LATE) where it cannot be stopped any
        more, NOT_SERVICEABLE for an address that the carrier cannot do, and NOT_FOUND.
        """
        ...
