"""What carriers owe for parcels that they lost or broke."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from domain.errors import InvalidInput
from domain.fields import Amount, Name, Reason
from domain.money import Money, to_minor
from domain.views.order_snapshot import AmountText
from starter.http.amounts import told
from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.once import Keyed
from starter.http.paging import Page, Paged
from starter.http.reading import StrictRoute
from starter.http.reports import PartId, Report
from starter.service.service import Records
from store.aftersales.carrier_claims import Answer, CarrierClaim, State, TurnedUp

router = APIRouter(prefix="/v1", tags=["carriers"], route_class=StrictRoute)


class ShownCarrierClaim(BaseModel):
    """A claim for a parcel. due: lost, and not claimed yet; its carrier takes that `file_by`.

    `amount`: what is claimed; `paid`: what the carrier pays. `is_found`: the parcel came back;
    `turned_up`: what became of the carrier's money then.
    """

    model_config = ConfigDict(frozen=True)

    fulfilment_id: str
    order_id: str
    carrier: str | None
    tracking_number: str | None
    state: State
    since: datetime
    file_by: datetime | None
    amount: AmountText | None
    currency: str
    reference: str | None
    filed_by: str | None
    filed_at: datetime | None
    paid: AmountText
    note: str | None
    decided_by: str | None
    decided_at: datetime | None
    is_found: bool
    turned_up: TurnedUp | None


class Filed(Report):
    """`amount`: in the order's currency. `reference`: the carrier's own number of the claim."""

    amount: Amount
    reference: Name | None = None


class Answered(Report):
    """What the carrier says. `amount`: what it pays; left out: all that was claimed."""

    outcome: Answer
    note: Reason
    amount: Amount | None = None


class Dropped(Report):
    """Why the carrier is not asked."""

    note: Reason


class Became(Report):
    """What became of the carrier's money after the parcel turned up."""

    became: TurnedUp
    note: Reason


@router.get(
    "/carrier-claims",
    operation_id="listCarrierClaims",
    summary="List claims to carriers, the latest first",
)
async def list_carrier_claims(
    caller: Annotated[Caller, may("carriers:read")],
    paged: Paged,
    order_id: Annotated[str | None, Query(max_length=300)] = None,
    state: State | None = None,
) -> Page[ShownCarrierClaim]:
    """With lost parcels for which nobody has asked yet; of the key's channels and sellers."""
    if order_id is not None:
        await caller.check_order(order_id)
    asked: dict[str, Any] = {
        "order_id": order_id,
        "state": state,
        "channels": caller.channels,
        "sellers": caller.sellers,
    }
    place = paged.after(asked)
    after = None if place is None else (datetime.fromisoformat(place[0]), str(place[1]))
    found = await caller.here.carrier_claims.list(**asked, after=after, at_most=paged.at_most)
    return paged.page(
        asked, found, place=lambda one: (one.since.isoformat(), one.fulfilment_id), show=_shown
    )


@router.post(
    "/parcels/{part_id}/carrier-claim",
    operation_id="fileCarrierClaim",
    summary="Tell that a parcel was claimed at its carrier",
    response_model=ShownCarrierClaim,
)
async def file_carrier_claim(
    part_id: PartId,
    content: Annotated[Filed, example({"amount": "25.00", "reference": "CL-77"})],
    caller: Annotated[Caller, may("carriers:write")],
    once: Keyed,
) -> Response:
    """Nothing is booked before the carrier agrees."""

    async def work(here: Records) -> CarrierClaim:
        amount = await _money(here, part_id, content.amount)
        return await here.carrier_claims.file(
            part_id, amount, reference=content.reference or "", who=caller.who(content.by)
        )

    return await _done(caller, once, part_id, work)


@router.post(
    "/parcels/{part_id}/carrier-claim/outcome",
    operation_id="answerCarrierClaim",
    summary="Tell what a carrier has answered to a claim",
    response_model=ShownCarrierClaim,
)
async def answer_carrier_claim(
    part_id: PartId,
    content: Annotated[
        Answered, example({"outcome": "paid", "amount": "20.00", "note": "their letter"})
    ],
    caller: Annotated[Caller, may("carriers:write")],
    once: Keyed,
) -> Response:
    """What it pays is booked, and is at most what was claimed."""

    async def work(here: Records) -> CarrierClaim:
        paid = None if content.amount is None else await _money(here, part_id, content.amount)
        return await here.carrier_claims.answer(
            part_id, content.outcome, paid=paid, note=content.note, who=caller.who(content.by)
        )

    return await _done(caller, once, part_id, work)


@router.post(
    "/parcels/{part_id}/carrier-claim/drop",
    operation_id="dropCarrierClaim",
    summary="Do not ask a carrier for a parcel, or not any more",
    response_model=ShownCarrierClaim,
)
async def drop_carrier_claim(
    part_id: PartId,
    content: Annotated[Dropped, example({"note": "it was worth too little"})],
    caller: Annotated[Caller, may("carriers:write")],
    once: Keyed,
) -> Response:
    """A lost parcel is then due no more."""

    async def work(here: Records) -> CarrierClaim:
        return await here.carrier_claims.drop(part_id, content.note, who=caller.who(content.by))

    return await _done(caller, once, part_id, work)


@router.post(
    "/parcels/{part_id}/carrier-claim/turned-up",
    operation_id="settleFoundParcel",
    summary="Tell what became of a carrier's money after the parcel turned up",
    response_model=ShownCarrierClaim,
)
async def settle_found_parcel(
    part_id: PartId,
    content: Annotated[Became, example({"became": "given_back", "note": "set off"})],
    caller: Annotated[Caller, may("carriers:write")],
    once: Keyed,
) -> Response:
    """Given back, it is taken out of the books; kept, it stays there."""

    async def work(here: Records) -> CarrierClaim:
        return await here.carrier_claims.turned_up(
            part_id, content.became, content.note, who=caller.who(content.by)
        )

    return await _done(caller, once, part_id, work)


async def _done(
    caller: Caller,
    once: Keyed,
    part_id: str,
    work: Callable[[Records], Awaitable[CarrierClaim]],
) -> Response:
    await caller.check_part(part_id)

    async def shown(here: Records) -> ShownCarrierClaim:
        return _shown(await work(here))

    return await once.in_database(shown)


async def _money(here: Records, part_id: str, amount: Any) -> Money:
    currency = await here.carrier_claims.currency_of(part_id)
    try:
        return Money(minor=to_minor(amount, currency), currency=currency)
    except InvalidInput as error:
        raise InvalidInput(str(error), where="amount") from None


def _shown(claim: CarrierClaim) -> ShownCarrierClaim:
    return ShownCarrierClaim(**told(claim))
