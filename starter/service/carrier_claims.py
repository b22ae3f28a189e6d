"""What carriers owe for parcels that they lost or broke. It needs the database alone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from domain.money import Money
from store.aftersales import carrier_claims
from store.aftersales.carrier_claims import Answer, CarrierClaim, State, TurnedUp
from store.database import Pool


class CarrierClaims:
    """Each parcel is claimed once at most; a lost one is due by itself."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def list(
        self,
        *,
        order_id: str | None = None,
        state: State | None = None,
        channels: Collection[str] | None = None,
        sellers: Collection[str] | None = None,
        after: tuple[datetime, str] | None = None,
        at_most: int = 100,
    ) -> Sequence[CarrierClaim]:
        """The latest first. `channels`, `sellers`: of orders of one of these alone.

        `after`: behind the one of then with this id.
        """
        async with self._pool.acquire() as conn:
            return await carrier_claims.listed(
                conn,
                order_id=order_id,
                state=state,
                channels=channels,
                sellers=sellers,
                after=after,
                at_most=at_most,
            )

    async def currency_of(self, fulfilment_id: str) -> str:
        """The currency in which a parcel is claimed: its order's. Raises NotFound."""
        async with self._pool.acquire() as conn:
            return await carrier_claims.currency_of(conn, fulfilment_id)

    async def file(
        self, fulfilment_id: str, amount: Money, *, reference: str = "", who: str
    ) -> CarrierClaim:
        """A claim was sent to the carrier. Raises Refused, NotFound, Conflict, InvalidInput."""
        async with self._pool.acquire() as conn:
            return await carrier_claims.file(
                conn, fulfilment_id, amount, reference=reference, who=who
            )

    async def answer(
        self,
        fulfilment_id: str,
        outcome: Answer,
        *,
        paid: Money | None = None,
        note: str = "",
        who: str,
    ) -> CarrierClaim:
        """What the carrier says; what it pays (left out: all) is booked. Raises Refused."""
        async with self._pool.acquire() as conn:
            return await carrier_claims.answer(conn, fulfilment_id, outcome, paid, note, who=who)

    async def drop(self, fulfilment_id: str, note: str, *, who: str) -> CarrierClaim:
        """The carrier is not asked, or not any more. Raises Refused, NotFound."""
        async with self._pool.acquire() as conn:
            return await carrier_claims.drop(conn, fulfilment_id, note, who=who)

    async def turned_up(
        self, fulfilment_id: str, became: TurnedUp, note: str, *, who: str
    ) -> CarrierClaim:
        """The parcel is there after all: what became of the money. Raises Refused, NotFound."""
        async with self._pool.acquire() as conn:
            return await carrier_claims.turned_up(conn, fulfilment_id, became, note, who=who)

    async def set_term(self, carrier: str, days: int) -> None:
        """How many days after the hand-over this carrier takes claims."""
        async with self._pool.acquire() as conn:
            await carrier_claims.set_term(conn, carrier, days)

    async def set_kept(self, carrier: str, days: int) -> None:
        """How many days this carrier keeps a parcel at a pick-up point."""
        async with self._pool.acquire() as conn:
            await carrier_claims.set_kept(conn, carrier, days)
