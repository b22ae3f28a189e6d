"""Long work: files that are written, many things at once, and how far each job is."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from domain.errors import InvalidInput
from domain.jobs.jobs import Job, JobItem, Kind, State
from domain.jobs.options import (
    PRINTED_MAX,
    LedgerExport,
    ManyCancellations,
    OrderFilters,
    Print,
    StockExport,
)
from starter.http.callers import Caller, anybody, may
from starter.http.examples import example
from starter.http.once import Keyed
from starter.http.paging import Page, Paged
from starter.http.reading import StrictRoute
from starter.http.shown_jobs import MADE, made, maker_of, may_know, mine

router = APIRouter(prefix="/v1", tags=["jobs"], route_class=StrictRoute)

Anybody = Annotated[Caller, anybody()]

_FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The file.",
        "content": {
            "application/jsonl": {"schema": {"type": "string"}},
            "text/csv": {"schema": {"type": "string"}},
            "text/plain": {"schema": {"type": "string"}},
            "application/json": {"schema": {"type": "object"}},
            "application/pdf": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


@router.post(
    "/exports/orders",
    operation_id="exportOrders",
    summary="Export orders",
    status_code=202,
    response_model=None,
    responses=MADE,
)
async def export_orders(
    filters: Annotated[OrderFilters, example({"channel": "web", "state": "closed"})],
    caller: Annotated[Caller, may("orders:read")],
    once: Keyed,
) -> Response:
    """JSON Lines, newest first: each line is what reading that order answers, without the person.

    Those of the key's channels and sellers that match every filter; without a filter, all of them.
    """
    return await made(caller, once, "export_orders", filters)


@router.post(
    "/exports/stock",
    operation_id="exportStock",
    summary="Export stock",
    status_code=202,
    response_model=None,
    responses=MADE,
)
async def export_stock(
    wanted: Annotated[StockExport, example({"location": "main"})],
    caller: Annotated[Caller, may("stock:read")],
    once: Keyed,
) -> Response:
    """CSV: a row for each SKU and location."""
    return await made(caller, once, "export_stock", wanted)


@router.post(
    "/exports/ledger",
    operation_id="exportLedgerFile",
    summary="Export a seller's books of some days",
    status_code=202,
    response_model=None,
    responses=MADE,
)
async def export_ledger(
    wanted: Annotated[
        LedgerExport,
        example({"seller": "main", "format": "beancount", "from": "2026-11-01"}),
    ],
    caller: Annotated[Caller, may("accounting:read")],
    once: Keyed,
) -> Response:
    """As `GET /v1/ledger/export` does, of any number of entries; as JSON of 20,000 at most."""
    await caller.seller(wanted.seller)
    return await made(caller, once, "export_ledger", wanted)


@router.post(
    "/bulk/cancel-orders",
    operation_id="cancelOrders",
    summary="Cancel many orders",
    status_code=202,
    response_model=None,
    responses=MADE,
)
async def cancel_orders(
    wanted: Annotated[
        ManyCancellations, example({"order_ids": ["web-~231001"], "reason": "the shop is closed"})
    ],
    caller: Annotated[Caller, may("aftersales:write")],
    _: Annotated[Caller, may("orders:read")],
    once: Keyed,
) -> Response:
    """Name up to 10,000 orders, or say by `where` which ones; those are found when the job begins.

    Each order decides for itself, as if it had been asked alone: what has left is refused.
    """
    return await made(caller, once, "cancel_orders", wanted, by=wanted.by)


@router.post(
    "/bulk/pick-list",
    operation_id="printPickList",
    summary="Print a pick list of many orders",
    status_code=202,
    response_model=None,
    responses=MADE,
)
async def print_pick_list(
    wanted: Annotated[Print, example({"where": {"state": "confirmed"}})],
    caller: Annotated[Caller, may("warehouse:read")],
    _: Annotated[Caller, may("orders:read")],
    once: Keyed,
) -> Response:
    """One PDF of what is to be picked for these orders, 500 at most."""
    return await _printed(caller, once, "print_pick_list", wanted)


@router.post(
    "/bulk/packing-slips",
    operation_id="printPackingSlips",
    summary="Print the packing slips of many orders",
    status_code=202,
    response_model=None,
    responses=MADE,
)
async def print_packing_slips(
    wanted: Annotated[Print, example({"order_ids": ["web-~231001"]})],
    caller: Annotated[Caller, may("warehouse:read")],
    _: Annotated[Caller, may("orders:read")],
    once: Keyed,
) -> Response:
    """One PDF with a page for each parcel that has not left, of 500 orders at most.

    It names who gets the parcels.
    """
    return await _printed(caller, once, "print_packing_slips", wanted)


@router.post(
    "/bulk/documents",
    operation_id="printDocuments",
    summary="Print the invoices and credit notes of many orders",
    status_code=202,
    response_model=None,
    responses=MADE,
)
async def print_documents(
    wanted: Annotated[Print, example({"where": {"state": "closed", "channel": "web"}})],
    caller: Annotated[Caller, may("accounting:read")],
    _: Annotated[Caller, may("customers:read")],
    __: Annotated[Caller, may("orders:read")],
    once: Keyed,
) -> Response:
    """One PDF with what was issued for these orders, 500 at most. It names who bought."""
    return await _printed(caller, once, "print_documents", wanted)


async def _printed(caller: Caller, once: Keyed, kind: Kind, wanted: Print) -> Response:
    if len(wanted.order_ids or ()) > PRINTED_MAX:
        raise InvalidInput(f"has more than {PRINTED_MAX} orders: print fewer", where="order_ids")
    return await made(caller, once, kind, wanted)


@router.get("/jobs", operation_id="listJobs", summary="List jobs, newest first")
async def list_jobs(
    caller: Anybody,
    paged: Paged,
    kind: Kind | None = None,
    state: State | None = None,
) -> Page[Job]:
    """Those that the key may make itself, and that tell nothing but what it may see."""
    maker = maker_of(caller)
    asked: dict[str, Any] = {
        "kind": kind,
        "state": state,
        "kinds": may_know(caller),
        "channels": maker.channels,
        "sellers": maker.sellers,
    }
    place = paged.after(asked)
    after = None if place is None else (datetime.fromisoformat(place[0]), str(place[1]))
    found = await caller.here.jobs.list(**asked, after=after, at_most=paged.at_most)
    return paged.page(
        asked, found, place=lambda one: (one.made_at.isoformat(), one.job_id), show=lambda one: one
    )


@router.get("/jobs/{job_id}", operation_id="getJob", summary="Ask how far a job is")
async def get_job(job_id: str, caller: Anybody) -> Job:
    """Ask again until it has ended. It takes a key that may do what the job does."""
    return await mine(caller, job_id)


@router.get(
    "/jobs/{job_id}/items",
    operation_id="listJobItems",
    summary="List what became of each item of a job",
)
async def list_items(
    job_id: str,
    caller: Anybody,
    paged: Paged,
    outcome: Literal["waiting", "done", "refused", "skipped"] | None = None,
) -> Page[JobItem]:
    """In the sequence of the file. An export has none: its result tells all."""
    await mine(caller, job_id)
    asked: dict[str, Any] = {"outcome": outcome}
    place = paged.after(asked)
    found = await caller.here.jobs.items(
        job_id, outcome=outcome, after=int(place[0]) if place else 0, at_most=paged.at_most
    )
    return paged.page(asked, found, place=lambda one: (one.number,), show=lambda one: one)


@router.get(
    "/jobs/{job_id}/result",
    operation_id="getJobResult",
    summary="Download the file that a job has written",
    response_class=Response,
    responses=_FILE,
)
async def get_result(request: Request, job_id: str, caller: Anybody) -> Response:
    """It is kept for 30 days, or until a customer of its orders is erased."""
    await mine(caller, job_id)
    job, parts = await caller.here.jobs.result(job_id)
    assert job.result is not None
    request.state.flows()  # A large file takes its reader longer than an answer may.
    return StreamingResponse(
        parts,
        media_type=job.result.media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{job.result.name}"',
            "Content-Length": str(job.result.bytes),
        },
    )


@router.post(
    "/jobs/{job_id}/cancel",
    operation_id="cancelJob",
    summary="Cancel a job",
    response_model=Job,
)
async def cancel_job(job_id: str, caller: Anybody, once: Keyed) -> Response:
    """What has begun is finished, and the rest is skipped. What was done stays done."""
    await mine(caller, job_id)
    return await once.in_database(lambda here: here.jobs.cancel(job_id))
