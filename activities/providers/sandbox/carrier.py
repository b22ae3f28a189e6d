"""A carrier that sells and takes back labels like a real one, from its own tables.

What it follows, by source:
- EasyPost Docs, "Shipping Refund", and Shippo Docs, "Refunding labels": a bought label that was not
  used can be given back.
- ShipStation Docs, "Void Labels": a voided label cannot be un-voided; a new one is bought instead.
- EasyPost Docs, "Tracker": carriers use their tracking codes again after a time that differs from
  carrier to carrier, so a code is not to be kept unique. Here they recur after `numbers` labels.
- Stripe API reference, "Idempotent requests", for the keys: the first answer under a key stands,
  refusals included, and a key with other content is an error.
It differs in that a void is decided at once (at EasyPost it is "submitted" and can take weeks), and
in that it does not see scans, so it also voids the label of a parcel that was handed over.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import asdict, dataclass
from random import Random

from activities.fulfilment.carrier import Intercepted, Label
from activities.provider_errors import DeclineCode, Declined
from activities.providers.sandbox.faults import Faults
from activities.providers.sandbox.label_pdf import label_pdf
from domain.fulfilment.label_files import LabelFile
from domain.fulfilment.packed import Packed
from domain.money import Money
from domain.orders.people import Address
from store.database import Connection, Pool
from store.sandbox import companies
from store.sandbox.companies import CarrierCall, Refusal

# Services and postal codes that misbehave; any other is fine.
SERVICE_REFUSED = "unserviceable"
SERVICE_SLOW = "slow"
POSTAL_CODE_REFUSED = "NOWHERE"
GRAMS_MAX = 31_500
"""What a parcel may weigh, as with many carriers of parcels."""

INTERCEPTION_FEE = Money(minor=750, currency="EUR")

_MESSAGES = {
    DeclineCode.NOT_SERVICEABLE: "the carrier does not deliver there with this service",
    DeclineCode.ALREADY_VOIDED: "the label was voided before",
    DeclineCode.TOO_LATE: "the parcel cannot be stopped any more",
    DeclineCode.NOT_FOUND: "the carrier has sold no label with this tracking number",
    DeclineCode.IDEMPOTENCY_CONFLICT: "the key was used before for a call with other content",
}


@dataclass(frozen=True)
class _Place:
    """By which service a parcel goes, and whereto; or whence, where it comes back."""

    service: str
    country: str
    postal_code: str | None


class SandboxCarrier:
    """A `Carrier`. Its state is shared by all instances on one database.

    `slow_seconds` is how long a label of the slow service takes to arrive after it was sold,
    `timeout_seconds` how long a caller waits before a time-out fault raises, `numbers` how many
    tracking numbers there are before they recur (at most 10**9).
    """

    def __init__(
        self,
        pool: Pool,
        *,
        random: Random,
        name: str = "sandbox",
        numbers: int = 10**9,
        slow_seconds: float = 5.0,
        timeout_seconds: float = 0.2,
    ) -> None:
        self._faults = Faults(pool, "carrier", random, timeout_seconds)
        self._name = name
        self._numbers = numbers
        self._slow_seconds = slow_seconds

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
        """Sell a label, unless the service or the postal code is the refused one."""
        to = _Place(service, country, postal_code)
        request = _request(
            "buy_label",
            carrier=self._name,
            fulfilment_id=fulfilment_id,
            **asdict(to),
            **packed.model_dump(),
        )
        return await self._sell(key, request, fulfilment_id, to, packed)

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
        """Sell a label from there, unless the service or the postal code is the refused one."""
        whence = _Place(service, country, postal_code)
        request = _request(
            "buy_return_label",
            carrier=self._name,
            return_id=return_id,
            location=location,
            **asdict(whence),
        )
        return await self._sell(key, request, return_id, whence, Packed())

    async def _sell(
        self, key: str, request: str, part_id: str, place: _Place, packed: Packed
    ) -> Label:
        refused = (
            place.service == SERVICE_REFUSED
            or place.postal_code == POSTAL_CODE_REFUSED
            or (packed.grams or 0) > GRAMS_MAX
        )

        async def effect(connection: Connection) -> CarrierCall:
            return await companies.buy_label(
                connection,
                key=key,
                request=request,
                carrier=self._name,
                fulfilment_id=part_id,
                **asdict(place),
                packed=packed,
                numbers=self._numbers,
                refusal=DeclineCode.NOT_SERVICEABLE if refused else None,
            )

        label = _answer(request, await self._faults.run("buy_label", effect))
        if place.service == SERVICE_SLOW:
            await asyncio.sleep(self._slow_seconds)
        return label

    async def void_label(self, *, key: str, tracking_number: str) -> None:
        """Take back the newest label with this number."""
        request = _request("void_label", carrier=self._name, tracking_number=tracking_number)

        async def effect(connection: Connection) -> CarrierCall:
            return await companies.void_label(
                connection,
                key=key,
                request=request,
                carrier=self._name,
                tracking_number=tracking_number,
            )

        _answer(request, await self._faults.run("void_label", effect))

    async def intercept(self, *, key: str, tracking_number: str, to: Address | None) -> Intercepted:
        """Redirect a parcel, or send it back, unless its label is void or the address is refused.

        Who plays this carrier tells what comes of it.
        """
        request = _request(
            "intercept",
            carrier=self._name,
            tracking_number=tracking_number,
            to=None if to is None else to.model_dump_json(),
        )

        async def effect(connection: Connection) -> CarrierCall:
            return await companies.intercept(
                connection,
                key=key,
                request=_digest(request),
                carrier=self._name,
                tracking_number=tracking_number,
                refusal=DeclineCode.NOT_SERVICEABLE
                if to is not None and to.postal_code == POSTAL_CODE_REFUSED
                else None,
            )

        _answer(_digest(request), await self._faults.run("intercept", effect))
        return Intercepted(fee=INTERCEPTION_FEE)

    async def lookup(self, *, key: str) -> Label | None:
        """Look up the call with this key; None if it was never seen."""

        async def effect(connection: Connection) -> CarrierCall | None:
            return await companies.carrier_call(connection, key)

        call = await self._faults.run("lookup", effect)
        return None if call is None else _label(call)


def _request(operation: str, **content: str | int | None) -> str:
    """The call's content in one canonical form, which tells a repeat from a conflict."""
    return json.dumps({"operation": operation, **content}, sort_keys=True)


def _digest(request: str) -> str:
    """A hash of a call's content that is about a person: it tells a repeat as well."""
    return hashlib.sha256(request.encode()).hexdigest()


def _answer(request: str, call: CarrierCall) -> Label:
    """Return the call's label. Raises Declined for a refused call, or a key with other content."""
    if call.request != request:
        raise _declined(DeclineCode.IDEMPOTENCY_CONFLICT)
    return _label(call)


def _label(call: CarrierCall) -> Label:
    if isinstance(call.outcome, Refusal):
        raise _declined(DeclineCode(call.outcome.code))
    sold = call.outcome
    return Label(
        carrier=sold.carrier,
        tracking_number=sold.tracking_number,
        service=sold.service,
        voided=sold.voided,
        files=(LabelFile(media_type="application/pdf", content=label_pdf(sold)),),
    )


def _declined(code: DeclineCode) -> Declined:
    return Declined(code, _MESSAGES[code])
