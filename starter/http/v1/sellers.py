"""Sellers, and the channels that sell for them: read, set, retired and reopened."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Body, Path
from pydantic import BaseModel
from starlette.responses import Response

from domain.errors import InvalidInput
from domain.orders.channels import Channel
from domain.sellers import Code, Seller
from starter.http.callers import Caller, may
from starter.http.once import Keyed
from starter.http.paging import Page, Paged
from starter.http.reading import StrictRoute

router = APIRouter(prefix="/v1", tags=["sellers"], route_class=StrictRoute)

_SELLER: Final[dict[str, Any]] = {
    "with books in euros": {
        "value": {
            "seller": "main",
            "name": "Tee GmbH",
            "line1": "Hauptstr. 1",
            "postal_code": "89073",
            "city": "Ulm",
            "country": "DE",
            "tax_numbers": ["DE123456789"],
            "currency": "EUR",
            "time_zone": "Europe/Berlin",
            "languages": ["de", "en"],
        }
    }
}
_CHANNEL: Final[dict[str, Any]] = {
    "a web shop that charges at once": {
        "value": {
            "channel": "web",
            "kind": "web",
            "seller": "main",
            "currencies": ["EUR", "USD"],
            "policy": {"charge": "at_confirmation"},
        }
    }
}


@router.get(
    "/sellers",
    operation_id="listSellers",
    summary="List sellers, by their codes",
    response_model=Page[Seller],
)
async def list_sellers(caller: Annotated[Caller, may("sellers:read")], paged: Paged) -> Response:
    """The legal entities that documents name, each with books and days of its own."""
    return await _listed(paged, caller.here.sellers.list, lambda one: one.seller)


@router.get(
    "/sellers/{seller}",
    operation_id="getSeller",
    summary="Read a seller",
    response_model=Seller,
)
async def get_seller(seller: str, caller: Annotated[Caller, may("sellers:read")]) -> Response:
    """As it is printed on what is issued from now on."""
    return _as_stored(await caller.here.sellers.get(seller))


@router.put(
    "/sellers/{seller}",
    operation_id="saveSeller",
    summary="Set all there is to know about a seller",
    response_model=Seller,
)
async def save_seller(
    seller: Annotated[Code, Path(examples=["main"])],
    content: Annotated[Seller, Body(openapi_examples=_SELLER)],
    caller: Annotated[Caller, may("sellers:write")],
) -> Response:
    """Whether it is there or not; what is left out gets its default. Issued documents stay.

    A seller of whom nobody has said who it is, and who has sold nothing, becomes this one.
    """
    _check_named("seller", seller, content)
    await caller.here.sellers.save([content.model_copy(update={"seller": seller})])
    return _as_stored(await caller.here.sellers.get(seller))


@router.post(
    "/sellers/{seller}/retire",
    operation_id="retireSeller",
    summary="Let a seller take no new orders",
    status_code=204,
)
async def retire_seller(
    seller: str, caller: Annotated[Caller, may("sellers:write")], once: Keyed
) -> Response:
    """What it has goes on. Refused while a channel sells for it."""
    return await once.in_database(lambda here: here.sellers.retire(seller))


@router.post(
    "/sellers/{seller}/reopen",
    operation_id="reopenSeller",
    summary="Let a retired seller take new orders again",
    status_code=204,
)
async def reopen_seller(
    seller: str, caller: Annotated[Caller, may("sellers:write")], once: Keyed
) -> Response:
    """Its channels are reopened each for itself."""
    return await once.in_database(lambda here: here.sellers.reopen(seller))


@router.get(
    "/channels",
    operation_id="listChannels",
    summary="List channels, by their codes",
    response_model=Page[Channel],
)
async def list_channels(caller: Annotated[Caller, may("sellers:read")], paged: Paged) -> Response:
    """Web shops, tills, marketplace accounts and ways for business customers."""
    return await _listed(paged, caller.here.channels.list, lambda one: one.channel)


@router.get(
    "/channels/{channel}",
    operation_id="getChannel",
    summary="Read a channel",
    response_model=Channel,
)
async def get_channel(channel: str, caller: Annotated[Caller, may("sellers:read")]) -> Response:
    """What is agreed about the orders that come from it from now on."""
    return _as_stored(await caller.here.channels.get(channel))


@router.put(
    "/channels/{channel}",
    operation_id="saveChannel",
    summary="Set all there is to know about a channel",
    response_model=Channel,
)
async def save_channel(
    channel: Annotated[Code, Path(examples=["web"])],
    content: Annotated[Channel, Body(openapi_examples=_CHANNEL)],
    caller: Annotated[Caller, may("sellers:write")],
) -> Response:
    """Whether it is there or not; what is left out gets its default. Orders that came before stay.

    `policy` holds what differs from the usual policy.
    """
    _check_named("channel", channel, content)
    await caller.here.channels.save([content])
    return _as_stored(await caller.here.channels.get(channel))


@router.post(
    "/channels/{channel}/retire",
    operation_id="retireChannel",
    summary="Let a channel take no new orders",
    status_code=204,
)
async def retire_channel(
    channel: str, caller: Annotated[Caller, may("sellers:write")], once: Keyed
) -> Response:
    """The orders that it has go on."""
    return await once.in_database(lambda here: here.channels.retire(channel))


@router.post(
    "/channels/{channel}/reopen",
    operation_id="reopenChannel",
    summary="Let a retired channel take new orders again",
    status_code=204,
)
async def reopen_channel(
    channel: str, caller: Annotated[Caller, may("sellers:write")], once: Keyed
) -> Response:
    """Refused while its seller is retired."""
    return await once.in_database(lambda here: here.channels.reopen(channel))


Item = TypeVar("Item", Seller, Channel)


async def _listed(
    paged: Paged, read: Callable[..., Awaitable[Sequence[Item]]], code: Callable[[Item], str]
) -> Response:
    """A page of them, by their codes."""
    place = paged.after({})
    after = None if place is None else str(place[0])
    found = await read(after=after, at_most=paged.at_most)
    return _as_stored(paged.page({}, found, place=lambda one: [code(one)], show=lambda one: one))


def _check_named(field: str, code: str, content: BaseModel) -> None:
    """Raises InvalidInput where the body names another one than the path."""
    if field in content.model_fields_set and getattr(content, field) != code:
        raise InvalidInput(
            f"must be {code}, which the path names, or left out", where=f"body.{field}"
        )


def _as_stored(shown: BaseModel) -> Response:
    """The answer with what was written once, whatever today's lists of currencies say."""
    return Response(shown.model_dump_json(warnings=False), media_type="application/json")
