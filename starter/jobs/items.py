"""One item of a job, done by the doors that everybody uses.

An item may be asked for twice, by an attempt that goes on though it is thought to be dead: each of
these is once by its own name or key, or changes the database together with its outcome.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final

from domain.errors import NotFound, Refused
from domain.jobs.jobs import Kind, Maker, OpenItem, Told
from domain.jobs.options import StockImport
from domain.orders.fulfilment_state import FulfilmentState
from domain.orders.order import Order
from domain.purchasing.purchase_orders import SupplierItem
from domain.stock.items import Item
from domain.stock.kits import Kit
from domain.stored import stored
from domain.words import count_of
from starter.channels.stock_csv import StockRow
from starter.jobs.asks import cancel, charge, check_order, hold, release, resolve
from starter.service.job_work import Standing
from starter.service.service import Records, Service
from starter.warehouse.labels import check_paper

DECIDED_WITHIN: Final = timedelta(seconds=5)
"""An imported order is in progress, and safe, where its decision takes longer."""

DOCUMENTS_MAX: Final = 100
"""Of one order, so many are printed."""

Do = Callable[[Service, Standing, OpenItem], Awaitable[Told]]
DoTogether = Callable[[Service, Standing, Sequence[OpenItem]], Awaitable[None]]


async def place(here: Service, job: Standing, item: OpenItem) -> Told:
    """Place an order. Its id makes it one, and a repeat is answered as the first one was."""
    sent = item.content
    order = stored(Order, sent["order"])
    if sent["left_out"]:
        order = order.telling(tuple(sent["left_out"]))
    await _check_channel(here, job.maker, order.channel)
    placed = await here.orders.place(order, answer_within=DECIDED_WITHIN, bulk=True)
    return Told(
        item.number,
        "done",
        reference=placed.order_id,
        answer=placed.outcome,
        detail=placed.reason or None,
    )


async def find_parcels(here: Service, job: Standing, item: OpenItem) -> Told:
    """Find what is to be printed of an order; the file is drawn when all are found."""
    order_id = item.reference or ""
    await check_order(here, job.maker, order_id)
    states = PRINTED[job.kind]
    found = (await here.orders.get(order_id)).fulfilments
    parts = [
        one.fulfilment_id
        for one in found
        if one.state in states and job.maker.works_at(one.location)
    ]
    if not parts:
        raise NotFound(f"{order_id} has no parcel to print this for")
    return Told(item.number, "done", answer=" ".join(parts))


async def find_labels(here: Service, job: Standing, item: OpenItem) -> Told:
    """Find the labels of an order that paper takes; the file is drawn when all are found."""
    told = await find_parcels(here, job, item)
    parts, why = [], []
    for part in (told.answer or "").split():
        try:
            file = (await here.labels.of(part)).file(rather="pdf")
            await asyncio.to_thread(check_paper, part, file)
        except Refused as no:
            why.append(str(no))
        else:
            parts.append(part)
    if not parts:
        raise Refused("; ".join(why))
    return Told(item.number, "done", answer=" ".join(parts), detail="; ".join(why) or None)


async def find_documents(here: Service, job: Standing, item: OpenItem) -> Told:
    """Find the invoices and credit notes of an order; the file is drawn when all are found."""
    order_id = item.reference or ""
    await check_order(here, job.maker, order_id)
    found = await here.accounting.documents_of(order_id, at_most=DOCUMENTS_MAX)
    if not found:
        raise NotFound(f"{order_id} has no invoice yet")
    return Told(item.number, "done", answer=", ".join(one.number for one in found))


async def take_in_stock(here: Service, job: Standing, item: OpenItem) -> Told:
    """Take units in, together with the outcome."""
    options = StockImport.model_validate(job.options)
    row = stored(StockRow, item.content)
    if row.quantity == 0:
        return Told(item.number, "done", answer="nothing to take in")
    told = Told(item.number, "done", answer=count_of(row.quantity, "unit"))

    async def work(records: Records) -> None:
        await records.stock.receive(
            f"{job.job_id}:{item.number}",
            row.sku,
            row.location,
            row.quantity,
            unit_cost=row.cost,
            new_location=row.location in options.new_locations,
            who=job.maker.by,
            why=options.reason or f"import {job.job_id}",
        )

    await _all_or_none(here, job, [told], work)
    return told


async def set_kit(here: Service, job: Standing, item: OpenItem) -> Told:
    """Say what a kit is made of."""
    kit, told = stored(Kit, item.content), _set(item)
    await _all_or_none(here, job, [told], lambda records: records.catalogue.define_kit(kit))
    return told


async def set_items(here: Service, job: Standing, items: Sequence[OpenItem]) -> None:
    """Set what is said of SKUs. Raises InvalidInput where one stands there twice."""
    wanted, told = [stored(Item, one.content) for one in items], [_set(one) for one in items]
    await _all_or_none(here, job, told, lambda records: records.catalogue.set_items(wanted))


async def set_terms(here: Service, job: Standing, items: Sequence[OpenItem]) -> None:
    """Set suppliers' terms for SKUs."""
    wanted = [stored(SupplierItem, one.content) for one in items]
    told = [_set(one) for one in items]
    await _all_or_none(here, job, told, lambda records: records.purchasing.set_terms(wanted))


