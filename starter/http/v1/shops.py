"""Shops elsewhere that send a channel's orders: connected, read, and their messages settled."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from domain.fields import Printable, Reason
from domain.sellers import Code
from domain.shops.connections import NewShop, Shop
from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.once import Keyed
from starter.http.paging import Page, Paged
from starter.http.reading import StrictRoute
from starter.service.service import Records
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
    },
    "a WooCommerce shop that is asked for changes, and told of parcels and stock": {
        "value": {
            "kind": "woocommerce",
            "secrets": ["the secret of its webhooks"],
            "options": {"tell_stock": True},
            "access": {
                "address": "https://shop.example",
                "key": "ck_its_consumer_key",
                "secret": "cs_its_consumer_secret",
            },
        }
    },
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

    With `access` the shop is also asked for what changed, and told of parcels and, if `tell_stock`,
    of stock levels. Several secrets let you replace one without a gap. The channel must take orders
    that are paid by `elsewhere`, or by the provider that the options name.
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


class Checking(BaseModel):
    """`again`: tell the shop once more what it refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    again: Annotated[bool, Field(strict=True)] = False


class Dismissing(BaseModel):
    """`names`: fulfilments and SKUs; left out: all that it refused. `note`: how it was seen to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    names: Annotated[tuple[Printable, ...], Field(min_length=1, max_length=1000)] | None = None
    note: Reason


class Dismissed(BaseModel):
    """`count`: so many tasks are gone."""

    model_config = ConfigDict(frozen=True)

    count: int


@router.post(
    "/shops/{channel}/check",
    operation_id="checkShop",
    summary="Have a shop be asked at once",
    response_model=Shop,
)
async def check_shop(
    channel: OfChannel,
    content: Annotated[Checking, example({"again": True})],
    caller: Annotated[Caller, may("operations:write")],
    once: Keyed,
) -> Response:
    """A worker asks whether it answers and what our access may do, and what changed there.

    The answer shows the shop as it stands; as soon as it was asked, `contact.check_wanted_at` is
    null. 404 for one that we have no access to.
    """
    return await once.in_database(lambda here: here.shops.check(channel, again=content.again))


@router.post(
    "/shops/{channel}/dismiss",
    operation_id="dismissShopRefusals",
    summary="Say that what a shop refused was dealt with",
    response_model=Dismissed,
)
async def dismiss_refusals(
    channel: OfChannel,
    content: Annotated[Dismissing, example({"names": ["web-1001:1"], "note": "entered by hand"})],
    caller: Annotated[Caller, may("operations:write")],
    once: Keyed,
) -> Response:
    """Parcels that it does not take, and SKUs whose stock it does not. 404: there is none."""

    async def dismissed(here: Records) -> Dismissed:
        count = await here.shops.dismiss(channel, content.names, content.note)
        return Dismissed(count=count)

    return await once.in_database(dismissed)


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
