"""Files that are taken in as a job, each with a result per record."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from domain.fields import Document, Id, Reason, Who
from domain.jobs.jobs import Kind
from domain.jobs.options import NoOptions, OrdersImport, StockImport
from domain.sellers import Code
from starter.http.callers import Caller, may
from starter.http.examples import ORDER
from starter.http.once import KeyedFile, Once
from starter.http.reading import FileRoute
from starter.http.shown_jobs import MAKES_A_JOB, made
from starter.jobs.reading import check_readable

router = APIRouter(prefix="/v1/imports", tags=["jobs"], route_class=FileRoute)


def _file(**examples: Any) -> dict[str, Any]:
    """The body of an operation: a file, in one of these types, each with an example."""
    content = {
        kind.replace("_", "/"): {
            "schema": {"type": "array", "items": {"type": "object"}}
            if kind == "application_json"
            else {"type": "string"},
            "examples": {"usual": {"value": value}},
        }
        for kind, value in examples.items()
    }
    return {"requestBody": {"required": True, "content": content}}


_STOCK: Final = "sku,location,quantity\nTEA,main,40\n"
_ITEMS: Final = "sku,name,backorder\nTEA,Assam,true\n"
_KITS: Final = "kit,part,units\nGIFT-BOX,TEA,2\n"
_TERMS: Final = "supplier,sku,lead_time_days,unit_price,currency\nassam-gardens,TEA,7,4.20,EUR\n"


@router.post(
    "/orders",
    operation_id="importOrders",
    summary="Import a file of orders",
    **MAKES_A_JOB,
    openapi_extra=_file(
        application_json=[ORDER],
        application_jsonl=f"{json.dumps(ORDER)}\n",
        text_csv="orderID,customerID,employeeID,orderDate,…\n",
    ),
)
async def import_orders(
    request: Request,
    caller: Annotated[Caller, may("orders:write")],
    once: KeyedFile,
    channel: Annotated[
        Code, Query(description="Of a marketplace's file, which names none.")
    ] = "marketplace",
) -> Response:
    """One JSON array, one order on each line, or a table that is known, such as Amazon's report.

    What is in the file is told by its content. Each order is placed as if it had come alone: an
    order that cannot be read or placed is refused with its line, and the others are placed. It is
    one order however often it is imported. A file has 8 MB at most: cut a larger one between lines.
    """
    return await _taken(request, caller, once, "import_orders", OrdersImport(channel=channel))


@router.post(
    "/stock",
    operation_id="importStock",
    summary="Import a file of stock that has arrived",
    **MAKES_A_JOB,
    openapi_extra=_file(text_csv=_STOCK),
)
async def import_stock(
    request: Request,
    caller: Annotated[Caller, may("stock:write")],
    once: KeyedFile,
    new_locations: Annotated[
        list[Id] | None,
        Query(alias="new_location", max_length=100, description="Made if it is not there."),
    ] = None,
    reason: Annotated[Reason | None, Query(description="Kept with each movement.")] = None,
    by: Annotated[Who | None, Query(description="Who did it.")] = None,
) -> Response:
    """The columns sku,location,quantity, and perhaps unit_cost,currency.

    Each row is added to what is on hand, once in this job. The same file in another job is another
    delivery.
    """
    options = StockImport(new_locations=tuple(new_locations or ()), reason=reason, by=by)
    return await _taken(request, caller, once, "import_stock", options, by=by)


@router.post(
    "/items",
    operation_id="importItems",
    summary="Import a file of what is said of SKUs",
    **MAKES_A_JOB,
    openapi_extra=_file(text_csv=_ITEMS),
)
async def import_items(
    request: Request, caller: Annotated[Caller, may("catalogue:write")], once: KeyedFile
) -> Response:
    """The columns sku, name, backorder, available_from, discontinued."""
    return await _taken(request, caller, once, "import_items", NoOptions())


@router.post(
    "/kits",
    operation_id="importKits",
    summary="Import a file of kits",
    **MAKES_A_JOB,
    openapi_extra=_file(text_csv=_KITS),
)
async def import_kits(
    request: Request, caller: Annotated[Caller, may("catalogue:write")], once: KeyedFile
) -> Response:
    """The columns kit,part,units: a row for each part. A wrong row costs the whole kit."""
    return await _taken(request, caller, once, "import_kits", NoOptions())


@router.post(
    "/supplier-terms",
    operation_id="importSupplierTerms",
    summary="Import a file of suppliers' terms",
    **MAKES_A_JOB,
    openapi_extra=_file(text_csv=_TERMS),
)
async def import_supplier_terms(
    request: Request, caller: Annotated[Caller, may("purchasing:write")], once: KeyedFile
) -> Response:
    """The columns supplier, sku, lead_time_days, unit_price, currency.

    There may also be name, minimum, multiple and priority.
    """
    return await _taken(request, caller, once, "import_supplier_terms", NoOptions())


async def _taken(
    request: Request,
    caller: Caller,
    once: Once,
    kind: Kind,
    options: Document,
    *,
    by: str | None = None,
) -> Response:
    """Make a job of the file. Raises InvalidInput where it cannot be read at all."""
    data = await request.body()
    await asyncio.to_thread(check_readable, kind, data)
    return await made(caller, once, kind, options, by=by, data=data)
