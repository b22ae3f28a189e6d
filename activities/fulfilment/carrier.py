"""What Orderloom asks of a carrier."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel, ConfigDict


class Label(BaseModel):
    """A parcel label as the carrier has it now; `voided` once it was given back.

    Carriers use tracking numbers again after some time: a number alone never identifies a parcel,
    carrier + number + shipment does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    carrier: str
    tracking_number: str
    service: str
    voided: bool


class Carrier(Protocol):
    """A carrier that sells labels.

    `key` is the idempotency key: the same key with the same content gives the same answer and at
    most one label, however often and however concurrently it is sent; with other content it is
    Declined(IDEMPOTENCY_CONFLICT). Every method may raise `OutcomeUnknown` (Unavailable, TimedOut)
    and `Declined`. See `activities.provider_errors`.
    """

    async def buy_label(
        self, *, key: str, fulfilment_id: str, service: str, country: str, postal_code: str | None
    ) -> Label:
        """Buy a label. An address or service the carrier cannot do is Declined(NOT_SERVICEABLE).

        `country` is ISO 3166-1 alpha-2. A repeat shows the same label as it stands now: `voided` is
        true if it was given back since.
        """
        ...

    async def void_label(self, *, key: str, tracking_number: str) -> None:
        """Give back the newest label with this number.

        Giving it back again with another key is Declined(ALREADY_VOIDED).
        """
        ...

    async def lookup(self, *, key: str) -> Label | None:
        """What became of the call with this key, be it a purchase or a void.

        Returns the label it was about as it stands now, or None if the carrier has not seen the
        key. Raises `Declined` if the carrier refused the call. None speaks of now: the safe next
        step is the same call with the same key.
        """
        ...
