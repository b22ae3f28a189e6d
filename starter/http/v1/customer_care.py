"""What people write down about a customer: notes, consent, and that two are one person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from domain.customers.care import ConsentKind, ConsentWord, NewNote
from domain.customers.ids import customer_id as id_of
from domain.fields import Document, Reason, Who
from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.once import Keyed
from starter.http.paging import Page, Paged
from starter.http.reading import StrictRoute
from starter.http.v1.customer_pages import OurId, part_of
from starter.service.customer_care import Consent, KeptMerge, KeptNote, SaidConsent
from starter.service.service import Records

router = APIRouter(prefix="/v1/customers", tags=["customers"], route_class=StrictRoute)


class _Shown(BaseModel):
    model_config = ConfigDict(frozen=True)


class ShownConsent(_Shown):
    """Whether a customer wishes messages of a kind; `said`: their words, the latest first.

    Who has said nothing gets news of deliveries, and neither marketing nor questions for reviews.
    """

    kind: ConsentKind
    given: bool
    said: tuple[SaidConsent, ...]


class CustomerConsent(_Shown):
    """Kind by kind. What an order needs is told always."""

    consent: tuple[ShownConsent, ...]


class MergeRequest(Document):
    """`into`: the customer who remains. The other id names it from then on."""

    into: OurId
    reason: Reason
    by: Who | None = None


class UnmergeRequest(Document):
    """Why they are two after all."""

    reason: Reason
    by: Who | None = None


class ShownMerge(_Shown):
    """That a customer is merged into another one; with `undone_at`, that it was."""

    customer_id: str
    into: str
    who: str
    why: str
    merged_at: datetime
    undone_at: datetime | None
    undone_by: str | None
    undone_why: str | None


class ShownMerges(_Shown):
    """Merges of a customer, the latest first."""

    merges: tuple[ShownMerge, ...]


@router.post(
    "/{customer_id}/notes",
    operation_id="writeCustomerNote",
    summary="Write a note about a customer",
    status_code=201,
    response_model=KeptNote,
)
async def write_note(
    customer_id: OurId,
    content: Annotated[
        NewNote,
        example({"note": "Asks for a later delivery", "contact": "call", "order_id": "web-1001"}),
    ],
    caller: Annotated[Caller, may("customers:write")],
    once: Keyed,
) -> Response:
    """It is shown on the customer's page, handed out with the person's data, and erased with it."""
    await _check_whole(caller, customer_id)
    who = caller.who(content.by)

    async def written(here: Records) -> KeptNote:
        return await here.customer_care.note(customer_id, content, who=who)

    return await once.in_database(written, status=201)


@router.get(
    "/{customer_id}/notes",
    operation_id="listCustomerNotes",
    summary="List notes about a customer, the latest first",
)
async def list_notes(
    customer_id: OurId, caller: Annotated[Caller, may("customers:read")], paged: Paged
) -> Page[KeptNote]:
    """With those about whoever is merged into this customer."""
    await _check_whole(caller, customer_id)
    place = paged.after({})
    found = await caller.here.customer_care.notes(
        customer_id, after=None if place is None else int(place[0]), at_most=paged.at_most
    )
    return paged.page({}, found, place=lambda one: [one.note_no], show=lambda one: one)


@router.get(
    "/{customer_id}/consent",
    operation_id="getCustomerConsent",
    summary="Read what a customer wishes to be told",
)
async def get_consent(
    customer_id: OurId, caller: Annotated[Caller, may("customers:read")]
) -> CustomerConsent:
    """With when they said so, how, and who has written it down."""
    await _check_whole(caller, customer_id)
    return _consent(await caller.here.customer_care.consent(customer_id))


@router.post(
    "/{customer_id}/consent",
    operation_id="sayCustomerConsent",
    summary="Keep what a customer wishes to be told, or not",
    response_model=CustomerConsent,
)
async def say_consent(
    customer_id: OurId,
    content: Annotated[
        ConsentWord, example({"kind": "marketing", "given": False, "how": "by phone"})
    ],
    caller: Annotated[Caller, may("customers:write")],
    once: Keyed,
) -> Response:
    """It counts from now on; earlier words are kept beside it."""
    await _check_whole(caller, customer_id)
    who = caller.who(content.by)

    async def said(here: Records) -> CustomerConsent:
        return _consent(await here.customer_care.say(customer_id, content, who=who))

    return await once.in_database(said)


@router.post(
    "/{customer_id}/merge",
    operation_id="mergeCustomer",
    summary="Merge a customer into another one",
    response_model=ShownMerges,
)
async def merge(
    customer_id: OurId,
    content: Annotated[MergeRequest, example({"into": "C2", "reason": "the same mail address"})],
    caller: Annotated[Caller, may("customers:write")],
    once: Keyed,
) -> Response:
    """Orders, notes and consent are seen together, and nothing of it is written anew.

    Refused with `reason`: `same_customer`; `already_merged`, `merged_elsewhere` and `has_merged`
    (no chains: merge each into the one who remains); `being_erased`.
    """
    await _check_whole(caller, customer_id)
    who = caller.who(content.by)

    async def merged(here: Records) -> ShownMerges:
        await here.customer_care.merge(customer_id, content.into, who=who, why=content.reason)
        return _merges(await here.customer_care.merges(customer_id))

    return await once.in_database(merged)


@router.post(
    "/{customer_id}/unmerge",
    operation_id="unmergeCustomer",
    summary="Undo a merge",
    response_model=ShownMerges,
)
async def unmerge(
    customer_id: OurId,
    content: Annotated[UnmergeRequest, example({"reason": "father and son"})],
    caller: Annotated[Caller, may("customers:write")],
    once: Keyed,
) -> Response:
    """They are two, as before. Refused with `reason` `not_merged`.

    Notes that were written meanwhile stay with the one who remained; consent stays as it was said.
    """
    await _check_whole(caller, customer_id)
    who = caller.who(content.by)

    async def parted(here: Records) -> ShownMerges:
        await here.customer_care.unmerge(customer_id, who=who, why=content.reason)
        return _merges(await here.customer_care.merges(customer_id))

    return await once.in_database(parted)


@router.get(
    "/{customer_id}/merges",
    operation_id="listCustomerMerges",
    summary="List who was merged into a customer, and into whom it was",
)
async def list_merges(
    customer_id: OurId, caller: Annotated[Caller, may("customers:read")]
) -> ShownMerges:
    """By whom, when and why; undone ones among them."""
    await _check_whole(caller, customer_id)
    return _merges(await caller.here.customer_care.merges(customer_id))


async def _check_whole(caller: Caller, customer_id: str) -> None:
    """Raises NotFound for a customer who is not the caller's, ProblemError for a part of one."""
    await caller.here.customer_pages.check_seen(customer_id, part=part_of(caller))
    caller.check_sees_all("what is known of a person as a whole")


def _consent(told: Sequence[Consent]) -> CustomerConsent:
    return CustomerConsent(
        consent=tuple(
            ShownConsent(kind=one.kind, given=one.given, said=tuple(one.said)) for one in told
        )
    )


def _merges(found: Sequence[KeptMerge]) -> ShownMerges:
    return ShownMerges(
        merges=tuple(
            ShownMerge(
                **one.model_dump(exclude={"customer_no", "into_no"}),
                customer_id=id_of(one.customer_no),
                into=id_of(one.into_no),
            )
            for one in found
        )
    )
