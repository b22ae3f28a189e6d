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
from store.purchasing import purchase_facts, purchase_reads
from store.purchasing.purchase_reads import PurchaseOrder
from store.stock import corrections, transfers
from store.stock.transfers import Transfer
from store.warehouse import bins
from store.warehouse.runs import Run

_NOT_SENT: Final = ("proposed", "approved")


async def of_purchase(conn: Connection, location: str, po_id: str) -> Receiving:
    """A receipt of a purchase order, as it begins.

    Raises NotFound for one that does not come here, and Refused where nothing of it can come.
    """
    order = await purchase_reads.get(conn, po_id)
    if order.location != location:
        raise NotFound(f"purchase order {po_id} does not come to {location}", reason="not_for_here")
    due = _due_of_purchase(order)
    if not due:
        raise Refused(f"nothing of {po_id} is to be received", reason="nothing_due")
    return await _begun(conn, location, "supplier", po_id, order.supplier_name, due)


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
    if state.sender == "supplier":
        await purchase_facts.receive(
            conn, fact.part, key, units, rest_is_cancelled=state.ends, who=who
        )
    else:
        await transfers.receive(conn, fact.part, key, units, rest_is_lost=state.ends, who=who)
    for sku in sorted(units):
        if broken := state.damaged(sku):
            why = f"{fact.part}: came damaged"
            await corrections.write_off(
                *(conn, f"{key}:{sku}", sku, run.location, broken), who=who, why=why
            )


async def not_recorded(conn: Connection, state: Receiving, fact: Fact, why: str) -> Turn[Receiving]:
    """What becomes of a receipt that the rules did not take."""
    if state.sender == "supplier":
        due = _due_of_purchase(await purchase_reads.get(conn, state.part))
    else:
        due = _due_of_transfer(await transfers.get(conn, state.part))
    return refused(state, fact, due, why)
