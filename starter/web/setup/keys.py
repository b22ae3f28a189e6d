"""API keys of other programs: made, rotated and revoked. A secret is shown once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.responses import Response

from domain.access.api_keys import OLD_SECRET_ENDS_IN, PER_MINUTE, ApiKey, KeyRequest
from domain.access.keys import SCOPES, Grant
from domain.errors import InvalidInput, NotFound, Refused
from starter.service.access import NewKey
from starter.web.screens.addresses import PAGE, day_in
from starter.web.screens.forms import by_field, met, told_by
from starter.web.screens.visits import ScreenRoute, Visit, in_words, may
from starter.web.setup.fields import Field, document_of, sent_values
from starter.web.setup.parts import show

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

Reads = Annotated[Visit, may("access:read")]
Writes = Annotated[Visit, may("access:read", "access:write")]
_FIELDS: Final = (
    Field("name", required=True),
    Field("scopes", "ticks"),
    Field("channels", "ticks"),
    Field("sellers", "ticks"),
    Field("per_minute", "number"),
    Field("role"),
)
_OLD_HOURS: Final = (0, 1, 24, 168)
"""After a rotation, the old secret can work for so long."""


@router.get("/app/setup/keys")
async def keys(visit: Reads, all: str = "", after: str = "", done: str = "") -> Response:
    """The newest first. `all`: revoked ones, too."""
    found = await visit.here.access.list(
        revoked=bool(all), after=after[:PAGE] or None, limit=PAGE + 1
    )
    return show(
        visit,
        "keys",
        told=told_by(visit, done),
        keys=found[:PAGE],
        more=found[PAGE - 1].key_id if len(found) > PAGE else "",
        all=bool(all),
        may_write=visit.person.allows("access:write"),
    )


@router.get("/app/setup/keys/new")
async def new(visit: Writes) -> Response:
    """The form for another one."""
    return await _form(visit)


@router.post("/app/setup/keys/new")
async def make(visit: Writes) -> Response:
    """Make it. It may no more than who makes it."""
    try:
        said: dict[str, Any] = document_of(visit, _FIELDS)
        until = visit.field("expires_on")
        if until:
            said["expires_at"] = _end_of(visit, until)
        wanted = KeyRequest.model_validate(said)
        made = await visit.here.access.make(
            wanted, who=visit.person.who, by_grant=_handing_out(visit.person.grant, wanted.role)
        )
    except (ValidationError, InvalidInput) as wrong:
        visit.faults = by_field(visit.words, wrong)
        return await _form(visit, status=422, trouble=in_words(visit.words, wrong))
    except (Refused, NotFound) as no:
        return await _form(visit, status=409, trouble=in_words(visit.words, no))
    return _once(visit, made)


@router.get("/app/setup/keys/{key_id}")
async def key(visit: Reads, key_id: str, done: str = "") -> Response:
    """All but its secrets."""
    return _one(visit, await visit.here.access.get(key_id), told=told_by(visit, done))


@router.post("/app/setup/keys/{key_id}/rotate")
async def rotate(visit: Writes, key_id: str) -> Response:
    """Another secret; the old one works for some hours more."""
    hours = next((one for one in _OLD_HOURS if str(one) == visit.field("hours")), None)
    old_ends_in = OLD_SECRET_ENDS_IN if hours is None else timedelta(hours=hours)
    try:
        role = (await visit.here.access.get(key_id)).role
        made = await visit.here.access.rotate(
            key_id,
            who=visit.person.who,
            old_ends_in=old_ends_in,
            by_grant=_handing_out(visit.person.grant, role),
        )
    except NotFound:
        raise
    except Refused as no:
        found = await visit.here.access.get(key_id)
        return _one(visit, found, status=409, trouble=in_words(visit.words, no))
    return _once(visit, made)


@router.post("/app/setup/keys/{key_id}/revoke")
async def revoke(visit: Writes, key_id: str) -> Response:
    """End it at once and for good."""

    async def act() -> str:
        await visit.here.access.revoke(key_id, who=visit.person.who)
        return "revoked"

    async def again(status: int, trouble: Sequence[str]) -> Response:
        found = await visit.here.access.get(key_id)
        return _one(visit, found, status=status, trouble=trouble)

    return await met(visit, act, f"app/setup/keys/{key_id}", again)


def _handing_out(grant: Grant, role: str | None) -> Grant:
    """What a person may hand out: how often a program asks, and in which role, is up to them."""
    return Grant(
        key_id=grant.key_id,
        name=grant.name,
        scopes=grant.scopes,
        channels=grant.channels,
        sellers=grant.sellers,
        per_minute=2**31,
        expires_at=None,
        role=role,
    )


def _end_of(visit: Visit, text: str) -> datetime:
    """The end of a day, where its reader is. Raises InvalidInput."""
    day = day_in(text)
    if day is None:
        raise InvalidInput("must be a day, such as 2027-12-31", where="expires_on")
    return datetime.combine(day + timedelta(days=1), time(), visit.words.zone)


def _one(
    visit: Visit, one: ApiKey, *, status: int = 200, told: str = "", trouble: Sequence[str] = ()
) -> Response:
    return show(
        visit,
        "key",
        status=status,
        told=told,
        trouble=trouble,
        one=one,
        hours=[(str(n), visit.words.many("hours", n)) for n in _OLD_HOURS],
        usual_hours=str(round(OLD_SECRET_ENDS_IN.total_seconds() / 3600)),
        may_write=visit.person.allows("access:write"),
    )


async def _form(visit: Visit, *, status: int = 200, trouble: Sequence[str] = ()) -> Response:
    grant = visit.person.grant
    return show(
        visit,
        "new_key",
        status=status,
        trouble=trouble,
        values={"per_minute": PER_MINUTE, **sent_values(visit, _FIELDS)}
        if visit.sent
        else {**sent_values(visit, _FIELDS), "per_minute": PER_MINUTE},
        expires_on=visit.field("expires_on"),
        scopes=[(*one.split(":"), one) for one in SCOPES if one in grant.scopes],
        channels=[x.channel for x in await visit.here.channels.list()],
        sellers=[x.seller for x in await visit.here.sellers.list()],
    )


def _once(visit: Visit, made: NewKey) -> Response:
    return show(
        visit,
        "secret_once",
        of_what=made.key.name,
        secret=made.secret_text.get_secret_value(),
        onward=f"app/setup/keys/{made.key.key_id}",
    )
