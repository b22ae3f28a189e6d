"""Units that were taken out of a fulfilment after their pick, and are put back on the shelf."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.once import Keyed
from starter.http.reading import StrictRoute
from starter.http.reports import PartId, Report

router = APIRouter(prefix="/v1", tags=["warehouse"], route_class=StrictRoute)

Writes = Annotated[Caller, may("warehouse:write")]


class PutBack(Report):
    """Who has put it back."""


@router.post(
    "/put-backs/{put_back_id}/done",
    operation_id="reportPutBack",
    summary="Report that units which were cancelled after their pick are back on the shelf",
    status_code=204,
)
async def put_back(
    put_back_id: PartId,
    content: Annotated[PutBack, example({"by": "anna"})],
    caller: Writes,
    once: Keyed,
) -> Response:
    """Until then, what is left of their parcel is not packed."""
    await caller.check_part(put_back_id)
    return await once.in_database(
        lambda here: here.warehouse.put_back(put_back_id, who=caller.who(content.by))
    )
