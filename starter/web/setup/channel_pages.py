"""Channels: where orders come from, what is agreed about each, and its shop's address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, get_args

from fastapi import APIRouter
from starlette.responses import Response

from domain.errors import NotFound
from domain.orders.channels import Channel, ChannelKind
from domain.orders.policy import Policy
from starter.web.screens.forms import told_by
from starter.web.screens.visits import ScreenRoute, Visit, may
from starter.web.setup.documents import Documents
from starter.web.setup.fields import Field
from starter.web.setup.policies import rows_of
from starter.web.setup.shops import webhook_of

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

Reads = Annotated[Visit, may("sellers:read")]
Writes = Annotated[Visit, may("sellers:read", "sellers:write")]
_MESSAGES: Final = 10


class _Channels(Documents[Channel]):
    name = "channels"
    code = "channel"
    model = Channel
    writes = "sellers:write"
    fields = (
        Field("kind", "choice", required=True),
        Field("seller", "choice", required=True),
        Field("currencies", "lines"),
        Field("locations", "ticks"),
        Field("providers", "lines"),
        Field("policy", "json"),
    )

    async def all(self, visit: Visit) -> Sequence[Channel]:
        return await visit.here.channels.list()

    async def get(self, visit: Visit, code: str) -> Channel:
        return await visit.here.channels.get(code)

    async def make(self, visit: Visit, wanted: Channel) -> None:
        await visit.here.channels.save([wanted])

    async def change(self, visit: Visit, wanted: Channel, seen: str) -> None:
        await visit.here.channels.change(wanted, seen=seen)

    async def set_retired(self, visit: Visit, code: str, *, retired: bool) -> None:
        if retired:
            await visit.here.channels.retire(code)
        else:
            await visit.here.channels.reopen(code)

    async def retired(self, visit: Visit) -> set[str]:
        return {one.channel for one in await self.all(visit) if one.retired}

    async def options(self, visit: Visit) -> dict[str, list[tuple[str, str]]]:
        return {
            "kind": [(one, visit.words(f"channel_{one}")) for one in get_args(ChannelKind)],
            "seller": [(one.seller, one.name) for one in await visit.here.sellers.list()],
            "locations": [
                (one.location, one.location) for one in await visit.here.locations.list()
            ],
        }

    async def besides(self, visit: Visit, one: Channel) -> dict[str, Any]:
        try:
            shop = await visit.here.shops.get(one.channel)
        except NotFound:
            shop = None
        messages = await visit.here.shops.messages(one.channel, at_most=_MESSAGES)
        return {
            "shop": shop,
            "webhook": webhook_of(visit, one.channel),
            "messages": messages,
            "differing": rows_of(one.policy, only_set=True),
            "knows_policy": sorted(Policy.model_fields),
        }


_KIND: Final = _Channels()


@router.get("/app/setup/channels")
async def channels(visit: Reads, done: str = "") -> Response:
    """All of them."""
    return await _KIND.list_page(visit, done)


@router.get("/app/setup/channels/new")
async def new(visit: Writes) -> Response:
    """The form for another one."""
    return await _KIND.new_page(visit)


@router.post("/app/setup/channels/new")
async def add(visit: Writes) -> Response:
    """Make it."""
    return await _KIND.add(visit)


@router.get("/app/setup/channels/{code}")
async def channel(visit: Reads, code: str, done: str = "") -> Response:
    """One of them."""
    return await _KIND.page(visit, code, told=told_by(visit, done))


@router.post("/app/setup/channels/{code}")
async def save(visit: Writes, code: str) -> Response:
    """Set it as a whole, unless others have changed it meanwhile."""
    return await _KIND.save(visit, code)


@router.post("/app/setup/channels/{code}/retire")
async def retire(visit: Writes, code: str) -> Response:
    """Let it take nothing new."""
    return await _KIND.retire(visit, code, retired=True)


@router.post("/app/setup/channels/{code}/reopen")
async def reopen(visit: Writes, code: str) -> Response:
    """Let it take new things again."""
    return await _KIND.retire(visit, code, retired=False)
