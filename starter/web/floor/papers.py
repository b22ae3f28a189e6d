"""What is printed on the floor: labels, packing slips, manifests, and the sheet of commands."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from domain.errors import NotFound
from starter.warehouse.command_sheet import code_sheet_pdf, command_sheet_pdf
from starter.warehouse.manifest import manifest_pdf
from starter.warehouse.slip import slip_pdf
from starter.web.floor.home import HOME, Works
from starter.web.guards import HEADERS
from starter.web.packing import packed
from starter.web.screens.visits import Number, ScreenRoute, Visit

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

_SHOWN: Final = ("application/pdf", "image/png")
"""What browsers show; a printer's own language is saved to a file."""


@router.get("/app/floor/sheet")
async def sheet(visit: Works) -> Response:
    """Commands as barcodes."""
    content = await asyncio.to_thread(command_sheet_pdf, visit.words.language)
    return _pdf(visit, content, "commands")


@router.get("/app/floor/places")
async def places(visit: Works) -> Response:
    """The places of somebody's location as barcodes."""
    location = await visit.here.floor.location_of(visit.person)
    if location is None:
        return visit.lead(HOME)
    codes = [(place, place) for place in await visit.here.floor_goods.places(location)]
    return await _codes(visit, visit.words("places_of", location=location), codes)


@router.get("/app/floor/runs/{number}/labels")
async def goods(visit: Works, number: Number) -> Response:
    """A label for each unit that came."""
    codes = await visit.here.floor_goods.labels(visit.person, number)
    return await _codes(visit, visit.words("labels_of", n=number), codes)


async def _codes(visit: Visit, title: str, codes: Sequence[tuple[str, str]]) -> Response:
    if not codes:
        raise NotFound("there is nothing to print", reason="nothing_to_print")
    content = await asyncio.to_thread(code_sheet_pdf, title, [codes], visit.words.language)
    return _pdf(visit, content, "codes")


@router.get("/app/floor/manifests/{number}")
async def manifest(visit: Works, number: Number) -> Response:
    """What a carrier has taken at once."""
    found = await visit.here.floor.manifest(visit.person, number)
    content = await asyncio.to_thread(manifest_pdf, found, visit.words.language)
    return _pdf(visit, content, f"manifest-{number}")


@router.get("/app/floor/parcels/{part}/slip")
async def slip(visit: Works, part: str) -> Response:
    """The slip that goes into a parcel."""
    await _check(visit, part)
    packing = await visit.here.labels.slip(part)
    content = await asyncio.to_thread(slip_pdf, packing)
    return _pdf(visit, content, f"slip-{part.replace(':', '-')}")


@router.post("/app/floor/parcels/{part}/label")
async def label(visit: Works, part: str) -> Response:
    """The label of a parcel. It is a form: that it is printed once more is told."""
    await _check(visit, part)
    found = await visit.here.labels.of(part)
    file = found.file(rather="pdf")
    await visit.here.floor.label_printed(visit.person, part)
    name = f"label-{part.replace(':', '-')}.{file.format}"
    return _file(visit, file.content, file.media_type, name)


async def _check(visit: Visit, part: str) -> None:
    """Raises NotFound for a parcel that is not at their location."""
    location = await visit.here.floor.location_of(visit.person)
    await visit.here.floor.check_parcel(visit.person, location or "", part)


def _pdf(visit: Visit, content: bytes, name: str) -> Response:
    return _file(visit, content, "application/pdf", f"{name}.pdf")


def _file(visit: Visit, content: bytes, kind: str, name: str) -> Response:
    how = "inline" if kind in _SHOWN else "attachment"
    headers = {**HEADERS, "Content-Disposition": f'{how}; filename="{name}"'}
    return packed(visit.request, Response(content, media_type=kind, headers=headers))
