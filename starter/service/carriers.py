"""Takes what carriers say about shipments."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Final

from domain.errors import NotFound
from domain.fulfilment.tracking import CarrierStatus, Heard
from store.database import Pool
from store.views import parcels
from store.views.parcels import ParcelUnderWay
from store.warehouse import carrier_messages, scans
from store.warehouse.carrier_messages import CarrierMessage

LATE_SCAN: Final = scans.LATE


class Carriers:
    """Scans, and the shipments that carriers have. A scan told again is one scan."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def event(
        self,
        *,
        carrier: str,
        tracking_number: str,
        event_id: str,
        status: CarrierStatus,
        happened_at: datetime | None = None,
        detail: str = "",
    ) -> Heard:
        """Record a carrier's scan of a shipment, and say whether it is `new`, or a `repeat`.

        `of another`: it happened before that number was in use here. Nothing else is changed, and a
        person is asked which shipment it is about. Raises NotFound for a number that nobody had.
        """
        async with self._pool.acquire() as conn:
            return await scans.carrier_event(
                conn,
                carrier=carrier,
                tracking_number=tracking_number,
                event_id=event_id,
                status=status,
                happened_at=happened_at or datetime.now(UTC),
                detail=detail,
            )

    async def settle_late_scan(self, order_id: str, step: str, note: str, *, who: str) -> None:
        """A person has dealt with what a carrier said after its end. Raises NotFound."""
        async with self._pool.acquire() as conn:
            if not await scans.settle_late(conn, order_id, step, note, who=who):
                raise NotFound(f"{step!r} of {order_id} needs no attention")

    async def messages(
        self, *, failed: bool = False, after: int | None = None, at_most: int = 100
    ) -> Sequence[CarrierMessage]:
        """What carriers have sent by themselves, the newest first.

        `failed`: only what needs a person. `after`: behind the one with this number.
        """
        async with self._pool.acquire() as conn:
            return await carrier_messages.find(conn, failed=failed, after=after, at_most=at_most)

    async def settle_message(self, message_no: int, note: str) -> None:
        """A person has dealt with a message. Raises NotFound for one that is not waiting."""
        async with self._pool.acquire() as conn:
            await carrier_messages.settle(conn, message_no, note)

    async def whose(self, carrier: str, tracking_number: str) -> set[tuple[str, str]]:
        """(channel, seller) of each order that has, or had, a shipment with this number."""
        async with self._pool.acquire() as conn:
            return await parcels.whose(conn, carrier, tracking_number)

    async def under_way(
        self,
        *,
        channels: Collection[str] | None = None,
        sellers: Collection[str] | None = None,
        after: tuple[datetime, str] | None = None,
        at_most: int = 1000,
    ) -> Sequence[ParcelUnderWay]:
        """The shipments that carriers have, the oldest first.

        `channels`, `sellers`: of orders of one of these alone. `after`: a page behind the parcel
        that was handed over then and has this id.
        """
        async with self._pool.acquire() as conn:
            return await parcels.parcels_under_way(
                conn, channels=channels, sellers=sellers, after=after, at_most=at_most
            )
