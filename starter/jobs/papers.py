"""What is printed of many orders, in one PDF."""

from __future__ import annotations

import asyncio
from typing import Final

from domain.errors import Refused
from domain.jobs.jobs import FilePart, Kind, ResultFile
from starter.jobs.items import PRINTED
from starter.service.job_work import Standing
from starter.service.service import Records
from starter.warehouse.pick_list import pick_list_pdf
from starter.warehouse.slip import slips_pdf

_PAGE: Final = 100
_DRAWN: Final = {"print_pick_list": pick_list_pdf, "print_packing_slips": slips_pdf}
PRINTS: Final[frozenset[Kind]] = frozenset(PRINTED)


async def drawn(here: Records, job: Standing) -> FilePart | None:
    """The file, when every item is found. None: there is nothing to print.

    What was picked or cancelled meanwhile is left out.
    """
    parts: list[str] = []
    after = 0
    while found := await here.jobs.items(job.job_id, outcome="done", after=after, at_most=_PAGE):
        parts += [part for item in found for part in (item.answer or "").split()]
        after = found[-1].number
    try:
        parcels = await here.labels.parcels(parts, PRINTED[job.kind])
    except Refused:
        return None
    content = await asyncio.to_thread(_DRAWN[job.kind], parcels)
    return FilePart(content, rows=0, reached="all", is_last=True)


def result(job: Standing) -> ResultFile:
    """What the file is called."""
    name = f"{job.kind.partition('_')[2].replace('_', '-')}-{job.job_id}.pdf"
    return ResultFile(name=name, media_type="application/pdf", bytes=0)
