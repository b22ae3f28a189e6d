"""Sellers: who sells, as documents and customers see it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, get_args

from fastapi import APIRouter
from starlette.responses import Response

from domain.sellers import AttachesTo, Seller
from starter.web.screens.forms import told_by
from starter.web.screens.visits import ScreenRoute, Visit, may
from starter.web.setup.documents import Documents
from starter.web.setup.fields import Field

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

Reads = Annotated[Visit, may("sellers:read")]
Writes = Annotated[Visit, may("sellers:read", "sellers:write")]


class _Sellers(Documents[Seller]):
    name = "sellers"
    code = "seller"
    model = Seller
    writes = "sellers:write"
    fields = (
        Field("name", required=True),
        Field("line1"),
        Field("line2"),
        Field("postal_code"),
        Field("city"),
        Field("region"),
        Field("country"),
        Field("tax_numbers", "lines"),
        Field("currency"),
        Field("time_zone", required=True),
        Field("languages", "lines"),
        Field("attach_documents", "ticks"),
        Field("series.invoice.format"),
        Field("series.invoice.first", "number"),
        Field("series.credit_note.format"),
        Field("series.credit_note.first", "number"),
        Field("looks.display_name"),
        Field("looks.colour"),
        Field("looks.logo", "lines"),
        Field("looks.support_email", "email"),
        Field("looks.support_phone"),
    )

    async def all(self, visit: Visit) -> Sequence[Seller]:
        return await visit.here.sellers.list()

    async def get(self, visit: Visit, code: str) -> Seller:
        return await visit.here.sellers.get(code)

    async def make(self, visit: Visit, wanted: Seller) -> None:
        await visit.here.sellers.save([wanted])

    async def change(self, visit: Visit, wanted: Seller, seen: str) -> None:
        await visit.here.sellers.change(wanted, seen=seen)

    async def set_retired(self, visit: Visit, code: str, *, retired: bool) -> None:
        if retired:
            await visit.here.sellers.retire(code)
        else:
            await visit.here.sellers.reopen(code)

    async def retired(self, visit: Visit) -> set[str]:
        return {one.seller for one in await self.all(visit) if one.retired}

    async def options(self, visit: Visit) -> dict[str, list[tuple[str, str]]]:
        return {
            "attach_documents": [
                (one, visit.words(f"attaches_{one}")) for one in get_args(AttachesTo)
            ],
        }


_KIND: Final = _Sellers()


@router.get("/app/setup/sellers")
async def sellers(visit: Reads, done: str = "") -> Response:
    """All of them."""
    return await _KIND.list_page(visit, done)


@router.get("/app/setup/sellers/new")
async def new(visit: Writes) -> Response:
    """The form for another one."""
    return await _KIND.new_page(visit)


@router.post("/app/setup/sellers/new")
async def add(visit: Writes) -> Response:
    """Make it."""
    return await _KIND.add(visit)


@router.get("/app/setup/sellers/{code}")
async def seller(visit: Reads, code: str, done: str = "") -> Response:
    """One of them."""
    return await _KIND.page(visit, code, told=told_by(visit, done))


@router.post("/app/setup/sellers/{code}")
async def save(visit: Writes, code: str) -> Response:
    """Set it as a whole, unless others have changed it meanwhile."""
    return await _KIND.save(visit, code)


@router.post("/app/setup/sellers/{code}/retire")
async def retire(visit: Writes, code: str) -> Response:
    """Let it take nothing new."""
    return await _KIND.retire(visit, code, retired=True)


@router.post("/app/setup/sellers/{code}/reopen")
async def reopen(visit: Writes, code: str) -> Response:
    """Let it take new things again."""
    return await _KIND.retire(visit, code, retired=False)
