"""Payment companies' days beside our records: compared, and the differences seen to."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Path, Query
from starlette.responses import JSONResponse, Response

from domain import fields
from domain.errors import NotFound
from domain.fields import Document, Reason, Who
from domain.orders.providers import ProviderName
from starter.http.callers import Caller, may
from starter.http.once import Keyed
from starter.http.paging import Page, Paged
from starter.http.reading import StrictRoute
from starter.http.shown_reconciliation import (
    ComparedDay,
    Comparison,
    ResolvedDifference,
    ShownDifference,
    day_of,
    difference_of,
    resolved_of,
)
from starter.http.waiting import Waits
from starter.service.reconciliation import StillComparing
from starter.service.service import Records
from store.payments.reconciliation import Day, KeptDifference

router = APIRouter(prefix="/v1/reconciliation", tags=["reconciliation"], route_class=StrictRoute)

_BIGINT_MAX: Final = 2**63 - 1


class ResolveRequest(Document):
    """How a difference was seen to.

    `by_hand`: it is the refund that was reported before as done by hand.
    """

    note: Reason
    by_hand: bool = False
    by: Who | None = None


class CompareRequest(Document):
    """A day (UTC) to compare, of one company or of all."""

    day: fields.Day
    provider: ProviderName | None = None


_RESOLVE: Final[dict[str, Any]] = {
    "seen to at the company": {
        "value": {"note": "charged by mistake, paid back by the bank", "by": "anna"}
    }
}
_COMPARE: Final[dict[str, Any]] = {
    "a day of all companies": {"value": {"day": "2026-11-24"}},
}
Provider = Annotated[ProviderName | None, Query(description="Only this company's.")]
Number = Annotated[int, Path(ge=1, le=_BIGINT_MAX, examples=[1])]


@router.get(
    "/days",
    operation_id="listComparedDays",
    summary="List the days that were compared, the newest first",
)
async def list_days(
    caller: Annotated[Caller, may("reconciliation:read")],
    paged: Paged,
    day: Annotated[fields.Day | None, Query(description="Only this day (UTC).")] = None,
    provider: Provider = None,
) -> Page[ComparedDay]:
    """A company's day is of all sellers together, so a key for some of them may not ask."""
    caller.check_sees_all("days of payment companies")
    asked: dict[str, Any] = {"day": day, "provider": provider}
    place = paged.after(asked)
    after = None if place is None else (date.fromisoformat(place[0]), str(place[1]))
    found = await caller.here.reconciliation.days(**asked, after=after, at_most=paged.at_most)
    return paged.page(
        asked, found, place=lambda one: (one.day.isoformat(), one.provider), show=day_of
    )


@router.get(
    "/differences",
    operation_id="listDifferences",
    summary="List differences, the newest day first",
)
async def list_differences(
    caller: Annotated[Caller, may("reconciliation:read")],
    paged: Paged,
    day: Annotated[fields.Day | None, Query(description="Only of this day (UTC).")] = None,
    provider: Provider = None,
    open_only: Annotated[bool, Query(alias="open", description="false: closed ones, too.")] = True,
) -> Page[ShownDifference]:
    """A key for some sellers sees those of their orders."""
    asked: dict[str, Any] = {
        "day": day,
        "provider": provider,
        "only_open": open_only,
        "sellers": caller.sellers,
    }
    place = paged.after(asked)
    after = None
    if place is not None:
        after = (date.fromisoformat(place[0]), str(place[1]), str(place[2]), str(place[3]))
    found = await caller.here.reconciliation.differences(
        **asked, after=after, at_most=paged.at_most
    )
    return paged.page(
        asked,
        found,
        place=lambda one: (one.day.isoformat(), one.provider, one.subject, one.what.value),
        show=difference_of,
    )


@router.get("/differences/{number}", operation_id="getDifference", summary="Read a difference")
async def get_difference(
    number: Number, caller: Annotated[Caller, may("reconciliation:read")]
) -> ShownDifference:
    """With both sides, and what became of it."""
    return difference_of(await _mine(caller, number))


@router.post(
    "/differences/{number}/resolve",
    operation_id="resolveDifference",
    summary="Close a difference that a person has settled",
    response_model=ResolvedDifference,
)
async def resolve(
    number: Number,
    content: Annotated[ResolveRequest, Body(openapi_examples=_RESOLVE)],
    caller: Annotated[Caller, may("reconciliation:write")],
    once: Keyed,
) -> Response:
    """It stays closed, unless either side changes.

    A refund that was made in the company's own pages is recorded for its order, and is not paid
    back a second time.
    """
    await _mine(caller, number)

    async def resolved(here: Records) -> ResolvedDifference:
        done = await here.reconciliation.resolve(
            number,
            note=content.note,
            who=caller.who(content.by),
            was_by_hand=content.by_hand,
        )
        return resolved_of(done)

    return await once.in_database(resolved)


@router.post(
    "/comparisons",
    operation_id="compareDay",
    summary="Compare a day of payment companies now",
    response_model=Comparison,
    responses={202: {"model": Comparison, "description": "It takes longer, and goes on."}},
)
async def compare(
    content: Annotated[CompareRequest, Body(openapi_examples=_COMPARE)],
    caller: Annotated[Caller, may("reconciliation:write")],
    once: Keyed,
    waits: Waits,
) -> Response:
    """Each day is also compared by itself on the next day. It is safe to repeat."""
    caller.check_sees_all("days of payment companies")
    here = caller.here.reconciliation
    status, days = 200, list[Day]()
    with once.alone():
        try:
            await here.compare(content.day, provider=content.provider, patience=waits.long)
            days = await here.days(content.day, content.provider)
        except StillComparing:
            status = 202
    answer = Comparison(
        day=content.day,
        status="done" if status == 200 else "running",
        days=tuple(day_of(one) for one in days),
    )
    return JSONResponse(answer.model_dump(mode="json"), status_code=status, headers=waits.applied())


async def _mine(caller: Caller, number: int) -> KeptDifference:
    """A difference of the caller's. Raises NotFound, alike for somebody else's."""
    found = await caller.here.reconciliation.difference(number)
    if caller.grant.is_restricted:
        whose = await caller.here.orders.whose(found.order_id)
        if whose is None or not caller.grant.sees(*whose):
            raise NotFound(f"there is no difference {number}")
    return found
