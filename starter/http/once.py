"""What is done once per Idempotency-Key: changes of the database, and requests to orders."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final, TypeAlias

from fastapi import Depends, Header, Request
from pydantic import BaseModel
from pydantic_core import to_jsonable_python
from starlette.responses import JSONResponse, Response

from domain.access.request_keys import KEY_LENGTH_MAX, RequestKey
from starter.http.problems import ProblemError
from starter.http.reading import json_of
from starter.service.service import Records, Service

REPLAYED: Final = {"Idempotent-Replayed": "true"}
KEYED_METHODS: Final = frozenset({"POST"})


class Once:
    """A request with its key. While it is answered, a second one with the key is told to wait."""

    def __init__(self, key: RequestKey, here: Service, under_way: set[RequestKey]) -> None:
        self.key = key
        self._here = here
        self._under_way = under_way

    @property
    def request_id(self) -> str:
        """The id under which the engine does it once."""
        return self.key.request_id

    def check_same_content(self, *, is_same: bool) -> None:
        """Raises KeyReused where the first request with this key had other content."""
        self.key.check_same(self.key.digest if is_same else "")

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Raises ProblemError (409) while the same request is being answered by this process.

        One that another process answers is met in the database, where this one waits for its end.
        """
        # The same key with other content is told apart by what the first one leaves behind.
        mine = RequestKey(self.key.key_id, self.key.path, self.key.key, "")
        if mine in self._under_way:
            raise ProblemError(
                409,
                "still_running",
                "the first request with this Idempotency-Key is still being answered",
                retryable=True,
            )
        self._under_way.add(mine)
        try:
            yield
        finally:
            self._under_way.discard(mine)

    async def begun(self, check: Callable[[], None]) -> Any:
        """Keep the key before an order is asked. Raises KeyReused, and what `check` raises.

        `check` is called for the first request alone. What has changed when a repeat comes can be
        what the first one has done. Returns what that one was told, if it was not the end.
        """
        async with self._here.in_one_transaction() as records:
            kept = await records.requests.claimed(self.key)
            if kept is None:
                check()
                return None
            return kept.body

    async def told(self, status: int, location: str, body: BaseModel) -> None:
        """Keep an answer that is not the end, for a repeat to go on from."""
        content = to_jsonable_python(body)
        await self._here.requests.answered(self.key, status, location, content)

    async def refused(self) -> None:
        """Give the key back, for the next request with it to be the first one again."""
        await self._here.requests.released(self.key)

    async def in_database(
        self,
        work: Callable[[Records], Awaitable[BaseModel | None]],
        *,
        status: int = 200,
        location: str | None = None,
    ) -> Response:
        """Do what only changes the database, with the key in the same transaction.

        An error undoes both, so that a later request with the key is the first one again.
        """
        with self.alone():
            async with self._here.in_one_transaction() as records:
                kept = await records.requests.claimed(self.key)
                if kept is not None:
                    return _answer(kept.status or status, kept.location, kept.body, replayed=True)
                done = await work(records)
                body = to_jsonable_python(done)
                await records.requests.answered(self.key, status, location, body)
        return _answer(status, location, body)

    async def safe_to_repeat(
        self, work: Callable[[], Awaitable[BaseModel | Response | None]], *, status: int = 200
    ) -> Response:
        """Do what takes several transactions, or others do; and keep the key and the answer after.

        A repeat that comes before that does it again, which `work` must bear. It returns what to
        answer and to keep; a whole answer is not kept.
        """
        with self.alone():
            kept = await self._here.requests.first(self.key)
            if kept is not None:
                return _answer(kept.status or status, kept.location, kept.body, replayed=True)
            done = await work()
            if isinstance(done, Response):
                return done
            body = to_jsonable_python(done)
            async with self._here.in_one_transaction() as records:
                if await records.requests.claimed(self.key) is None:
                    await records.requests.answered(self.key, status, None, body)
        return _answer(status, None, body)

    async def once_by_name(
        self, work: Callable[[], Awaitable[BaseModel]], *, status: int = 200
    ) -> Response:
        """Do what its own names make once, such as those of orders; at a repeat, ask it again.

        The key is kept before it, so that other content is told apart; an answer is not kept.
        """
        with self.alone():
            async with self._here.in_one_transaction() as records:
                kept = await records.requests.claimed(self.key)
            done = await work()
        return _answer(status, None, to_jsonable_python(done), replayed=kept is not None)

    async def told_once(
        self, work: Callable[[Records], Awaitable[tuple[str, BaseModel]]], *, status: int = 200
    ) -> Response:
        """The same of an answer that is kept nowhere, because it has a secret.

        `work` returns the id of what was done, and the answer. Of a repeat only the id is told:
        raises ProblemError (409).
        """
        with self.alone():
            async with self._here.in_one_transaction() as records:
                kept = await records.requests.claimed(self.key)
                if kept is not None:
                    raise ProblemError(
                        409,
                        "already_made",
                        f"the first request with this Idempotency-Key has made it: "
                        f"{kept.body['id']}. Its text was told then, and is kept nowhere: if it "
                        "was lost, rotate it under another Idempotency-Key",
                    )
                made, done = await work(records)
                await records.requests.answered(self.key, status, None, {"id": made})
        return _answer(status, None, to_jsonable_python(done))


def _answer(status: int, location: str | None, body: Any, *, replayed: bool = False) -> Response:
    headers = {"Location": location} if location is not None else {}
    if replayed:
        headers |= REPLAYED
    if body is None:
        return Response(status_code=204, headers=headers)
    return JSONResponse(body, status_code=status, headers=headers)


_Named: TypeAlias = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="Names this request: a repeat with the same key is done once and answered "
        "as the first one was. A new one for each request, such as a UUID.",
        json_schema_extra={
            "minLength": 1,
            "maxLength": KEY_LENGTH_MAX,
            "pattern": "^[!#-~][ -~]*$",
        },
        examples=["0f0c8f1e-6a6f-4f57-9d3e-0a8f7c1a2b3c"],
    ),
]


async def _once(request: Request, idempotency_key: _Named = None) -> Once:
    key = _key_in(idempotency_key)
    content = json_of(await request.body())
    text = json.dumps([request.url.query, content], sort_keys=True, ensure_ascii=False)
    return _asked(request, key, text.encode("utf-8", "surrogatepass"))


async def _once_of_file(request: Request, idempotency_key: _Named = None) -> Once:
    key = _key_in(idempotency_key)
    whole = b"%s\0%s" % (request.url.query.encode(), await request.body())
    return _asked(request, key, whole)


def _key_in(idempotency_key: str | None) -> str:
    # The draft writes it as a structured text, in quotes; most programs send it as it is.
    key = (idempotency_key or "").strip().strip('"')
    if not 0 < len(key) <= KEY_LENGTH_MAX or not key.isascii() or not key.isprintable():
        raise ProblemError(
            400,
            "key_needed",
            "send an Idempotency-Key of 1 to 255 printable ASCII characters, such as a UUID: a "
            "repeat with the same key is done once",
        )
    return key


def _asked(request: Request, key: str, content: bytes) -> Once:
    digest = hashlib.sha256(content).hexdigest()
    path = f"{request.method} {request.url.path}"
    asked = RequestKey(request.state.key_id, path, key, digest)
    return Once(asked, request.app.state.service, request.app.state.under_way)


Keyed: TypeAlias = Annotated[Once, Depends(_once)]
"""A request that is done once. It stands behind the caller: a key is unique for an API key."""
KeyedFile: TypeAlias = Annotated[Once, Depends(_once_of_file)]
"""The same of a file that is sent."""
