"""Orders that lost money on a day, and what was booked for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

from domain.accounting.accounts import OF_THE_RESULT, Account
from store.aftersales.carrier_claims import State as ClaimState
from store.database import Connection, load_queries
from store.views.reads import Row

_sql = load_queries(__file__)


class Booked(Row):
    """A posting of an order's loss, in minor units: above zero it lowers what the order brings in.

    `memo`: what it is for, as the books say. `goods`: SKU → units that it is about.
    """

    account: Account
    amount_minor: int
    memo: str
    goods: Mapping[str, int]


class LostParcel(Row):
    """A parcel that its carrier lost. `claim`: how the claim to the carrier stands.

    `sent_again`: others of its units took their place.
    """

    fulfilment_id: str
    claim: ClaimState
    sent_again: bool


class Loss(Row):
    """An order that lost money on a day, in the seller's books.

    `day_minor`: what of it was booked on the day. `result_minor`: what the order has brought in by
    the day's end: sold, less refunds, cost of goods and others (fees, write-offs, carriers); below
    zero. `refunds`, `reasons`: kinds and reasons of the day's refunds. `claims`: kinds of claims.
    `not_found`: units that a picker did not find. `booked`: the day's postings that lowered or
    raised it.
    """

    seller: str
    order_id: str
    channel: str
    currency: str
    day_minor: int
    sold_minor: int
    refunds_minor: int
    cost_minor: int
    others_minor: int
    result_minor: int
    refunds: tuple[str, ...]
    reasons: tuple[str, ...]
    claims: tuple[str, ...]
    disputed: bool
    lost_parcels: tuple[LostParcel, ...]
    not_found: int
    booked: tuple[Booked, ...]

    @property
    def is_below_cost(self) -> bool:
        """Whether the goods were sold for less than they cost.

        Units that were sent twice cost twice, which says nothing of the price.
        """
        sent_twice = any(parcel.sent_again for parcel in self.lost_parcels)
        return self.cost_minor > self.sold_minor and not sent_twice


async def of_day(
    conn: Connection,
    *,
    sellers: Collection[str] | None,
    channels: Collection[str] | None,
    currency: str | None,
    day: date,
    at_most: int,
) -> list[Loss]:
    """Orders that lost money on a day, the worst of each currency first. None: of every one."""
    rows = _sql.of_day(
        conn,
        sellers=None if sellers is None else list(sellers),
        channels=None if channels is None else list(channels),
        currency=currency,
        day=day,
        accounts=list(OF_THE_RESULT),
        at_most=at_most,
    )
    return [Loss(**row) async for row in rows]
