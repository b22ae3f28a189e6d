"""Files that jobs write, a part at a time: no more than a page is in memory."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from domain.errors import NotFound
from domain.jobs.jobs import FilePart, Kind, ResultFile
from domain.jobs.options import CustomersExport, LedgerExport, StockExport
from domain.sellers import choose_one
from domain.views.order_filters import OrderFilters
from starter.accounting.books import exporting, pieces
from starter.accounting.books.exporting import Format, Wanted
from starter.jobs.contacts import written
from starter.service.job_work import Standing
from starter.service.service import Records

ORDERS_A_PART: Final = 100
ROWS_A_PART: Final = 2_000
CUSTOMERS_A_PART: Final = 1_000

JSON_ENTRIES_MAX: Final = 20_000
"""One JSON document is written as a whole. The other formats have no limit."""

STOCK_COLUMNS: Final = (
    *("sku", "location", "on_hand", "allocated", "soft_reserved", "safety", "available"),
    "incoming",
)


class Export(NamedTuple):
    """How a kind of job writes its file: the part behind what it has reached."""

    part: Callable[[Records, Standing], Awaitable[FilePart]]
    ending: str
    media_type: str

    def result(self, job: Standing) -> ResultFile:
        """What the file is called."""
        name = f"{job.kind.partition('_')[2].replace('_', '-')}-{job.job_id}.{self.ending}"
        return ResultFile(name=name, media_type=self.media_type, bytes=0)


def export_of(job: Standing) -> Export:
    """How this job writes its file."""
    if job.kind == "export_ledger":
        return Export(_ledger, *_BOOKS[Format(job.options["format"])])
    if job.kind == "export_customers":
        is_lines = job.options.get("format", "jsonl") == "jsonl"
        return Export(_customers, *(_LINES if is_lines else _TABLE))
    return _EXPORTS[job.kind]


async def order_ids(here: Records, job: Standing, filters: OrderFilters, at_most: int) -> _Page:
    """Orders of a job's maker that match, newest first, behind what the job has reached."""
    found = await here.orders.listed(
        filters,
        channels=job.maker.channels,
        sellers=job.maker.sellers,
        start=job.reached and str(job.reached[1]),
        at_most=at_most,
    )
    orders = found.orders
    last = orders[-1] if len(orders) == at_most else found.looked_until
    reached = job.reached if last is None else [last.received_at.isoformat(), last.order_id]
    times = [one.received_at for one in orders]
    return _Page([one.order_id for one in orders], times, reached, last is None)


class _Page(NamedTuple):
    order_ids: Sequence[str]
    times: Sequence[datetime]
    reached: Any
    is_last: bool


async def _orders(here: Records, job: Standing) -> FilePart:
    page = await order_ids(here, job, OrderFilters.model_validate(job.options), ORDERS_A_PART)
    lines = []
    for order_id in page.order_ids:
        shown = await here.orders.snapshot(order_id)
        lines.append(f"{shown.model_dump_json()}\n")
    return FilePart(
        "".join(lines).encode(),
        rows=len(lines),
        reached=page.reached,
        is_last=page.is_last,
        first=min(page.times, default=None),
        last=max(page.times, default=None),
    )


async def _customers(here: Records, job: Standing) -> FilePart:
    wanted = CustomersExport.model_validate(job.options)
    found = await here.segments.block(
        segment=wanted.segment,
        consent=wanted.consent,
        after=job.reached or 0,
        at_most=CUSTOMERS_A_PART,
    )
    text = written(found.members, wanted.format, is_first=job.reached is None)
    times = [one.contact.last_received_at for one in found.members]
    return FilePart(
        text.encode(),
        rows=len(found.members),
        reached=found.reached or job.reached,
        is_last=found.reached is None,
        first=min(times, default=None),
        last=max(times, default=None),
    )


async def _stock(here: Records, job: Standing) -> FilePart:
    wanted = StockExport.model_validate(job.options)
    after = (job.reached[0], job.reached[1]) if job.reached else None
    found = await here.stock.list(
        sku=wanted.sku, location=wanted.location, after=after, at_most=ROWS_A_PART
    )
    file = io.StringIO()
    writer = csv.writer(file)
    if after is None:
        writer.writerow(STOCK_COLUMNS)
    writer.writerows([getattr(row, name) for name in STOCK_COLUMNS] for row in found)
    return FilePart(
        file.getvalue().encode(),
        rows=len(found),
        reached=[found[-1].sku, found[-1].location] if found else job.reached,
        is_last=len(found) < ROWS_A_PART,
    )


async def _ledger(here: Records, job: Standing) -> FilePart:
    """Some days after the other; JSON in one part."""
    asked = LedgerExport.model_validate(job.options)
    if job.maker.sellers is not None and asked.seller not in job.maker.sellers:
        raise NotFound(f"there is no seller {asked.seller}")
    seller = choose_one(await here.sellers.list(), asked.seller)
    wanted = Wanted(
        format=Format(asked.format),
        first=asked.first,
        last=asked.last,
        final=asked.final,
        daily=asked.daily,
        currency=asked.currency,
        tax_rate=asked.tax_rate,
    )
    if wanted.format is Format.JSON:
        whole = await exporting.read(here, seller, wanted, entries_max=JSON_ENTRIES_MAX)
        done = await asyncio.to_thread(exporting.written, whole, seller, wanted)
        return FilePart(done.text.encode(), rows=len(whole.entries), reached="all", is_last=True)
    is_first = job.reached is None
    if is_first:
        place = await pieces.first_place(here, seller, wanted)
    else:
        place = pieces.Place.read(job.reached)
    period, place = await pieces.days_at(here, seller, place)
    end = (
        await here.accounting.period(seller.seller, place.ends, place.ends) if is_first else period
    )
    piece = await asyncio.to_thread(
        lambda: pieces.written(
            *(period, seller, wanted, place), is_first=is_first, closed=end.closed
        )
    )
    return FilePart(
        piece.text.encode(),
        rows=piece.entries,
        reached=piece.behind.told() if piece.behind else "all",
        is_last=piece.behind is None,
    )


_LINES: Final = ("jsonl", "application/jsonl")
_TABLE: Final = ("csv", "text/csv")
_EXPORTS: Final[dict[Kind, Export]] = {
    "export_orders": Export(_orders, *_LINES),
    "export_stock": Export(_stock, *_TABLE),
}
_BOOKS: Final = {
    Format.BEANCOUNT: ("beancount", "text/plain"),
    Format.QUICKBOOKS: ("csv", "text/csv"),
    Format.XERO: ("csv", "text/csv"),
    Format.JSON: ("json", "application/json"),
}
EXPORTS: Final[frozenset[Kind]] = frozenset({*_EXPORTS, "export_ledger", "export_customers"})
