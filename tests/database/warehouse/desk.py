"""The carriers' door, and the duty behind it, on a real database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from activities.warehouse.carrier_messages import CarrierMessages
from domain.fulfilment.tracking import CarrierStatus
from starter.service.attention import AttentionList
from starter.service.carrier_webhooks import CarrierWebhooks
from starter.service.webhooks import Answer
from store.database import Pool
from store.views.attention import AttentionTask
from store.warehouse.carrier_messages import CarrierMessage
from tests.support.bench import Bench
from tests.support.builders import an_order
from tests.support.carrier_desk import CARRIER_SECRETS, by_easypost, by_standard, generic


class Desk:
    """Parcels, and messages about them."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.bench = Bench(pool)
        self.door = CarrierWebhooks(pool, CARRIER_SECRETS)
        self.duty = CarrierMessages(pool)
        self._sent = 0

    async def receive(self, sender: str, headers: Mapping[str, str], body: bytes) -> Answer:
        return await self.door.receive(sender, headers, body, now=datetime.now(UTC))

    async def easypost(self, body: bytes) -> Answer:
        return await self.receive("easypost", by_easypost(body), body)

    async def generic(self, *scans: Mapping[str, Any], message_id: str = "") -> Answer:
        self._sent += 1
        body = generic(*scans)
        headers = by_standard(body, message_id or f"msg_{self._sent}", datetime.now(UTC))
        return await self.receive("sandbox", headers, body)

    async def shipped(self) -> tuple[str, str]:
        """A parcel on its way, and its number."""
        part = await self.bench.at(an_order(("TEA", 2)), "shipped")
        return part, str((await self.bench.parcel(part)).tracking_number)

    async def status(self, part: str) -> CarrierStatus:
        return (await self.bench.parcel(part)).carrier_status

    async def messages(self, *, failed: bool = False) -> list[CarrierMessage]:
        return list(await self.bench.carriers.messages(failed=failed))

    async def tasks(self) -> list[AttentionTask]:
        return list(await AttentionList(self.pool).tasks())

    async def later(self) -> None:
        """All that waits is due again."""
        await self.pool.execute("update carrier_message set try_after = now()")
        await self.duty.work_through()

    async def since(self, long_ago: timedelta) -> None:
        await self.pool.execute(
            "update carrier_message set received_at = now() - $1::interval", long_ago
        )
