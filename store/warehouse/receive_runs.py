"""Receipts on the floor: what is expected of a purchase order or a transfer, and what is recorded.

One run is one receipt, under a key that is made of the run's number.
"""

from __future__ import annotations

from typing import Final

from domain.errors import NotFound, Refused
from domain.purchasing.purchase_orders import ENDED
from domain.warehouse.receipts import Due, Receiving, Sender
from domain.warehouse.receiving import refused
from domain.warehouse.scans import Fact, Turn
from store.database import Connection
from store.purchasing import purchase_facts, purchase_reads, purchases
from store.purchasing.purchase_reads import PurchaseOrder
from store.stock import transfers
from store.stock.transfers import Transfer
from store.warehouse import bins
from store.warehouse.runs import Run

_NOT_SENT: Final = ("proposed", "approved")


async def of_purchase(
    conn: Connection, location: str, po_id: str, *, is_blind: bool = False
) -> Receiving:
    """A receipt of a purchase order, as it begins.

    Raises NotFound for one that does not come here, and Refused where nothing of it can come.
    """
    order = await purchase_reads.get(conn, po_id)
    if order.location != location:
        raise NotFound(f"purchase order {po_id} does not come to {location}", reason="not_for_here")
    due = _due_of_purchase(order)
    if not due:
        raise Refused(f"nothing of {po_id} is to be received", reason="nothing_due")
    announced = {line.sku: line.shipped - line.received for line in order.lines}
    begun = await _begun(conn, location, "supplier", po_id, order.supplier_name, due)
    update = {
        "is_blind": is_blind,
        "announced": {sku: n for sku, n in announced.items() if n > 0},
    }
    return begun.model_copy(update=update)


async def of_transfer(conn: Connection, location: str, transfer_id: str) -> Receiving:
    """A receipt of a transfer, as it begins. Raises as `of_purchase` does."""
    transfer = await transfers.get(conn, transfer_id)
    if transfer.to_location != location:
        raise NotFound(f"{transfer_id} does not come to {location}", reason="not_for_here")
    due = _due_of_transfer(transfer)
    if not due:
        raise Refused(f"nothing of {transfer_id} is under way", reason="nothing_due")
    return await _begun(conn, location, "location", transfer_id, transfer.from_location, due)


async def _begun(
    conn: Connection, location: str, sender: Sender, part: str, by: str, due: tuple[Due, ...]
) -> Receiving:
    skus = [one.sku for one in due]
    return Receiving(
        sender=sender,
        part=part,
        by=by,
        due=due,
        names=await bins.names_of(conn, skus),
        places=await bins.places_of(conn, location, skus),
        has_bins=await bins.are_there(conn, location),
        free_place=await bins.free_place(conn, location),
    )


def _due_of_purchase(order: PurchaseOrder) -> tuple[Due, ...]:
    """None where nothing is outstanding: then nothing more is taken, tolerance or not."""
    is_open = order.state not in (*ENDED, *_NOT_SENT) and not order.drop_ship
    if not is_open or not order.outstanding:
        return ()
    return tuple(
        Due(sku=line.sku, due=line.outstanding, most=line.receivable - line.received)
        for line in order.lines
    )


def _due_of_transfer(transfer: Transfer) -> tuple[Due, ...]:
    return tuple(
        Due(sku=line.sku, due=line.under_way, most=line.under_way)
        for line in transfer.lines
        if line.under_way
    )


async def record(conn: Connection, run: Run, state: Receiving, fact: Fact) -> None:
    """The goods are here; what is damaged of them is written off. Or goods lie at a place."""
    if fact.what == "lies":
        await bins.put(conn, run.location, fact.part, str(fact.said["place"]))
        return
    key, who, units = f"run-{run.run_no}", run.who, fact.counted or {}
    damaged = {sku: n for sku in units if (n := state.damaged(sku))}
    if state.sender == "location":
        await transfers.receive(
            conn, fact.part, key, units, damaged=damaged, rest_is_lost=state.ends, who=who
        )
        return
    if units or state.ends:
        await purchase_facts.receive(
            conn, fact.part, key, units, damaged=damaged, rest_is_cancelled=state.ends, who=who
        )
    if told := _told(state):
        await purchases.tell(
            conn, fact.part, f"differs:{key}", "came otherwise", who=who, why="; ".join(told)
        )


def _told(state: Receiving) -> list[str]:
    """What whoever buys is told of a receipt.

    What came less than was ordered may still come: that is told only where it was announced.
    """
    return [
        f"{one.sku}: {one.expected} expected, {one.came} came"
        + (f", {one.damaged} of them damaged" if one.damaged else "")
        + (f", {one.aside} put aside" if one.aside else "")
        for one in state.differences
        if state.announced or one.came > one.expected or one.damaged or one.aside
    ]


async def not_recorded(conn: Connection, state: Receiving, fact: Fact, why: str) -> Turn[Receiving]:
    """What becomes of a receipt that the rules did not take."""
    if state.sender == "supplier":
        due = _due_of_purchase(await purchase_reads.get(conn, state.part))
    else:
        due = _due_of_transfer(await transfers.get(conn, state.part))
    return refused(state, fact, due, why)
