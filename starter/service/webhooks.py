"""Takes payment companies' webhooks: checks the signature, stores the event, and answers.

The workers' relay processes the event later, so the answer waits only for the row that stores it.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from domain.errors import InvalidInput, NotFound, OrderloomError, Unreachable
from domain.payments import signatures
from store.batching import Batching
from store.database import DatabaseFault, Pool
from store.payments import provider_events
from store.payments.provider_events import Told

logger = logging.getLogger(__name__)

BODY_BYTES_MAX: Final = 1_000_000
TOGETHER_MAX: Final = 200

KEEP_SECONDS_MAX: Final = 5.0
"""Time to keep an event in the database. An answer comes at most two seconds later."""

# Companies send along what opens a payment to the customer's browser: nothing to keep.
_SECRET_FIELDS: Final = frozenset({"client_secret"})


class Answer(BaseModel):
    """The answer to a webhook. `status` is HTTP's: 200 if the event is kept, now or before.

    400: not to be taken, and the same again will not be either. 401: its signature does not fit.
    404: there is no such company here. 413: it is too large. 503: not now; the company is to send
    it again. The message is for strangers: it names no setting.
    """

    model_config = ConfigDict(frozen=True)

    status: Literal[200, 400, 401, 404, 413, 503]
    message: str
    event_id: str | None = None


class _Envelope(BaseModel):
    """The fields without which an event is refused. All providers here use Stripe's."""

    model_config = ConfigDict(frozen=True)

    id: Annotated[str, Field(min_length=1, max_length=255)]
    type: Annotated[str, Field(min_length=1, max_length=255)]
    created: Annotated[int, Field(strict=True, ge=0, lt=253_402_300_800)]  # seconds, to year 9999


SignatureCheck: TypeAlias = Callable[[bytes, str, datetime], None]
"""A body, the header that signs it, and the time of now. Raises InvalidInput for a bad one."""


WebhookSecrets: TypeAlias = Mapping[str, Sequence[SecretStr]]
"""Company → what it may sign with, several while one is replaced."""


def signature_checks(secrets: WebhookSecrets) -> dict[str, SignatureCheck]:
    """The checks of all companies that sign as Stripe does, which all of today's do.

    `secrets`: company → what it may sign with, several while one is replaced.
    """

    def check(known: Sequence[str]) -> SignatureCheck:
        return lambda body, signature, now: signatures.verify(body, signature, known, now=now)

    return {
        company: check([secret.get_secret_value() for secret in known])
        for company, known in secrets.items()
        if known
    }


class Webhooks:
    """Takes webhooks. `checks`: company → how its signature is checked. Others are not known."""

    def __init__(self, pool: Pool, checks: Mapping[str, SignatureCheck]) -> None:
        self._pool = pool
        self._checks = checks
        # Events that come together are stored together: each commit waits for the disk.
        self._batches = Batching(
            self._keep_all,
            rivals_over=lambda _: ("events",),
            size=lambda _: 1,
            size_max=TOGETHER_MAX,
            writers_max=1,
            hopeless=DatabaseFault,
        )

    async def receive(self, provider: str, body: bytes, signature: str, *, now: datetime) -> Answer:
        """Take a request's raw body, with the header that signs it.

        Never raises for its content. A request that is answered with 200 is stored, whatever
        happens next.
        """
        try:
            # The company gives up after some seconds, and counts that as a failure of ours.
            async with asyncio.timeout(KEEP_SECONDS_MAX):
                event_id, new = await self._keep(provider, body, signature, now)
        except (Unreachable, *DatabaseFault) as fault:
            logger.warning("a webhook of %r cannot be kept now: %s", provider, type(fault).__name__)
            return Answer(status=503, message="cannot be kept now; send it again")
        except OrderloomError as error:
            hint = "compare ORDERLOOM_WEBHOOK_SECRETS with what the company signs with"
            logger.warning("a webhook of %r is refused: %s; %s", provider, error, hint)
            status: Literal[400, 404] = 404 if isinstance(error, NotFound) else 400
            return Answer(status=status, message=str(error))
        return Answer(status=200, message="kept" if new else "kept before", event_id=event_id)

    async def _keep(
        self, provider: str, body: bytes, signature: str, now: datetime
    ) -> tuple[str, bool]:
        check = self._checks.get(provider)
        if check is None:
            raise NotFound(f"nothing is taken of {provider!r} here")
        if len(body) > BODY_BYTES_MAX:
            raise InvalidInput(f"is larger than {BODY_BYTES_MAX} bytes", where="body")
        check(body, signature, now)
        content, envelope = read(body)
        happened_at = datetime.fromtimestamp(envelope.created, UTC)
        told = Told(provider, envelope.id, envelope.type, content, happened_at)
        new = await self._batches.answer(told)
        if not new:
            async with self._pool.acquire() as conn:
                is_same = await provider_events.kept_the_same(
                    conn, provider, envelope.id, envelope.type, content.get("data")
                )
            if not is_same:
                logger.warning(
                    "%s came again with other content; what came first counts", envelope.id
                )
        return envelope.id, new

    async def _keep_all(self, told: Sequence[Told]) -> list[bool]:
        async with self._pool.acquire() as conn:
            return await provider_events.keep(conn, told)


def read(body: bytes) -> tuple[dict[str, Any], _Envelope]:
    """An event's JSON, without secrets, and what has to be in it. Raises InvalidInput."""
    try:
        content = _cleaned(json.loads(body.decode("utf-8")))
        # JSON that Python reads and PostgreSQL refuses: NaN and infinity, half a surrogate pair.
        json.dumps(content, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise InvalidInput("is not JSON, or was cut off on its way", where="body") from None
    if not isinstance(content, dict):
        raise InvalidInput("must be a JSON object", where="body")
    try:
        envelope = _Envelope.model_validate(content)
    except ValidationError as error:
        fields = ", ".join(str(fault["loc"][0]) for fault in error.errors())
        raise InvalidInput(f"needs, as every event does: {fields}", where="body") from None
    return content, envelope


def _cleaned(content: Any) -> Any:
    """Without secrets. Raises ValueError for the zero byte, which PostgreSQL does not keep."""
    match content:
        case dict():
            kept = {key: value for key, value in content.items() if key not in _SECRET_FIELDS}
            return {_cleaned(key): _cleaned(value) for key, value in kept.items()}
        case list():
            return [_cleaned(value) for value in content]
        case str() if "\x00" in content:
            raise ValueError("holds a zero byte")
        case _:
            return content
