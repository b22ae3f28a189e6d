"""Shops elsewhere that send a channel's orders: connected, tried out, checked, settled."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, get_args
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from domain.errors import NotFound, Refused
from domain.fields import Document, Reason
from domain.shops.access import ShopKind
from domain.shops.connections import NewShop, Shop, ShopOptions
from starter.web.screens.forms import met, told_by
from starter.web.screens.visits import Number, ScreenRoute, Visit, may
from starter.web.setup.fields import Field, by_fields, document_of, sent_values, values_of
from starter.web.setup.parts import show

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

Reads = Annotated[Visit, may("sellers:read")]
Writes = Annotated[Visit, may("sellers:read", "sellers:write")]
Operates = Annotated[Visit, may("sellers:read", "operations:write")]
_FIELDS: Final = (
    Field("kind", "choice", required=True),
    Field("secrets", "lines", required=True),
    Field("access.address"),
    Field("access.token", "password"),
    Field("access.key", "password"),
    Field("access.secret", "password"),
    Field("options.paid", "flag"),
    Field("options.provider"),
    Field("options.tell_fulfilments", "flag"),
    Field("options.notify", "flag"),
    Field("options.refund_there", "flag"),
    Field("options.tell_stock", "flag"),
    Field("options.stock_every_s", "number"),
    Field("options.stock_location"),
    Field("options.skus", "pairs", columns=("theirs", "ours")),
    Field("options.services", "pairs", columns=("theirs", "ours")),
    Field("options.carriers", "pairs", columns=("ours", "theirs")),
    Field("options.tracking_urls", "pairs", columns=("ours", "address")),
)


class _Settled(Document):
    note: Reason


def webhook_of(visit: Visit, channel: str) -> str:
    """Where the shop of a channel sends its messages, as this page's own address tells."""
    base = str(visit.request.base_url).rstrip("/")
    return f"{base}/v1/webhooks/shops/{quote(channel)}"


@router.get("/app/setup/shops/{channel}")
async def shop(visit: Writes, channel: str, done: str = "") -> Response:
    """The form that connects a channel with its shop, or connects it otherwise."""
    return await _show(visit, channel, told=told_by(visit, done))


@router.post("/app/setup/shops/{channel}")
async def connect(visit: Writes, channel: str) -> Response:
    """Set all there is to know about it. Secrets are not shown again: they are entered anew."""

    async def act() -> str:
        wanted = NewShop.model_validate(document_of(visit, _FIELDS))
        await visit.here.shops.connect(channel, wanted, by=visit.person.who)
        return "connected"

    async def again(status: int, trouble: Sequence[str]) -> Response:
        visit.faults = by_fields(visit.words, visit.faults, _FIELDS)
        return await _show(visit, channel, status=status, trouble=trouble)

    return await met(visit, act, f"app/setup/channels/{quote(channel)}", again)


@router.post("/app/setup/shops/{channel}/disconnect")
async def disconnect(visit: Writes, channel: str) -> Response:
    """Take no more messages of it."""
    return await _done(visit, channel, "disconnected", visit.here.shops.disconnect(channel))


@router.post("/app/setup/shops/{channel}/test")
async def test(visit: Writes, channel: str) -> Response:
    """Sign a message as the shop would, and take it in by the way that the shop's own ones come."""

    async def tried() -> None:
        answer = await visit.here.shops.try_out(channel, now=datetime.now(UTC))
        if answer.status != 200:
            raise Refused(f"{answer.status}: {answer.message}")

    return await _done(visit, channel, "tried_out", tried())


@router.post("/app/setup/shops/{channel}/check")
async def check(visit: Operates, channel: str) -> Response:
    """Have a worker ask the shop at once."""
    again = visit.field("again") == "1"
    return await _done(visit, channel, "checked", visit.here.shops.check(channel, again=again))


@router.post("/app/setup/shops/{channel}/messages/{number}/settle")
async def settle(visit: Operates, channel: str, number: Number) -> Response:
    """A person has dealt with a message."""

    async def settled() -> None:
        seen = _Settled.model_validate({"note": visit.field("note")})
        await visit.here.shops.settle(channel, number, seen.note)

    return await _done(visit, channel, "settled", settled())


async def _done(visit: Visit, channel: str, done: str, work: Any) -> Response:
    async def act() -> str:
        await work
        return done

    async def again(status: int, trouble: Sequence[str]) -> Response:
        return await _show(visit, channel, status=status, trouble=trouble)

    return await met(visit, act, f"app/setup/channels/{quote(channel)}", again)


async def _show(
    visit: Visit,
    channel: str,
    *,
    status: int = 200,
    told: str = "",
    trouble: Sequence[str] = (),
) -> Response:
    await visit.here.channels.get(channel)
    found: Shop | None = None
    with contextlib.suppress(NotFound):
        found = await visit.here.shops.get(channel)
    values = sent_values(visit, _FIELDS)
    if "kind" not in visit.sent:
        known = {"options": ShopOptions().model_dump(mode="json")}
        if found is not None:
            known = found.model_dump(mode="json", include={"kind", "options"})
        values = values_of(visit.words, known, _FIELDS)
    return show(
        visit,
        "shop",
        status=status,
        told=told,
        trouble=trouble,
        channel=channel,
        shop=found,
        webhook=webhook_of(visit, channel),
        fields=_FIELDS,
        values=values,
        options={"kind": [(one, one) for one in get_args(ShopKind)]},
    )
