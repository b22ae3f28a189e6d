"""Codes that are sold, and the codes that customers have."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from domain.fields import Id
from domain.stock.licences import Licence
from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.once import Keyed
from starter.http.reading import StrictRoute
from starter.http.reports import AT_ONCE_MAX, OfSku, Report
from starter.service.codes import OrderCodes
from starter.service.service import Records
from store.fulfilment.licences import CodesOfSku

router = APIRouter(prefix="/v1", tags=["stock"], route_class=StrictRoute)


class CodesToSell(Report):
    """Codes, each one unit of its SKU. `location`: where they are stock; a new one is made."""

    codes: Annotated[list[Licence], Field(min_length=1, max_length=AT_ONCE_MAX)]
    location: Id = "digital"


class CodesAdded(BaseModel):
    """SKU → codes that were not known before."""

    model_config = ConfigDict(frozen=True)

    added: dict[str, int]


class CodeCounts(BaseModel):
    """The codes of each SKU at each location: to sell, given out, and revoked."""

    model_config = ConfigDict(frozen=True)

    codes: tuple[CodesOfSku, ...]


@router.get("/codes", operation_id="countCodes", summary="Count the codes that there are to sell")
async def count_codes(
    caller: Annotated[Caller, may("stock:read")], sku: OfSku = None
) -> CodeCounts:
    """The codes themselves are shown to nobody before they are sold."""
    return CodeCounts(codes=tuple(await caller.here.codes.counts(sku)))


@router.post(
    "/codes", operation_id="addCodes", summary="Add codes to sell", response_model=CodesAdded
)
async def add_codes(
    content: Annotated[
        CodesToSell,
        example({"codes": [{"sku": "APP-TEATIMER", "code": "AB12-CD34"}], "by": "anna"}),
    ],
    caller: Annotated[Caller, may("stock:write")],
    once: Keyed,
) -> Response:
    """Each is one unit of stock; one that is known already changes nothing.

    The item of each SKU must be digital.
    """

    async def work(here: Records) -> CodesAdded:
        who = caller.who(content.by)
        return CodesAdded(added=await here.codes.take_in(content.codes, content.location, who=who))

    return await once.in_database(work)


@router.get(
    "/orders/{order_id}/codes",
    operation_id="getOrderCodes",
    summary="Read the codes that an order's customer has",
)
async def order_codes(
    order_id: str,
    caller: Annotated[Caller, may("orders:read")],
    _: Annotated[Caller, may("customers:read")],
) -> OrderCodes:
    """With which its goods are collected, and those that it bought: the customer's secrets."""
    await caller.check_order(order_id)
    return await caller.here.codes.of_order(order_id)
