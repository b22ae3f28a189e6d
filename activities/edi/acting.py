"""Acts on the documents that partners have sent, each in a transaction of its own."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from activities.inboxes import pause_after, said
from domain.edi.parsed import TransactionSet
from domain.edi.partners import Partner
from domain.edi.wire import read
from store.database import Connection, Pool
from store.edi import documents, interchanges, partners
from store.edi.documents import State
from store.orders.intake import ChannelChanged

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Came:
    """A document that came, with its partner. `order_id`: known from an earlier try.

    `at`: when it came."""

    document_no: int
    tries: int
    partner: Partner
    document: TransactionSet
    order_id: str | None
    at: datetime


@dataclass(frozen=True)
class Acted:
    """What came of a document. `task`: what a person has to see to.

    `later`: it is not done yet, and is acted on again. `order_id`, `po_id`: what it is about.
    """

    state: State = "done"
    note: str = ""
    order_id: str | None = None
    po_id: str | None = None
    task: str = ""
    later: bool = False


Act = Callable[[Connection, Came], Awaitable[Acted]]
"""Does what a document asks for, in the transaction that marks it as done."""

Ask = Callable[[Came, Acted], Awaitable[None]]
"""Speaks to a workflow after that transaction, where the document is acted on again."""


_NOTHING: Final = TransactionSet("", "", ())


class Acting:
    """Acts on documents. `acts`: by the document's code. `ask`: speaks with workflows."""

    def __init__(self, pool: Pool, acts: Mapping[str, Act], ask: Ask | None = None) -> None:
        self._pool = pool
        self._acts = acts
        self._ask = ask
        self._read: tuple[int, list[TransactionSet]] | None = None
        """The interchange that was read last, and its documents: a large one is read once."""

    async def _document(
        self, conn: Connection, interchange_no: int, place: int
    ) -> TransactionSet | None:
        """One document of an interchange; None: it is erased."""
        if self._read is None or self._read[0] != interchange_no:
            raw = await interchanges.raw(conn, interchange_no)
            if raw is None:
                return None
            found = read(raw)
            # As they are counted where they were written down: those of TA1 stand before them.
            sets = [one for group in found.groups for one in group.sets]
            self._read = interchange_no, [*([_NOTHING] * len(found.receipts)), *sets]
        return self._read[1][place]

    async def act_on_next(self) -> bool:
        """Act on the next document that is due. False: none is."""
        async with self._pool.acquire() as conn, conn.transaction():
            row = await documents.lock_waiting(conn)
            if row is None:
                return False
            number, tries = row["document_no"], row["tries"]
            came: Came | None = None
            try:
                async with conn.transaction():
                    partner = await partners.get(conn, row["partner"])
                    document = await self._document(conn, row["interchange_no"], row["place"])
                    if document is None:
                        acted = Acted("refused", "a person whom it names was erased")
                    else:
                        came = Came(number, tries, partner, document, row["order_id"], row["at"])
                        acted = await self._acts[row["code"]](conn, came)
            except ChannelChanged:
                acted = Acted(later=True)
            except Exception as error:  # noqa: BLE001  # one document's defect must not stop the others
                acted = Acted(later=True, task=said(error))
                logger.warning("document %s of %s waits: %s", number, row["partner"], type(error))
            if acted.later:
                await documents.later(
                    conn, number, pause_after(tries), error=acted.task, order_id=acted.order_id
                )
            else:
                await documents.done(
                    conn,
                    number,
                    acted.state,
                    acted.note,
                    order_id=acted.order_id,
                    po_id=acted.po_id,
                    error=acted.task,
                )
        # No transaction is open during calls to Temporal. After a crash here, it comes again.
        if acted.later and not acted.task and came is not None and self._ask is not None:
            await self._ask(came, acted)
        return True
