"""What suppliers answer by EDI: 855 and 865, the notice of goods (856), and the bill (810)."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from activities.edi.acting import Act, Acted, Came
from domain.edi.matching import match
from domain.edi.purchases import (
    OrderedLine,
    billed,
    confirmed,
    noticed,
    noticed_order,
)
from domain.edi.reading import first, loops, reason_of
from domain.edi.rules import reference_of
from domain.errors import InvalidInput, NotFound
from domain.purchasing.purchase_orders import Acknowledged
from store import clock
from store.database import Connection
from store.edi import bills, documents
from store.purchasing import purchase_facts, purchase_reads
from store.purchasing.purchase_reads import PurchaseOrder

SHORT: Final = "short: "
"""The first word of a task about a notice that lacks goods. It ends when the rest is sent."""

GOODS_WITHIN: Final = timedelta(days=3)
"""Goods that are billed and have not come by then are a person's task."""


async def confirm(conn: Connection, came: Came) -> Acted:
    """An 855: days that were confirmed feed promises; units that will not come are cancelled."""
    order = await _order(conn, came, reference_of(came.document))
    said = confirmed(came.document, came.partner, _lines(order))
    who = came.partner.partner
    if said.refused:
        await purchase_facts.refuse(conn, order.po_id, said.refused, who=who)
        return Acted("refused", said.refused, po_id=order.po_id, task=f"refused: {said.refused}")
    answer = {
        line.sku: Acknowledged(quantity=line.quantity, due_on=line.due_on) for line in said.lines
    }
    # What of it is not as ordered is the answer's task, as if somebody had reported it.
    await purchase_facts.acknowledge(
        conn, order.po_id, _key(came), answer, differs=said.differs, who=who
    )
    return Acted(note="acknowledged", po_id=order.po_id)


async def answer_change(conn: Connection, came: Came) -> Acted:
    """An 865: whether the supplier lets the order be taken back.

    Some suppliers agree by rejecting each line: then nothing of it is sent any more. Others say no
    in the same way. So where none was sent the order ends, and a person reads what it said; but not
    where a line says beside it what stands.
    """
    begin = first(came.document.segments, "BCA")
    assert begin is not None  # The rules have looked.
    order = await _order(conn, came, begin.at(3))
    who, why = came.partner.partner, "cancelled, as we asked"
    if not await documents.is_written(conn, who, f"860:{order.po_id}"):
        task = f"nothing of {order.po_id} was to be changed"
        return Acted("refused", task, po_id=order.po_id, task=task)
    if begin.at(2) not in ("RD", "RJ"):
        await purchase_facts.refuse(conn, order.po_id, why, who=who)
        return Acted(note=why, po_id=order.po_id)
    lines = list(loops(came.document, "POC"))
    said = next((reason_of(block) for block in lines if reason_of(block)), "it gives no reason")
    said_of = [[one.at(1) for one in block if one.tag == "ACK"] for block in lines]
    none_comes = lines and all(set(codes) == {"IR"} for codes in said_of)
    if none_comes and not any(line.shipped for line in order.lines):
        await purchase_facts.refuse(conn, order.po_id, said, who=who)
        task = f"see that nothing of {order.po_id} comes: {who} rejects each line: {said}"
        return Acted(note=why, po_id=order.po_id, task=task)
    task = f"{who} does not cancel {order.po_id}: {said}"
    return Acted("refused", task, po_id=order.po_id, task=task)


async def notice(conn: Connection, came: Came) -> Acted:
    """An 856: what comes; of a drop shipment, that it was handed over."""
    order = await _order(conn, came, noticed_order(came.document))
    said = noticed(came.document, came.partner, _lines(order))
    parcel = (said.carrier or came.partner.partner, said.tracking_number)
    await purchase_facts.ship(
        *(conn, order.po_id, f"edi-{said.shipment_id}", said.units),
        parcel=parcel if order.drop_ship else None,
        who=came.partner.partner,
    )
    # Asked again: a notice that comes twice has sent its goods once.
    lines = (await _order(conn, came, order.po_id)).lines
    over = [
        f"{line.shipped} {line.sku} are sent, and {line.quantity} were ordered"
        for line in lines
        if said.units.get(line.sku, 0) and line.shipped > line.quantity
    ]
    short = [
        f"{line.shipped} of {line.quantity - line.cancelled} {line.sku}"
        for line in lines
        if line.shipped < line.quantity - line.cancelled
    ]
    if short:
        over.append(f"{SHORT}{', '.join(short)} are sent: see whether the rest comes")
    else:
        await documents.settle_all(conn, came.partner.partner, order.po_id, SHORT)
    return Acted(note=f"sent as {said.shipment_id}", po_id=order.po_id, task="; ".join(over))


async def bill(conn: Connection, came: Came) -> Acted:
    """An 810: compared with the order and the goods. What does not match is a person's task."""
    begin = first(came.document.segments, "BIG")
    assert begin is not None  # The rules have looked.
    order = await _order(conn, came, begin.at(4))
    said = billed(came.document, came.partner, _lines(order))
    partner = came.partner.partner
    goods = {line.sku: max(line.received, line.shipped) for line in order.lines}
    units: dict[str, int] = {}
    sign = -1 if said.is_credit else 1
    for line in said.lines:
        units[line.sku] = units.get(line.sku, 0) + sign * line.quantity
    is_new = await bills.keep(conn, partner, said.number, order.po_id, units, sign * said.total)
    found = match(
        *(said, _lines(order), goods),
        await bills.before(conn, order.po_id, partner, said.number),
        currency=order.currency,
        is_repeated=not is_new and came.tries == 0,
    )
    if found.waits and came.at + GOODS_WITHIN > clock.now():
        return Acted(later=True, po_id=order.po_id)
    task = "; ".join((*found.faults, *found.missing))
    what = "credit note" if said.is_credit else "invoice"
    note = "" if task else f"{what} {said.number} matches"
    return Acted(note=note, po_id=order.po_id, task=task)


async def _order(conn: Connection, came: Came, po_id: str) -> PurchaseOrder:
    """Our purchase order. Raises InvalidInput for one that is no order with this supplier."""
    try:
        order = await purchase_reads.get(conn, po_id)
    except NotFound as error:
        raise InvalidInput(f"there is no purchase order {po_id}") from error
    if order.supplier != came.partner.supplier:
        raise InvalidInput(f"{po_id} is an order with {order.supplier}")
    return order


def _lines(order: PurchaseOrder) -> list[OrderedLine]:
    return [
        OrderedLine(line.sku, line.quantity, line.unit_price, line.due_on) for line in order.lines
    ]


def _key(came: Came) -> str:
    return f"edi-{came.document_no}"


ANSWERS: Final[dict[str, Act]] = {
    "855": confirm,
    "865": answer_change,
    "856": notice,
    "810": bill,
}
"""What is done with each document of a supplier."""
