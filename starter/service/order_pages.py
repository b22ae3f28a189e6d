"""An order as who works with it sees it: all of one page, as of one moment."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from domain.customers.ids import customer_id
from domain.orders.hold_messages import StandingHold
from domain.orders.versions import OrderVersion
from starter.service.customers import ALL, Part
from store.accounting import documents
from store.accounting.documents import DocumentRow
from store.aftersales import claims
from store.aftersales.claims import Claim
from store.customers.pages import Seen, TheirOrder
from store.database import Pool
from store.messages import rows
from store.messages.rows import MessageRow
from store.orders import holds, notes, versions
from store.orders.notes import OrderNote
from store.payments import provider_reads
from store.payments.provider_reads import DisputeRow
from store.views import order_page, reads, snapshots
from store.views.order_page import OrderFacts
from store.views.reads import OrderDetail

ROWS_MAX: Final = 100
"""Of each list on the page. The story is whole."""

_OTHERS_MAX: Final = 6


@dataclass(frozen=True)
class OrderPage:
    """One order. `version`: another text with each change of it.

    `customer`: our id of who ordered; None: they are erased. `others`: their latest other orders.
    `versions`: the document before each edit, oldest first, with what that has changed.
    """

    detail: OrderDetail
    version: str
    facts: OrderFacts
    holds: Sequence[StandingHold]
    customer: str | None
    others: Sequence[TheirOrder]
    documents: Sequence[DocumentRow]
    claims: Sequence[Claim]
    messages: Sequence[MessageRow]
    disputes: Sequence[DisputeRow]
    versions: Sequence[OrderVersion]
    notes: Sequence[OrderNote]


class OrderPages:
    """Pages of orders. They need the database alone."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def page(self, order_id: str, *, part: Part = ALL) -> OrderPage:
        """All of it. `part`: of whose orders the customer's others are shown. Raises NotFound."""
        async with (
            self._pool.acquire() as conn,
            conn.transaction(isolation="repeatable_read", readonly=True),
        ):
            detail = await reads.detail(conn, order_id)
            facts = await order_page.facts(conn, order_id)
            number = facts.customer_no
            others: list[TheirOrder] = []
            if number is not None:
                seen = Seen(number, part.channels, part.sellers)
                others = await seen.orders(conn, at_most=_OTHERS_MAX + 1)
            return OrderPage(
                detail=detail,
                version=snapshots.snapshot_of(detail).version,
                facts=facts,
                holds=await holds.standing(conn, order_id),
                customer=None if number is None else customer_id(number),
                others=[one for one in others if one.order_id != order_id][:_OTHERS_MAX],
                documents=await documents.of_order(conn, order_id, after=None, at_most=ROWS_MAX),
                claims=await claims.listed(conn, order_id=order_id, at_most=ROWS_MAX),
                messages=await rows.find(conn, order_id=order_id, at_most=ROWS_MAX),
                disputes=await provider_reads.disputes(conn, order_id=order_id, at_most=ROWS_MAX),
                notes=await notes.notes(conn, order_id, at_most=ROWS_MAX),
                versions=(await versions.listed(conn, order_id))[:-1],
            )

    async def marks(self, order_ids: Collection[str]) -> Mapping[str, str]:
        """Order id → a text that is another one as soon as its page shows something else."""
        async with self._pool.acquire() as conn:
            return await order_page.marks(conn, order_ids)
