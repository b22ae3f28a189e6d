"""Tells customers by EDI what becomes of their orders: 855, 856, 810 and 865, each once."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from activities.inboxes import said
from activities.relay import BATCH
from domain.edi.answers import Standing, confirmation, our_change, shipping_notice
from domain.edi.billing import invoice
from domain.edi.partners import Partner
from domain.edi.written import Written
from store import clock
from store.database import Connection, Pool
from store.edi import documents, edi_orders, partners
from store.edi.edi_orders import ToTell
from store.edi.writing import write

logger = logging.getLogger(__name__)

_ENDED: Final = ("closed", "rejected", "cancelled")
_TOLD_FOR: Final = timedelta(days=1)
"""After its end an order is looked at for so long: a bill may follow the goods."""


class EdiTelling:
    """A duty of the relay."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def tell(self) -> None:
        """Write the documents that are due for each order that is not over."""
        after = ""
        while True:
            async with self._pool.acquire() as conn:
                found = await edi_orders.to_tell(conn, after, BATCH)
            for one in found:
                await self._tell(one)
            if len(found) < BATCH:
                return
            after = found[-1].order_id

    async def _tell(self, one: ToTell) -> None:
        try:
            async with self._pool.acquire() as conn, conn.transaction():
                partner = await partners.get(conn, one.partner)
                await self._tell_all(conn, one, partner)
                if one.error is not None:
                    await edi_orders.cannot_be_told(conn, one.order_id, None)
        except Exception as error:  # noqa: BLE001  # one order's defect must not stop the others
            logger.warning("what is due of %s cannot be told: %s", one.order_id, type(error))
            async with self._pool.acquire() as conn:
                await edi_orders.cannot_be_told(conn, one.order_id, said(error))

    async def _tell_all(self, conn: Connection, one: ToTell, partner: Partner) -> None:
        if one.decision == "received":
            return
        stands, skus = await edi_orders.lines(conn, one.order_no)
        if not one.is_answered:
            await _confirm(conn, one, partner, stands)
        elif one.latest > one.told_event and one.decision != "rejected":
            await _changed(conn, one, partner, stands)
        for parcel in await edi_orders.parcels(conn, one.order_no):
            notice = shipping_notice(partner, one.asked, parcel, skus=skus, our_number=one.order_id)
            await _told(conn, one, partner, "856", notice, parcel.shipment_id)
        for bill in await edi_orders.bills(conn, one.order_no):
            told = invoice(partner, one.asked, bill, our_number=one.order_id)
            await _told(conn, one, partner, "810", told, bill.number)
        if one.decision in _ENDED and one.decided_at + _TOLD_FOR < clock.now():
            await edi_orders.ended(conn, one.order_id)


async def _confirm(
    conn: Connection, one: ToTell, partner: Partner, stands: Mapping[str, Standing]
) -> None:
    rejected = one.decision == "rejected"
    answer = confirmation(
        *(partner, one.asked, stands),
        our_number=one.order_id,
        today=clock.today(),
        refused=(one.reason or "we cannot serve this order") if rejected else "",
    )
    await _told(conn, one, partner, "855", answer, one.order_id)
    await edi_orders.told(conn, one.order_id, stands, one.latest)


async def _changed(
    conn: Connection, one: ToTell, partner: Partner, stands: Mapping[str, Standing]
) -> None:
    """Tell the customer by an 865 what we have changed. Its own 860 is answered elsewhere."""
    if await documents.is_waiting(conn, partner.partner, "860", one.asked.number):
        return
    since = one.told_event
    if not await edi_orders.told(conn, one.order_id, stands, one.latest, since=since):
        return  # An 860 was answered meanwhile.
    differing = {
        line.line_id: stands[line.line_id]
        for line in one.asked.lines
        if line.line_id in stands
        and stands[line.line_id].differs(one.told.get(line.line_id, Standing(0)))
    }
    if differing:
        change = our_change(
            *(partner, one.asked, one.told, differing),
            today=clock.today(),
            why=one.reason or "we have changed it",
        )
        await _told(conn, one, partner, "865", change, f"{one.order_id}:{one.latest}")


async def _told(
    conn: Connection,
    one: ToTell,
    partner: Partner,
    code: str,
    segments: Sequence[Written],
    about: str,
) -> None:
    """Write a document about an order down, once."""
    await write(
        conn,
        *(partner, code, segments),
        at=clock.now(),
        subject=f"{code}:{about}",
        reference=about if code == "810" else one.asked.number,
        order_id=one.order_id,
    )
