"""Sellers: who sells, as documents and customers see it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, get_args

from domain.sellers import AttachesTo, Seller
from starter.service.sellers import Sellers
from starter.web.screens.visits import Visit
from starter.web.setup.documents import Documents, router_of
from starter.web.setup.fields import Field


class _Sellers(Documents[Seller]):
    name = "sellers"
    code = "seller"
    model = Seller
    reads = "sellers:read"
    writes = "sellers:write"
    fields = (
        Field("name", required=True),
        Field("line1"),
        Field("line2"),
        Field("postal_code"),
        Field("city"),
        Field("region"),
        Field("country", "country"),
        Field("tax_numbers", "lines"),
        Field("currency"),
        Field("time_zone", "zone", required=True),
        Field("languages", "lines"),
        Field("attach_documents", "ticks"),
        Field("series.invoice.format"),
        Field("series.invoice.first", "number"),
        Field("series.credit_note.format"),
        Field("series.credit_note.first", "number"),
        Field("looks.display_name"),
        Field("looks.colour"),
        Field("looks.logo", "area"),
        Field("looks.support_email", "email"),
        Field("looks.support_phone"),
    )

    def door(self, visit: Visit) -> Sellers:
        return visit.here.sellers

    async def all(self, visit: Visit) -> Sequence[Seller]:
        return await visit.here.sellers.list()

    def is_theirs(self, visit: Visit, one: Seller) -> bool:
        mine = visit.person.grant.sellers
        return mine is None or one.seller in mine

    def may_add(self, visit: Visit) -> bool:
        return not visit.person.grant.is_restricted

    async def retired(self, visit: Visit) -> set[str]:
        return {one.seller for one in await self.all(visit) if one.retired}

    async def options(self, visit: Visit) -> dict[str, list[tuple[str, str]]]:
        return {
            "attach_documents": [
                (one, visit.words(f"attaches_{one}")) for one in get_args(AttachesTo)
            ],
        }


router: Final = router_of(_Sellers())
