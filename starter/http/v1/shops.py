"""Shops elsewhere that send a channel's orders: connected, read, and their messages settled."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Path, Query
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from domain.fields import Reason
from domain.sellers import Code
from domain.shops.connections import NewShop, Shop
from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.once import Keyed
from starter.http.paging import Page, Paged
from starter.http.reading import StrictRoute
from store.shops.messages import ShopMessage

router = APIRouter(prefix="/v1", tags=["sellers"], route_class=StrictRoute)

_LARGEST: Final = 2**53 - 1
_SHOP: Final[dict[str, Any]] = {
    "a Shopify shop whose orders do not come paid": {
        "value": {
            "kind": "shopify",
            "secrets": ["what Shopify shows below its webhooks"],
            "options": {"paid": False, "provider": "sandbox", "services": {"Express": "express"}},
        }
    }
}

OfChannel = Annotated[Code, Path(examples=["web"])]


class Settling(BaseModel):
    """`note`: how a person has dealt with the message."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    note: Reason


@router.get("/shops", operation_id="listShops", summary="List shops that are connected")
async def list_shops(caller: Annotated[Caller, may("sellers:read")], paged: Paged) -> Page[Shop]:
    """By their channels, without their secrets."""
    place = paged.after({})
    found = [
        one
        for one in await caller.here.shops.list()
        if place is None or one.channel > str(place[0])
    ]
    return paged.page({}, found, place=lambda one: [one.channel], show=lambda one: one)


@router.get("/shops/{channel}", operation_id="getShop", summary="Read the shop of a channel")
async def get_shop(channel: OfChannel, caller: Annotated[Caller, may("sellers:read")]) -> Shop:
    """How its orders are read, and whether messages wait. Its secrets are not shown again."""
    return await caller.here.shops.get(channel)


@router.put("/shops/{channel}", operation_id="connectShop", summary="Connect a channel with a shop")
async def connect_shop(
    channel: OfChannel,
    content: Annotated[NewShop, Body(openapi_examples=_SHOP)],
    caller: Annotated[Caller, may("sellers:write")],
) -> Shop:
    """Its webhooks go to `/v1/webhooks/shops/{channel}`. What is left out gets its default.

    Several secrets let you replace one without a gap. The channel must take orders that are paid by
    `elsewhere`, or by the provider that the options name.
    """
    return await caller.here.shops.connect(channel, content, by=caller.who())


@router.delete(
    "/shops/{channel}",
    operation_id="disconnectShop",
    summary="Take no more messages of a shop",
    status_code=204,
)
async def disconnect_shop(
    channel: OfChannel, caller: Annotated[Caller, may("sellers:write")]
) -> None:
    """Those that were kept stay, and are read once it is connected again."""
    await caller.here.shops.disconnect(channel)


@router.get("/shop-messages", operation_id="listShopMessages", summary="List what shops have sent")
async def list_messages(
    caller: Annotated[Caller, may("operations:read")],
    paged: Paged,
    channel: Annotated[Code | None, Query(description="Only of this one's shop.")] = None,
    failed: Annotated[bool, Query(description="Only what needs a person.")] = False,
) -> Page[ShopMessage]:
    """The newest first, without their bodies, and what came of each."""
    asked = {"channel": channel, "failed": failed}
    place = paged.after(asked)
    found = await caller.here.shops.messages(
        channel,
        failed=failed,
        after=None if place is None else int(place[0]),
        at_most=paged.at_most,
    )
    return paged.page(asked, found, place=lambda one: [one.message_no], show=lambda one: one)


@router.post(
    "/shops/{channel}/messages/{message_no}/settle",
    operation_id="settleShopMessage",
    summary="Say that a message was dealt with",
    status_code=204,
)
async def settle_message(
    channel: OfChannel,
    message_no: Annotated[int, Path(ge=1, le=_LARGEST, examples=[17])],
    content: Annotated[Settling, example({"note": "sold by hand"})],
    caller: Annotated[Caller, may("operations:write")],
    once: Keyed,
) -> Response:
    """It is not read again. 404 for one that does not wait."""
    return await once.in_database(lambda here: here.shops.settle(channel, message_no, content.note))
