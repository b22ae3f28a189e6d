"""Takes carriers' webhooks: checks the signature, keeps the message, and answers.

The workers' relay works through it later, so the answer waits only for the row that keeps it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from domain.errors import InvalidInput, Unreachable
from domain.fulfilment.carrier_messages import is_easypost, verify
from domain.standard_webhooks import is_secret
from starter.service.webhooks import KEEP_SECONDS_MAX, TOGETHER_MAX, Answer, WebhookSecrets
from store.batching import Batching
from store.database import DatabaseFault, Pool
from store.warehouse import carrier_messages
from store.warehouse.carrier_messages import Sent

logger = logging.getLogger(__name__)

BODY_BYTES_MAX: Final = 2_000_000
SETTING: Final = "ORDERLOOM_CARRIER_WEBHOOK_SECRETS"


class CarrierWebhooks:
    """Takes webhooks of carriers. `secrets`: carrier → what it may sign with; no other is known.

    Raises InvalidInput for a secret that a carrier cannot have.
    """

    def __init__(self, pool: Pool, secrets: WebhookSecrets) -> None:
        self._pool = pool
        self._secrets = {
            sender: [secret.get_secret_value() for secret in known]
            for sender, known in secrets.items()
        }
        for sender, known in self._secrets.items():
            if not is_easypost(sender) and not all(is_secret(one) for one in known):
                raise InvalidInput(
                    f"{sender}: must be whsec_ and then base64 of 24 to 64 bytes", where=SETTING
                )
        # Messages that come together are kept together: each commit waits for the disk.
        self._batches = Batching(
            self._keep_all,
            rivals_over=lambda _: ("messages",),
            size=lambda _: 1,
            size_max=TOGETHER_MAX,
            writers_max=1,
            hopeless=DatabaseFault,
        )

    async def receive(
        self, sender: str, headers: Mapping[str, str], body: bytes, *, now: datetime
    ) -> Answer:
        """Take a request's raw body with its headers, whose names have small letters.

        Never raises for its content: what cannot be read is kept, and becomes a task.
        """
        known = self._secrets.get(sender)
        if known is None:
            logger.warning("a webhook of carrier %r is refused: %s has none", sender, SETTING)
            return Answer(status=404, message=f"nothing is taken of {sender!r} here")
        if len(body) > BODY_BYTES_MAX:
            return Answer(status=413, message=f"has more than {BODY_BYTES_MAX} bytes")
        try:
            message_id = verify(sender, headers, body, known, now=now)
        except InvalidInput as error:
            logger.warning("a webhook of carrier %s is refused: %s; see %s", sender, error, SETTING)
            return Answer(status=401, message=str(error))
        try:
            async with asyncio.timeout(KEEP_SECONDS_MAX):
                new = await self._batches.answer(Sent(sender, message_id, body))
        except (Unreachable, TimeoutError, *DatabaseFault) as fault:
            kind = type(fault).__name__
            logger.warning("a webhook of carrier %s cannot be kept now: %s", sender, kind)
            return Answer(status=503, message="cannot be kept now; send it again")
        return Answer(status=200, message="kept" if new else "kept before", event_id=message_id)

    async def _keep_all(self, sent: Sequence[Sent]) -> list[bool]:
        async with self._pool.acquire() as conn:
            return await carrier_messages.keep(conn, sent)
