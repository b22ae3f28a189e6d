"""Reads about orders."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from domain.errors import Refused
from domain.views.order_filters import OrderFilters
from domain.views.order_snapshot import OrderSnapshot, OrderState
from starter.service.order_notes import OrderNotes
from starter.service.order_pages import OrderPages
from store.orders import answers
from store.orders.answers import KeptAnswer
from store.views import decisions, lists, named, reads, snapshots
from store.views.decisions import Sourced

_A_DAY = timedelta(days=1)

LOOKS_AT: Final = 3_000
"""So many orders a page of a list looks at, whatever is asked for (docs/performance.md)."""


class OrderRecords(OrderPages, OrderNotes):
    """Reads about orders, their pages, and notes on them. They need the database alone."""

    async def get(self, order_id: str) -> reads.OrderDetail:
        """Everything about an order. Raises NotFound."""
        async with self._pool.acquire() as conn:
            return await reads.detail(conn, order_id)

    async def snapshot(self, order_id: str) -> OrderSnapshot:
        """An order as the world outside sees it. Raises NotFound."""
        async with self._pool.acquire() as conn:
            return await snapshots.snapshot(conn, order_id)

    async def snapshots(self, order_ids: Sequence[str]) -> Mapping[str, OrderSnapshot]:
        """Order id → the order, all as of one moment. One that is not there is left out."""
        async with self._pool.acquire() as conn:
            return await snapshots.snapshots(conn, order_ids)

    async def answer_of(self, order_id: str, request_id: str) -> KeptAnswer | None:
        """What an order has answered to a request with this id; None: nothing yet."""
        async with self._pool.acquire() as conn:
            return await answers.find(conn, order_id, request_id)

    async def whose(self, order_id: str) -> tuple[str, str] | None:
        """The channel and the seller of an order; None where there is no such order."""
        async with self._pool.acquire() as conn:
            return await reads.whose(conn, order_id)

    async def named(self, text: str) -> str:
        """The id of the order that a person names: by its id, or as its channel writes its number.

        What names no order is answered as it is. Raises Refused where several have that number.
        """
        async with self._pool.acquire() as conn:
            found = await named.named(conn, text)
        if len(found) > 1:
            raise Refused(f"{text!r} is the number of several orders: {', '.join(found)}; name one")
        return found[0] if found else text

    async def list(
        self,
        *,
        channel: str | None = None,
        seller: str | None = None,
        state: OrderState | None = None,
        customer_id: str | None = None,
        attention: bool | None = None,
        placed_from: datetime | None = None,
        placed_to: datetime | None = None,
        channels: Collection[str] | None = None,
        sellers: Collection[str] | None = None,
        after: tuple[datetime, str] | None = None,
        at_most: int = 100,
    ) -> Sequence[reads.OrderSummary]:
        """Orders, newest first, that match every filter that is given.

        `channels`, `sellers`: of one of these alone. `after`: a page behind the order that was
        received then and has this id.
        """
        async with self._pool.acquire() as conn:
            return await lists.summaries(
                conn,
                channel=channel,
                seller=seller,
                state=state,
                customer_id=customer_id,
                attention=attention,
                placed_from=placed_from,
                placed_to=placed_to,
                channels=channels,
                sellers=sellers,
                after=after,
                at_most=at_most,
            )

    async def listed(
        self,
        filters: OrderFilters,
        *,
        channels: Collection[str] | None = None,
        sellers: Collection[str] | None = None,
        start: str | None = None,
        is_rising: bool = False,
        at_most: int = 100,
        looks_at: int | None = LOOKS_AT,
    ) -> lists.ListedOrders:
        """A page of the orders that match, behind the order `start`: the newest first, or oldest.

        `channels`, `sellers`: of one of these alone. It looks at so many orders and no more, and
        says where it has stopped: whoever wants more goes on behind that one.
        """
        async with self._pool.acquire() as conn:
            return await lists.listed(
                conn,
                filters.wanted(),
                channels=channels,
                sellers=sellers,
                start=start,
                is_rising=is_rising,
                at_most=at_most,
                looks_at=looks_at,
            )

    async def told_of(self, order_ids: Sequence[str]) -> Mapping[str, lists.ToldOfOrder]:
        """Order id → what a list can say of an order beside its summary."""
        async with self._pool.acquire() as conn:
            return await lists.told_of(conn, order_ids)

    async def countries(self) -> Sequence[str]:
        """The codes of the countries that orders go to, or went to."""
        async with self._pool.acquire() as conn:
            return await lists.countries(conn)

    async def events(self, order_id: str) -> Sequence[reads.EventRow]:
        """An order's story: its events, oldest first. Raises NotFound."""
        async with self._pool.acquire() as conn:
            return await reads.story(conn, order_id)

    async def news(self, order_id: str, *, after: int = 0) -> reads.News:
        """An order's state, and its events since the one with this number. Raises NotFound."""
        async with self._pool.acquire() as conn:
            return await reads.news(conn, order_id, after=after)

    async def states(self) -> Mapping[str, int]:
        """State → how many orders are in it. Of the finished ones, those of the last day.

        A shop has finished millions of orders: nobody who looks at today counts them all.
        """
        async with self._pool.acquire() as conn:
            return await reads.states(conn, finished_since=datetime.now(UTC) - _A_DAY)

    async def attention(self, order_ids: Sequence[str]) -> Sequence[reads.AttentionRow]:
        """The steps of these orders that need attention."""
        async with self._pool.acquire() as conn:
            return await reads.needing_attention(conn, order_ids)

    async def sourcing(self, order_id: str) -> Sequence[Sourced]:
        """Each choice of locations for an order, oldest first, with what spoke for it."""
        async with self._pool.acquire() as conn:
            return await decisions.sourcing(conn, order_id)
