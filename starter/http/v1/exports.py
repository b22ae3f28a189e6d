"""Files that jobs write: orders, stock, and books."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from domain.jobs.options import CustomersExport, LedgerExport, StockExport
from domain.views.order_filters import OrderFilters
from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.once import Keyed
from starter.http.reading import StrictRoute
from starter.http.shown_jobs import MAKES_A_JOB, made

router = APIRouter(prefix="/v1/exports", tags=["jobs"], route_class=StrictRoute)


@router.post(
    "/orders",
    operation_id="exportOrders",
    summary="Export orders",
    **MAKES_A_JOB,
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
    "/stock",
    operation_id="exportStock",
    summary="Export stock",
    **MAKES_A_JOB,
)
async def export_stock(
    wanted: Annotated[StockExport, example({"location": "main"})],
    caller: Annotated[Caller, may("stock:read")],
    once: Keyed,
) -> Response:
    """CSV: a row for each SKU and location."""
    return await made(caller, once, "export_stock", wanted)


@router.post(
    "/customers",
    operation_id="exportCustomers",
    summary="Export customers for a CRM",
    **MAKES_A_JOB,
)
async def export_customers(
    wanted: Annotated[CustomersExport, example({"format": "hubspot", "consent": "marketing"})],
    caller: Annotated[Caller, may("customers:read")],
    once: Keyed,
) -> Response:
    """A line for each, with what their orders come to; as HubSpot or Salesforce import them.

    `consent`: those alone who wish such messages. A file that is kept goes when somebody in it is
    erased. For a key that sees all channels and sellers.
    """
    caller.check_sees_all("customers of all channels and sellers")
    if wanted.segment is not None:
        await caller.here.segments.check_known(wanted.segment)
    return await made(caller, once, "export_customers", wanted)


@router.post(
    "/ledger",
    operation_id="exportLedgerFile",
    summary="Export a seller's books of some days",
    **MAKES_A_JOB,
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
