"""What a form does in the database alone is done once, however often the form is sent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Final

from domain.access.request_keys import RequestKey
from starter.service.service import Records
from starter.web.screens.visits import Visit

_DONE: Final = 204
"""As a program would be answered; a browser is led on."""


async def once(visit: Visit, work: Callable[[Records], Awaitable[None]]) -> None:
    """Do it, if no form with this `request_id` was met at this address.

    Raises KeyReused where that one said something else. An error undoes all, so that the next
    form with the id is the first one again.
    """
    said = json.dumps(visit.sent, sort_keys=True)
    key = RequestKey(
        key_id=f"staff:{visit.person.login}",
        path=visit.request.url.path,
        key=visit.field("request_id"),
        digest=hashlib.sha256(said.encode()).hexdigest(),
    )
    async with visit.here.in_one_transaction() as records:
        if await records.requests.claimed(key) is None:
            await work(records)
            await records.requests.answered(key, _DONE, None, None)
