"""Takes in what customers order by EDI: an 850 becomes an order of the partner's channel."""

from __future__ import annotations

from activities.edi.acting import Acted, Came
from domain import ids
from domain.edi.answers import confirmation
from domain.edi.asked import AskedOrder
from domain.edi.orders import read_order
from domain.orders.order import Order
from domain.orders.policy import Policy
from store import clock
from store.database import Connection
from store.edi import edi_orders
from store.edi.writing import write
from store.orders import channels, hold_rules, intake


class EdiOrders:
    """Takes orders in. `usual`: the policy where the channel does not say otherwise."""

    def __init__(self, usual: Policy) -> None:
        self._usual = usual

    async def place(self, conn: Connection, came: Came) -> Acted:
        """Place what an 850 asks for, once; or refuse it with an 855 that says why."""
        partner = came.partner
        read = read_order(came.document, partner)
        known = await edi_orders.known_skus(conn, read.skus)
        asked, order = read.order(known)
        if order is None:
            return await self._refuse(conn, came, asked, asked.refused)
        stands = await edi_orders.placed(conn, order.order_id)
        if stands is not None:
            return await _again(conn, order, asked, stands["digest"])
        return await self._take_in(conn, came, asked, order)

    async def _take_in(
        self, conn: Connection, came: Came, asked: AskedOrder, order: Order
    ) -> Acted:
        known = await channels.known(conn, channel=order.channel)
        judged = intake.judged(known, self._usual, order)
        new = await intake.take_in(conn, [judged], await hold_rules.known(conn))
        if not new[0]:  # Somebody has placed it at the same time.
            return Acted(later=True)
        await edi_orders.keep(conn, order.order_id, came.partner.partner, asked)
        left_out = [f"line {line.line_id}: {line.refused}" for line in asked.lines if line.refused]
        note = "placed" + (f", without {'; '.join(left_out)}" if left_out else "")
        return Acted(note=note, order_id=order.order_id)

    async def _refuse(self, conn: Connection, came: Came, asked: AskedOrder, why: str) -> Acted:
        """Nothing of it is placed: the customer hears why, line by line."""
        order_id = ids.order_id(came.partner.channel or "", asked.number)
        if await edi_orders.placed(conn, order_id) is not None:
            task = f"{order_id} is on record; what came again cannot be taken: {why}"
            return Acted("refused", why, order_id=order_id, task=task)
        answer = confirmation(
            came.partner, asked, {}, our_number="", today=clock.today(), refused=why
        )
        await write(
            conn,
            *(came.partner, "855", answer),
            at=clock.now(),
            subject=f"855:refused:{came.document_no}",
            reference=asked.number,
        )
        return Acted("refused", why)


async def _again(conn: Connection, order: Order, asked: AskedOrder, digest: str) -> Acted:
    """An order whose number is on record: the same one is not done twice."""
    order_id = order.order_id
    before = await edi_orders.asked(conn, order_id)
    if digest == order.digest or before == asked:
        return Acted(note=f"{order_id} was placed before: not done twice", order_id=order_id)
    return Acted(
        "refused",
        order_id=order_id,
        task=f"{order_id} was placed before with other content; ask the customer which is meant: "
        "an order is changed by an 860",
    )
