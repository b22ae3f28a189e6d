"""What waits for a person, the audit, and orders that Temporal has lost."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Body, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from domain.fields import Document
from domain.views.order_snapshot import AmountText
from starter.http.amounts import amount, told
from starter.http.callers import Caller, may
from starter.http.once import Keyed
from starter.http.paging import Page, Paged
from starter.http.reading import StrictRoute
from starter.service.attention import way_on_of, whose_of
from starter.service.audit import PATIENCE, AuditReport, Counts, UnderWay, Violation
from starter.service.resuming import SETTLE, Outcome
from store.views.attention import AttentionTask, Kind, Place

router = APIRouter(prefix="/v1", tags=["operations"], route_class=StrictRoute)

_PATIENCE_MAX_S: Final = 20
"""Less than the time in which each request must be answered."""


class _Shown(BaseModel):
    model_config = ConfigDict(frozen=True)


class ShownTask(_Shown):
    """Something that a person has to decide, to do, or to look up.

    `subject`: the order or purchase order; empty where none is known. `name`: what it is called
    there. `allowed`: the answers that a step of an order takes. `amount`: the money at stake; null:
    none is. `location`: where goods lie or are to come; null: it is of none. `assigned_to`: who
    sees to it, a login. `snoozed_until`: nobody has to look at it before then. `do`: what to do,
    and `command` for it.
    """

    kind: Kind
    subject: str
    name: str
    reason: str
    allowed: tuple[str, ...]
    since: datetime
    due: datetime | None
    amount: AmountText | None
    currency: str | None
    location: str | None
    assigned_to: str | None
    snoozed_until: datetime | None
    snoozed_note: str | None
    do: str
    command: str


class PaymentUnderWay(_Shown):
    """A payment of an open order that was requested and has no outcome yet."""

    order_id: str
    seller: str
    payment_key: str
    kind: str
    state: Literal["requested", "unknown"]
    amount: AmountText
    currency: str
    requested_at: datetime


class Audit(_Shown):
    """What was checked and found. `workflows`: running ones of orders and purchase orders."""

    clean: bool
    counts: Counts
    workflows: int
    violations: tuple[Violation, ...]
    under_way: tuple[PaymentUnderWay, ...]


class ResumeRequest(Document):
    """`settle_s`: for so many seconds, steps of the lost run may be under way."""

    settle_s: Annotated[int, Field(ge=0, le=3600)] = int(SETTLE.total_seconds())


class Resumed(_Shown):
    """What was done. running: it has a workflow, and nothing was done."""

    order_id: str
    outcome: Outcome
    reason: str


_RESUME: Final[dict[str, Any]] = {"a terminated run": {"value": {"settle_s": 90}}}


@router.get(
    "/attention",
    operation_id="listAttention",
    summary="List what waits for a person, with what to do about it",
)
async def list_attention(
    caller: Annotated[Caller, may("operations:read")],
    paged: Paged,
    seller: Annotated[str | None, Query(max_length=64, description="Only of this one's.")] = None,
    assigned_to: Annotated[
        str | None, Query(max_length=60, description="Only this person's; `nobody`: nobody's.")
    ] = None,
    snoozed: Annotated[
        bool, Query(description="Those that nobody has to look at yet, in place of the others.")
    ] = False,
) -> Page[ShownTask]:
    """What is about money comes first, and of that the oldest."""
    asked = {"seller": seller, "assigned_to": assigned_to, "snoozed": snoozed}
    place = paged.after(asked)
    after = None
    if place is not None:
        after = Place(place[0], datetime.fromisoformat(place[1]), *map(str, place[2:]))
    found = await caller.here.needs_attention.tasks(
        seller=seller,
        whose=whose_of(assigned_to),
        snoozed=snoozed,
        after=after,
        at_most=paged.at_most,
    )
    return paged.page(asked, found, place=_place, show=_task)


@router.get("/audit", operation_id="getAudit", summary="Compare everything with each other")
async def get_audit(
    caller: Annotated[Caller, may("operations:read")],
    seller: Annotated[
        str | None,
        Query(max_length=64, description="Only what is this one's, or nobody's in particular."),
    ] = None,
    patience_s: Annotated[
        int,
        Query(
            ge=0, le=_PATIENCE_MAX_S, description="So long, what may yet pass is looked at again."
        ),
    ] = int(PATIENCE.total_seconds()),
) -> Audit:
    """Stock, lines, money, books, companies and workflows. It changes nothing.

    It reads everything: where that takes longer than an answer may, ask by `orderloom audit`.
    """
    if seller is not None:
        await caller.seller(seller)
    report = await caller.here.audit(patience=timedelta(seconds=patience_s))
    return _audit(report if seller is None else report.of(seller))


@router.post(
    "/orders/{order_id}/resume",
    operation_id="resumeOrder",
    summary="Have an order go on whose workflow Temporal has lost",
    response_model=Resumed,
)
async def resume(
    order_id: str,
    content: Annotated[ResumeRequest, Body(openapi_examples=_RESUME)],
    caller: Annotated[Caller, may("operations:write")],
    once: Keyed,
) -> Response:
    """From its rows, with nothing done twice. One whose workflow runs is left alone."""

    async def resumed() -> Resumed:
        done = await caller.here.orders.resume(order_id, settle=timedelta(seconds=content.settle_s))
        return Resumed(order_id=done.subject, outcome=done.outcome, reason=done.why)

    return await once.safe_to_repeat(resumed)


def _place(task: AttentionTask) -> list[Any]:
    return [part.isoformat() if isinstance(part, datetime) else part for part in Place.of(task)]


def _task(task: AttentionTask) -> ShownTask:
    way = way_on_of(task)
    return ShownTask(**told(task), do=way.do, command=way.command)


def _audit(report: AuditReport) -> Audit:
    return Audit(
        clean=report.clean,
        counts=report.counts,
        workflows=report.workflows,
        violations=report.violations,
        under_way=tuple(_under_way(one) for one in report.under_way),
    )


def _under_way(one: UnderWay) -> PaymentUnderWay:
    amount_of = {
        "amount": amount(one.amount.minor, one.amount.currency),
        "currency": one.amount.currency,
    }
    return PaymentUnderWay(**{**dict(one), **amount_of})