def _set(item: OpenItem) -> Told:
    return Told(item.number, "done", answer="set")


def _alone(together: DoTogether) -> Do:
    async def do(here: Service, job: Standing, item: OpenItem) -> Told:
        await together(here, job, [item])
        return _set(item)

    return do


async def _all_or_none(
    here: Service, job: Standing, told: Sequence[Told], work: Callable[[Records], Awaitable[object]]
) -> None:
    """Change the database, and tell it in the same transaction.

    Where another attempt has told one of these before, nothing is changed: a later row may have set
    the same. What is open then is claimed once more.
    """
    with suppress(_ToldBeforeError):
        async with here.in_one_transaction() as records:
            await work(records)
            if await records.job_work.tell(job.job_id, told) < len(told):
                raise _ToldBeforeError


class _ToldBeforeError(Exception):
    """Undoes what another attempt has done and told."""


async def _check_channel(here: Service, maker: Maker, code: str) -> None:
    """Raises NotFound for a channel that the job's maker may place nothing for."""
    if maker.channels is None and maker.sellers is None:
        return
    known = {one.channel: one.seller for one in await here.channels.list()}
    if code not in known or not maker.sees(code, known[code]):
        raise NotFound(f"there is no channel {code}")


PRINTED: Final[dict[Kind, frozenset[FulfilmentState]]] = {
    "print_pick_list": frozenset({"picking"}),
    "print_packing_slips": frozenset({"picking", "picked", "packed", "labelled"}),
    "print_labels": frozenset({"labelled"}),
}
"""Kind → the states of the parcels that it is printed for."""

DO: Final[dict[Kind, Do]] = {
    "import_orders": place,
    "import_stock": take_in_stock,
    "import_items": _alone(set_items),
    "import_kits": set_kit,
    "import_supplier_terms": _alone(set_terms),
    "cancel_orders": cancel,
    "hold_orders": hold,
    "release_orders": release,
    "charge_orders": charge,
    "resolve_steps": resolve,
    "print_pick_list": find_parcels,
    "print_packing_slips": find_parcels,
    "print_labels": find_labels,
    "print_documents": find_documents,
}
"""Kind → what is done with an item of it."""

TOGETHER: Final[dict[Kind, DoTogether]] = {
    "import_items": set_items,
    "import_supplier_terms": set_terms,
}
"""Kind → what is done with several items of it in one transaction, or with one where that fails.

Each change of the catalogue has every worker read it again, so there are not more than needed.
"""

AT_ONCE: Final[dict[Kind, int]] = {
    "import_orders": 8,
    "cancel_orders": 8,
    "hold_orders": 8,
    "release_orders": 8,
    "charge_orders": 8,
    "resolve_steps": 8,
}
"""Of these, so many items are under way together; of others, one after the other."""
