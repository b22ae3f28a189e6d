"""Asks Shopify's Admin GraphQL API, and puts its many ways to say no into our three faults."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from activities.shops.client import ShopAway, ShopRefuses, ShopSaysNo
from activities.shops.shopify_documents import API_VERSION
from activities.shops.web import Reply, Web, again

PAGES_MAX: Final = 40
"""So many pages of one thing are read at most."""

_SAID_CHARACTERS_MAX: Final = 300
_STILL_AT_IT: Final = ("currently in progress", "same idempotency key")
"""Words of errors of an `@idempotent` call: another call with this key is under way, and its
outcome is not known yet. Not all of these errors have a code."""
_THROTTLED_S: Final = 2.0


@dataclass(frozen=True)
class Data:
    """What it answered, and the time by its clock."""

    data: Mapping[str, Any]
    at: datetime | None


class Graphql:
    """One shop's API. `address`: such as https://example.myshopify.com."""

    def __init__(self, web: Web, address: str, token: str) -> None:
        self._web = web
        self._url = f"{address.rstrip('/')}/admin/api/{API_VERSION}/graphql.json"
        self._headers = {"x-shopify-access-token": token}

    async def ask(self, document: str, variables: Mapping[str, Any] | None = None) -> Data:
        """Ask what changes nothing."""
        return await again(lambda: self._post(document, variables))

    async def tell(self, document: str, name: str, variables: Mapping[str, Any]) -> Any:
        """Change something, in one try. Returns what the mutation of that name answers.

        Raises ShopSaysNo for what it calls errors of the user.
        """
        answer = (await self._post(document, variables)).data.get(name)
        if not isinstance(answer, dict):
            raise ShopAway("it answered without the answer")
        if faults := answer.get("userErrors"):
            raise _refusal(said_of(faults))
        return answer

    async def pages(
        self, document: str, variables: Mapping[str, Any], name: str
    ) -> AsyncIterator[Mapping[str, Any]]:
        """The nodes of a list at the top, over its pages."""
        after = None
        for _ in range(PAGES_MAX):
            found = (await self.ask(document, {**variables, "after": after})).data[name]
            for node in found["nodes"]:
                yield node
            if not found["pageInfo"]["hasNextPage"]:
                return
            after = found["pageInfo"]["endCursor"]

    async def _post(self, document: str, variables: Mapping[str, Any] | None) -> Data:
        content = {"query": document, "variables": dict(variables or {})}
        reply = await self._web.call("POST", self._url, self._headers, content)
        return _read(reply)


def said_of(faults: Any) -> str:
    """The messages of errors, in one line."""
    said = [str(one.get("message", one)) for one in faults if isinstance(one, dict)]
    return ("; ".join(said) or "without a reason")[:_SAID_CHARACTERS_MAX]


def _refusal(said: str) -> ShopAway | ShopSaysNo:
    is_no = not any(words in said.lower() for words in _STILL_AT_IT)
    return ShopSaysNo(said) if is_no else ShopAway(said)


def _read(reply: Reply) -> Data:
    if reply.status >= 400:
        raise ShopRefuses(f"it answered {reply.status}: is its address right?")
    content = reply.json()
    if not isinstance(content, dict):
        raise ShopAway("it answered with something that is not GraphQL's")
    faults = content.get("errors")
    if faults:
        # A shop that is closed, or frozen, says so in one text.
        listed: list[Any] = faults if isinstance(faults, list) else [{"message": str(faults)}]
        codes = {(one.get("extensions") or {}).get("code") for one in listed}
        if "THROTTLED" in codes:
            raise ShopAway("it asks for a pause (throttled)", after=_pause(content))
        if codes & {"ACCESS_DENIED", "FORBIDDEN", "UNAUTHORIZED"}:
            raise ShopRefuses(said_of(listed))
        if "INTERNAL_SERVER_ERROR" in codes:
            raise ShopAway(f"it failed: {said_of(listed)}", at_once=True)
        raise _refusal(said_of(listed))
    data = content.get("data")
    if not isinstance(data, dict):
        raise ShopAway("it answered without data")
    return Data(data, reply.at)


def _pause(content: Mapping[str, Any]) -> timedelta:
    """How long until there is enough for the same again, as it says itself."""
    try:
        cost = content["extensions"]["cost"]
        status = cost["throttleStatus"]
        lacking = cost["requestedQueryCost"] - status["currentlyAvailable"]
        seconds = math.ceil(max(lacking, 1) / max(status["restoreRate"], 1))
    except (KeyError, TypeError):
        seconds = _THROTTLED_S
    return timedelta(seconds=min(seconds, 60))
