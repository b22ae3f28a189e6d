"""Segments of customers, and what happens to customers, for CRMs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from domain.customers.ids import customer_id
from domain.customers.membership import Check
from domain.customers.segments import Segment, Segments
from domain.fields import Id
from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.paging import PAGE_MAX, Page, Paged
from starter.http.reading import StrictRoute
from starter.http.v1.customer_pages import OurId, part_of
from starter.service.customer_changes import Change
from starter.service.segments import Member, ShownSegment, why
from store.customers.changes import ChangeKind

router = APIRouter(prefix="/v1", tags=["customers"], route_class=StrictRoute)

_WHAT = "customers of all channels and sellers"


class _Shown(BaseModel):
    model_config = ConfigDict(frozen=True)


class ShownSegments(_Shown):
    """All segments, by their names."""

    segments: tuple[ShownSegment, ...]


class ShownMember(_Shown):
    """A customer of a segment. `because`: each rule of it, and what the customer has.

    `segments`: all segments that they belong to.
    """

    customer_id: str
    orders: int
    last_order_at: datetime | None
    segments: tuple[str, ...]
    because: tuple[Check, ...]


class ShownWhy(_Shown):
    """Whether a customer belongs to a segment. `checks`: each rule, and what the customer has."""

    segment: str
    belongs: bool
    checks: tuple[Check, ...]


class CustomerSegments(_Shown):
    """Each segment, and why a customer belongs to it or does not."""

    segments: tuple[ShownWhy, ...]


class ShownChange(_Shown):
    """What happened to a customer.

    `into`: of merges, the customer who remains. `segment`: that they have come into, or have left.
    """

    customer_id: str
    what: ChangeKind
    into: str | None
    segment: str | None
    at: datetime


class ShownChanges(_Shown):
    """Some changes. `next_cursor`: where the next question goes on, also if there were none."""

    items: tuple[ShownChange, ...]
    has_more: bool
    next_cursor: str


SegmentName = Annotated[Id, Path(examples=["regulars"])]


@router.get(
    "/customers/changes",
    operation_id="listCustomerChanges",
    summary="Follow what happens to customers",
)
async def list_changes(
    caller: Annotated[Caller, may("customers:read")],
    cursor: Annotated[
        str | None,
        Query(max_length=50, description="next_cursor of the answer before; `now`: begin now."),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX, description="Changes at most.")] = PAGE_MAX,
) -> ShownChanges:
    """Created, ordered again, changed, merged, and so on: each once, in a fixed sequence.

    They are kept for 30 days. Subscribers are sent them as events, too. A cursor is refused with
    `reason` `cursor_too_old`: changes behind it are not kept any more; or
    `cursor_of_another_database`: a backup was brought back. Then ask with `now`, export all
    customers, and go on from that cursor.
    """
    caller.check_sees_all(_WHAT)
    found = await caller.here.customer_changes.since(cursor, at_most=limit)
    return ShownChanges(
        items=tuple(_change(one) for one in found.changes),
        has_more=found.more,
        next_cursor=found.cursor,
    )


@router.get("/customer-segments", operation_id="listSegments", summary="List segments of customers")
async def list_segments(caller: Annotated[Caller, may("customers:read")]) -> ShownSegments:
    """Each as it was set, and by whom; without `set_as`, it cannot be read by this version."""
    caller.check_sees_all(_WHAT)
    return ShownSegments(segments=tuple(await caller.here.segments.list()))


@router.put("/customer-segments", operation_id="saveSegments", summary="Set segments of customers")
async def save_segments(
    content: Annotated[
        Segments,
        example(
            {
                "segments": [
                    {
                        "segment": "regulars",
                        "about": "bought often, and lately",
                        "worth": [{"currency": "EUR", "of": "kept", "at_least": "500.00"}],
                        "orders": {"at_least": 3},
                        "last_order": {"within": "P180D"},
                        "returned": {"at_most_percent": 20},
                    }
                ]
            }
        ),
    ],
    caller: Annotated[Caller, may("customers:write")],
) -> ShownSegments:
    """Each is set whole; the others stay. Who belongs to one is found when it is asked."""
    caller.check_sees_all(_WHAT)
    await caller.here.segments.save(content.segments, who=caller.who(None))
    return ShownSegments(segments=tuple(await caller.here.segments.list()))


@router.get(
    "/customer-segments/{segment}", operation_id="getSegment", summary="Read a segment of customers"
)
async def get_segment(
    segment: SegmentName, caller: Annotated[Caller, may("customers:read")]
) -> ShownSegment:
    """As it was set, and by whom. Who is in it, and why: `GET …/members`."""
    shown = await caller.here.segments.get(segment)
    caller.check_sees_all(_WHAT)
    return shown


@router.get(
    "/customers/{customer_id}/segments",
    operation_id="listCustomerSegments",
    summary="Read why a customer belongs to a segment, or does not",
)
async def list_customer_segments(
    customer_id: OurId, caller: Annotated[Caller, may("customers:read")]
) -> CustomerSegments:
    """Each segment, rule by rule: what it wants, what the customer has, and whether that holds."""
    await caller.here.customer_pages.check_seen(customer_id, part=part_of(caller))
    caller.check_sees_all("what is known of a person as a whole")
    found = await caller.here.segments.why(customer_id)
    return CustomerSegments(
        segments=tuple(
            ShownWhy(segment=one.segment, belongs=one.belongs, checks=one.checks) for one in found
        )
    )


@router.delete(
    "/customer-segments/{segment}",
    operation_id="removeSegment",
    summary="Forget a segment",
    status_code=204,
)
async def remove_segment(
    segment: SegmentName, caller: Annotated[Caller, may("customers:write")]
) -> Response:
    """Customers stay as they are."""
    await caller.here.segments.check_known(segment)
    caller.check_sees_all(_WHAT)
    await caller.here.segments.remove(segment)
    return Response(status_code=204)


@router.get(
    "/customer-segments/{segment}/members",
    operation_id="listSegmentMembers",
    summary="List who belongs to a segment",
)
async def list_members(
    segment: SegmentName, caller: Annotated[Caller, may("customers:read")], paged: Paged
) -> Page[ShownMember]:
    """The first customer first. All of them with their addresses: `POST /v1/exports/customers`."""
    await caller.here.segments.check_known(segment)
    caller.check_sees_all(_WHAT)
    place = paged.after({})
    found = await caller.here.segments.members(
        segment, after=0 if place is None else int(place[0]), at_most=paged.at_most
    )
    rules = (await caller.here.segments.get(segment)).set_as
    return paged.page(
        {}, found, place=lambda one: [one.contact.customer_no], show=lambda one: _member(one, rules)
    )


def _member(one: Member, rules: Segment | None) -> ShownMember:
    return ShownMember(
        because=why(one.contact, rules).checks if rules else (),
        customer_id=customer_id(one.contact.customer_no),
        orders=one.contact.facts.orders,
        last_order_at=one.contact.facts.last_order_at,
        segments=one.segments,
    )


def _change(one: Change) -> ShownChange:
    return ShownChange(
        customer_id=customer_id(one.customer_no),
        what=one.what,
        into=None if one.into_no is None else customer_id(one.into_no),
        segment=one.segment,
        at=one.at,
    )
