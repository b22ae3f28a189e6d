"""Many things at once, as jobs: cancellations, answers to steps, and papers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from domain.jobs.options import (
    ManyCancellations,
    ManyCharges,
    ManyHolds,
    ManyReleases,
    Print,
    StepAnswers,
)
from starter.http.callers import Caller, ReadsDocuments, may
from starter.http.examples import example
from starter.http.once import Keyed
from starter.http.reading import StrictRoute
from starter.http.shown_jobs import MAKES_A_JOB, made

router = APIRouter(prefix="/v1/bulk", tags=["jobs"], route_class=StrictRoute)


@router.post(
    "/cancel-orders",
    operation_id="cancelOrders",
    summary="Cancel many orders",
    **MAKES_A_JOB,
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
    "/hold-orders",
    operation_id="holdOrders",
    summary="Hold many orders",
    **MAKES_A_JOB,
)
async def hold_orders(
    wanted: Annotated[
        ManyHolds,
        example({"where": {"sku": "LAMP-1"}, "reason": "stock", "note": "a batch is called back"}),
    ],
    caller: Annotated[Caller, may("orders:write")],
    _: Annotated[Caller, may("orders:read")],
    once: Keyed,
) -> Response:
    """Name up to 10,000 orders, or say by `where` which ones; those are found when the job begins.

    An order of which nothing is left here is refused.
    """
    return await made(caller, once, "hold_orders", wanted, by=wanted.by)


@router.post(
    "/charge-orders",
    operation_id="chargeOrders",
    summary="Charge many orders",
    **MAKES_A_JOB,
)
async def charge_orders(
    wanted: Annotated[ManyCharges, example({"order_ids": ["web-~231001"], "note": "checked"})],
    caller: Annotated[Caller, may("payments:write")],
    _: Annotated[Caller, may("orders:read")],
    once: Keyed,
) -> Response:
    """Those whose policy charges by hand; each as if it had been asked alone."""
    return await made(caller, once, "charge_orders", wanted, by=wanted.by)


@router.post(
    "/release-orders",
    operation_id="releaseOrders",
    summary="End the holds of many orders",
    **MAKES_A_JOB,
)
async def release_orders(
    wanted: Annotated[
        ManyReleases, example({"order_ids": ["web-~231001"], "note": "the sale is over"})
    ],
    caller: Annotated[Caller, may("orders:write")],
    _: Annotated[Caller, may("orders:read")],
    once: Keyed,
) -> Response:
    """Name up to 10,000 orders, or say by `where` which ones; those are found when the job begins.

    A hold for the payment ends when its order is paid; an order that is not held is refused.
    """
    return await made(caller, once, "release_orders", wanted, by=wanted.by)


@router.post(
    "/resolve-steps",
    operation_id="resolveSteps",
    summary="Decide about many steps that wait for a person",
    **MAKES_A_JOB,
)
async def resolve_steps(
    wanted: Annotated[
        StepAnswers,
        example(
            {
                "answers": [
                    {
                        "order_id": "web-~231001",
                        "step": "label web-~231001:1",
                        "action": "retry",
                        "note": "the carrier is back",
                    }
                ]
            }
        ),
    ],
    caller: Annotated[Caller, may("orders:write")],
    once: Keyed,
) -> Response:
    """Up to 1,000 answers. `GET /v1/attention` names the steps, and the answers that each takes."""
    return await made(caller, once, "resolve_steps", wanted, by=wanted.by)


@router.post(
    "/pick-list",
    operation_id="printPickList",
    summary="Print a pick list of many orders",
    **MAKES_A_JOB,
)
async def print_pick_list(
    wanted: Annotated[Print, example({"where": {"state": "confirmed"}})],
    caller: Annotated[Caller, may("warehouse:read")],
    _: Annotated[Caller, may("orders:read")],
    once: Keyed,
) -> Response:
    """One PDF of what is to be picked for these orders, 500 at most."""
    return await made(caller, once, "print_pick_list", wanted)


@router.post(
    "/packing-slips",
    operation_id="printPackingSlips",
    summary="Print the packing slips of many orders",
    **MAKES_A_JOB,
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
    return await made(caller, once, "print_packing_slips", wanted)


@router.post(
    "/labels",
    operation_id="printLabels",
    summary="Print the labels of many orders",
    **MAKES_A_JOB,
)
async def print_labels(
    wanted: Annotated[Print, example({"order_ids": ["web-~231001"]})],
    caller: Annotated[Caller, may("warehouse:read")],
    _: Annotated[Caller, may("orders:read")],
    once: Keyed,
) -> Response:
    """One PDF with the label of each parcel that waits to be handed over, of 500 orders at most.

    A label that is no PDF and no PNG, for a printer of labels, is refused. Each order's story tells
    who printed it, and for which time.
    """
    return await made(caller, once, "print_labels", wanted)


@router.post(
    "/documents",
    operation_id="printDocuments",
    summary="Print the invoices and credit notes of many orders",
    **MAKES_A_JOB,
)
async def print_documents(
    wanted: Annotated[Print, example({"where": {"state": "closed", "channel": "web"}})],
    caller: ReadsDocuments,
    once: Keyed,
) -> Response:
    """One PDF with what was issued for these orders, 500 at most. It names who bought."""
    return await made(caller, once, "print_documents", wanted)
