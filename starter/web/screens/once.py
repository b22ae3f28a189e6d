"""What a form does that no order remembers is done once, however often the form is sent."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Final

from domain.access.request_keys import KEY_LENGTH_MAX, RequestKey
from domain.errors import InvalidInput, Refused
from starter.service.service import Records
from starter.web.guards import BadForm
from starter.web.screens.visits import Visit

_DONE: Final = 204
"""As a program would be answered; a browser is led on."""
_LOOKS: Final = 20
_LOOKS_EVERY_S: Final = 0.1
_BY_THE_PAGE: Final = ("go", "version", "seen")
"""Fields that say how far a form is, and not what it asks for."""


def key_of(visit: Visit) -> RequestKey:
    """By which a form is known again: its `request_id`, who sends it, and where to.

    Raises BadForm for one without a `request_id`.
    """
    if not 0 < len(visit.field("request_id")) <= KEY_LENGTH_MAX:
        raise BadForm
    said = {name: sent for name, sent in visit.sent.items() if name not in _BY_THE_PAGE}
    return RequestKey(
        key_id=f"staff:{visit.person.login}",
        path=visit.request.url.path,
        key=visit.field("request_id"),
        digest=hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest(),
    )


async def met_before(visit: Visit) -> bool:
    """Whether this form was met. Raises KeyReused where one with its id said something else."""
    return await visit.here.requests.first(key_of(visit)) is not None


async def once(visit: Visit, work: Callable[[Records], Awaitable[str]]) -> str:
    """Do it in the database, if no form with this `request_id` was met at this address.

    Answers what was done, as `met` tells it. Raises KeyReused where that form said something else.
    An error undoes all, so that the next form with the id is the first one again.
    """
    key = key_of(visit)
    async with visit.here.in_one_transaction() as records:
        kept = await records.requests.claimed(key)
        if kept is not None:
            return str(kept.body)
        done = await work(records)
        await records.requests.answered(key, _DONE, None, done)
        return done


async def once_asked(visit: Visit, work: Callable[[str], Awaitable[str]]) -> str:
    """The same of what others do: `work` asks them under this id, which makes two forms one.

    The form is kept before they are asked, so that a second one that comes meanwhile is told from
    one that somebody sends over what has changed. It waits for what the first one is told: asked
    twice at once, some answer one of the two that nothing is left to be done. Where nobody hears
    from the first one any more, it asks again.
    """
    key = key_of(visit)
    for _ in range(_LOOKS):
        async with visit.here.in_one_transaction() as records:
            kept = await records.requests.claimed(key)
        if kept is None:
            break
        if kept.body is not None:
            return str(kept.body)
        await asyncio.sleep(_LOOKS_EVERY_S)
    try:
        done = await work(key.request_id)
    except (Refused, InvalidInput):
        await visit.here.requests.released(key)
        raise
    await visit.here.requests.answered(key, _DONE, None, done)
    return done
