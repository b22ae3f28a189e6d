"""API keys: made, read, rotated and revoked by programs that may."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from domain.access.api_keys import (
    OLD_SECRET_ENDS_IN,
    OLD_SECRET_ENDS_IN_MAX,
    ApiKey,
    KeyRequest,
)
from domain.fields import Document, Who
from starter.http.callers import Caller, may
from starter.http.once import Keyed
from starter.http.paging import Page, Paged
from starter.http.reading import StrictRoute
from starter.service.access import NewKey
from starter.service.service import Records

router = APIRouter(prefix="/v1/api-keys", tags=["access"], route_class=StrictRoute)


class WantedKey(KeyRequest):
    """A key as it is wanted. `by`: who wants it; left out, the key that asks."""

    by: Who | None = None


class ToldKey(BaseModel):
    """A key that was made or rotated. `text`: the whole of it, which nobody can ask again."""

    model_config = ConfigDict(frozen=True)

    key: ApiKey
    text: Annotated[str, Field(examples=["olk_4h7k2m9q8z1b_9fT0…"])]


class Rotation(Document):
    """How long the secrets that the key has work on, in seconds; 0: no more at all."""

    old_ends_in_s: Annotated[int, Field(ge=0, le=int(OLD_SECRET_ENDS_IN_MAX.total_seconds()))] = (
        int(OLD_SECRET_ENDS_IN.total_seconds())
    )
    by: Who | None = None


class Revocation(Document):
    """Who revokes it; left out, the key that asks."""

    by: Who | None = None


_WANTED: Final[dict[str, Any]] = {
    "a web shop": {
        "value": {
            "name": "web shop",
            "scopes": ["orders:read", "orders:write", "stock:read"],
            "channels": ["web"],
            "per_minute": 300,
            "by": "anna",
        }
    }
}
_ROTATION: Final[dict[str, Any]] = {
    "within a day": {"value": {"old_ends_in_s": 86400, "by": "anna"}},
    "somebody may have read it": {"value": {"old_ends_in_s": 0}},
}
_REVOCATION: Final[dict[str, Any]] = {"by a person": {"value": {"by": "anna"}}}


@router.get("", operation_id="listApiKeys", summary="List API keys, the newest first")
async def list_keys(
    caller: Annotated[Caller, may("access:read")],
    paged: Paged,
    revoked: Annotated[bool, Query(description="Revoked ones, too.")] = False,
) -> Page[ApiKey]:
    """Expired ones, too; all but their secrets."""
    asked = {"revoked": revoked}
    place = paged.after(asked)
    found = await caller.here.access.list(
        revoked=revoked, after=None if place is None else str(place[0]), limit=paged.at_most
    )
    return paged.page(asked, found, place=lambda one: [one.key_id], show=lambda one: one)


@router.get("/{key_id}", operation_id="getApiKey", summary="Read an API key")
async def get_key(key_id: str, caller: Annotated[Caller, may("access:read")]) -> ApiKey:
    """Whatever its state; all but its secrets."""
    return await caller.here.access.get(key_id)


@router.post(
    "",
    operation_id="makeApiKey",
    summary="Make an API key",
    status_code=201,
    response_model=ToldKey,
)
async def make_key(
    content: Annotated[WantedKey, Body(openapi_examples=_WANTED)],
    caller: Annotated[Caller, may("access:write")],
    once: Keyed,
) -> Response:
    """Its text is in this answer, and nowhere else: a repeat is told the new key's id alone (409).

    No key makes one that may more than itself (403).
    """

    async def made(here: Records) -> tuple[str, ToldKey]:
        who = caller.who(content.by)
        return _told(await here.access.make(content, who=who, by_grant=caller.grant))

    return await once.told_once(made, status=201)


@router.post(
    "/{key_id}/rotate",
    operation_id="rotateApiKey",
    summary="Give an API key another secret",
    response_model=ToldKey,
)
async def rotate_key(
    key_id: str,
    content: Annotated[Rotation, Body(openapi_examples=_ROTATION)],
    caller: Annotated[Caller, may("access:write")],
    once: Keyed,
) -> Response:
    """Its id, scopes and story stay. The new text is in this answer, and nowhere else.

    Both secrets work until the old one ends. No key rotates one that may more than itself (403).
    """

    async def rotated(here: Records) -> tuple[str, ToldKey]:
        return _told(
            await here.access.rotate(
                key_id,
                who=caller.who(content.by),
                old_ends_in=timedelta(seconds=content.old_ends_in_s),
                by_grant=caller.grant,
            )
        )

    return await once.told_once(rotated)


@router.post(
    "/{key_id}/revoke",
    operation_id="revokeApiKey",
    summary="End an API key at once and for good",
    response_model=ApiKey,
)
async def revoke_key(
    key_id: str,
    content: Annotated[Revocation, Body(openapi_examples=_REVOCATION)],
    caller: Annotated[Caller, may("access:write")],
    once: Keyed,
) -> Response:
    """Any key, also one that may more than the one that asks. It stays on record."""
    who = caller.who(content.by)
    return await once.in_database(lambda here: here.access.revoke(key_id, who=who))


def _told(new: NewKey) -> tuple[str, ToldKey]:
    return new.key.key_id, ToldKey(key=new.key, text=new.secret_text.get_secret_value())
