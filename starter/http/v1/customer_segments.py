"""Segments of customers, and what happens to customers, for CRMs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from domain.customers.ids import customer_id
from domain.customers.segments import Segments
from domain.fields import Id
from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.paging import PAGE_MAX, Page, Paged
from starter.http.reading import StrictRoute
from starter.service.customer_changes import Change
from starter.service.segments import Member, ShownSegment
from store.customers.changes import ChangeKind

router = APIRouter(prefix="/v1", tags=["customers"], route_class=StrictRoute)

_WHAT = "customers of all channels and sellers"


class _Shown(BaseModel):
    model_config = ConfigDict(frozen=True)


class ShownSegments(_Shown):
    """All segments, by their names."""

    segments: tuple[ShownSegment, ...]


class ShownMember(_Shown):
    """A customer of a segment, and all segments that they belong to."""

    customer_id: str
    orders: int
    last_order_at: datetime | None
    segments: tuple[str, ...]


class ShownChange(_Shown):
    """What happened to a customer. `into`: of merges, the customer who remains."""

    customer_id: str
    what: ChangeKind
    into: str | None
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
    """Created, changed, merged, unmerged, consent changed, erased: each once, in a fixed sequence.

    They are kept for 30 days. Orders have events of their own. `cursor_of_another_database`: a
    backup was brought back; export all customers, and go on from `now`.
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
    return paged.page({}, found, place=lambda one: [one.contact.customer_no], show=_member)


def _member(one: Member) -> ShownMember:
    return ShownMember(
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
        at=one.at,
    )
