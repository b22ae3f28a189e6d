"""What is printed of many orders, in one PDF."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from domain.errors import Refused
from domain.jobs.jobs import FilePart, JobItem, Kind, ResultFile
from runtime.papers.pdf import render
from starter.jobs.items import DOCUMENTS_MAX, PRINTED
from starter.service.job_work import Standing
from starter.service.labels import Paper
from starter.service.service import Records
from starter.warehouse.labels import labels_pdf
from starter.warehouse.pick_list import pick_list_pdf
from starter.warehouse.slip import slips_pdf

_PAGE: Final = 100
_DRAWN: Final = {"print_pick_list": pick_list_pdf, "print_packing_slips": slips_pdf}
_PAPERS: Final[dict[Kind, Paper]] = {
    "print_pick_list": "pick list",
    "print_packing_slips": "packing slip",
    "print_labels": "label",
}
PRINTS: Final[frozenset[Kind]] = frozenset({*PRINTED, "print_documents"})


async def drawn(here: Records, job: Standing) -> FilePart | None:
    """The file, when every item is found. None: there is nothing to print.

    What was picked or cancelled meanwhile is left out.
    """
    found: list[JobItem] = []
    while some := await here.jobs.items(
        job.job_id, outcome="done", after=found[-1].number if found else 0, at_most=_PAGE
    ):
        found += some
    if job.kind == "print_documents":
        content = await _documents(here, [item.reference or "" for item in found])
    else:
        parts = [part for item in found for part in (item.answer or "").split()]
        content = await _of_parcels(here, job, parts)
    if content is None:
        return None
    return FilePart(content, rows=0, reached="all", is_last=True)


async def _of_parcels(here: Records, job: Standing, parts: Sequence[str]) -> bytes | None:
    """The file, and a line in each order's story: who has printed it, and for which time."""
    try:
        parcels = await here.labels.parcels(parts, PRINTED[job.kind])
    except Refused:
        return None
    printed = [one.fulfilment_id for one in parcels]
    if job.kind == "print_labels":
        content = await _labels(here, printed)
    else:
        content = await asyncio.to_thread(_DRAWN[job.kind], parcels)
    await here.labels.tell_printed(printed, _PAPERS[job.kind], who=job.maker.by, key=job.job_id)
    return content


async def _labels(here: Records, parts: Sequence[str]) -> bytes:
    found = [(await here.labels.of(part)).file(rather="pdf") for part in parts]
    return await asyncio.to_thread(labels_pdf, found)


async def _documents(here: Records, order_ids: Sequence[str]) -> bytes | None:
    found = [
        await here.accounting.document(one.number, one.seller)
        for order_id in order_ids
        for one in await here.accounting.documents_of(order_id, at_most=DOCUMENTS_MAX)
    ]
    return await asyncio.to_thread(render, *found) if found else None


def result(job: Standing) -> ResultFile:
    """What the file is called."""
    name = f"{job.kind.partition('_')[2].replace('_', '-')}-{job.job_id}.pdf"
    return ResultFile(name=name, media_type="application/pdf", bytes=0)
