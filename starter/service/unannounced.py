"""Takes parcels that nobody announced, and makes returns of them."""

from __future__ import annotations

from collections.abc import Sequence

from domain.aftersales.return_counts import FoundGoods
from domain.errors import InvalidInput, Refused
from domain.orders.return_messages import ReturnOutcome, ReturnRequest
from starter.service.order_requests import OrderRequests
from store.aftersales import unannounced
from store.aftersales.unannounced import Candidate, Unannounced
from store.database import Pool


class UnannouncedRecords:
    """What lies at the dock and was not announced. Works while Temporal is away."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def receive(
        self,
        key: str,
        units: Sequence[FoundGoods],
        *,
        location: str,
        order_id: str | None = None,
        who: str,
    ) -> Unannounced:
        """Write a parcel down, once for each key. Raises NotFound for an unknown order or place."""
        async with self._pool.acquire() as conn:
            number = await unannounced.receive(
                conn,
                key,
                units,
                location=location,
                order_id=order_id,
                why=None if order_id is not None else "nobody knows whose it is",
                who=who,
            )
            return await unannounced.get(conn, number)

    async def list(self, *, open_only: bool = False, at_most: int = 100) -> Sequence[Unannounced]:
        """Parcels, the newest first; with `open_only`, those that are still to be dealt with."""
        async with self._pool.acquire() as conn:
            return await unannounced.find(conn, open_only=open_only, at_most=at_most)

    async def at(
        self,
        location: str,
        *,
        channels: Sequence[str] | None,
        sellers: Sequence[str] | None,
        parcel_no: int | None = None,
    ) -> Sequence[Unannounced]:
        """Parcels that are to be dealt with at a location, or this one, the newest first.

        Of orders of these channels and sellers (None: of all), or of nobody's.
        """
        async with self._pool.acquire() as conn:
            return await unannounced.find(
                conn,
                parcel_no=parcel_no,
                open_only=parcel_no is None,
                location=location,
                channels=channels,
                sellers=sellers,
            )

    async def could_be_of(
        self, parcel_no: int, *, channels: Sequence[str] | None, sellers: Sequence[str] | None
    ) -> Sequence[Candidate]:
        """The latest orders at whose customers all of its units may be."""
        async with self._pool.acquire() as conn:
            return await unannounced.could_be_of(
                conn, parcel_no, channels=channels, sellers=sellers
            )

    async def settle(self, parcel_no: int, note: str) -> None:
        """A person has dealt with it. Raises NotFound, and Refused for one that is a return."""
        async with self._pool.acquire() as conn:
            await unannounced.settle(conn, parcel_no, note)


class UnannouncedParcels(UnannouncedRecords):
    """The same, and has returns made of them by the orders' rules."""

    def __init__(self, pool: Pool, requests: OrderRequests) -> None:
        super().__init__(pool)
        self._requests = requests

    async def take(
        self, parcel_no: int, order_id: str | None = None, *, late: bool = False, who: str
    ) -> Unannounced:
        """Ask its order, or this one, to take a parcel back as a return. It may be repeated.

        What is approved is counted by itself. `late`: also after the window. Raises Refused where
        the rules say no, which then stands at the parcel.
        """
        try:
            async with self._pool.acquire() as conn:
                asked = await unannounced.ask(conn, parcel_no, order_id)
            if asked is not None:
                request = ReturnRequest.model_validate(
                    {
                        "reason": f"came unannounced, as parcel {parcel_no}",
                        "lines": [
                            {"line_id": line_id, "quantity": units}
                            for line_id, units in asked.units.items()
                        ],
                        "late": late,
                        "request_id": asked.request_id,
                        "by": who,
                    }
                )
                await self._requests.send(asked.order_id, request, ReturnOutcome)
        except (Refused, InvalidInput) as no:
            async with self._pool.acquire() as conn:
                await unannounced.needs_a_person(conn, parcel_no, str(no))
            raise
        async with self._pool.acquire() as conn:
            return await unannounced.get(conn, parcel_no)
