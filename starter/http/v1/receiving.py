"""What a warehouse reports of goods that come back."""

from __future__ import annotations

from typing import Annotated, Self

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.responses import Response

from domain.aftersales.return_counts import Found, FoundGoods
from domain.fields import Document, Id, LineId, inconsistent
from domain.orders.order import LINES_MAX
from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.once import Keyed
from starter.http.reading import StrictRoute
from starter.http.reports import NoneOrMore, PartId, Report
from starter.service.service import Records
from store.aftersales.returns import Counted

router = APIRouter(prefix="/v1", tags=["warehouse"], route_class=StrictRoute)

Writes = Annotated[Caller, may("warehouse:write")]


class CountedLine(Document):
    """Units of a line that came back, by what becomes of them; or, in `units`, by their condition.

    `refurbished`: put where nothing is sold. `to_supplier`: they leave again.
    """

    restocked: NoneOrMore = 0
    scrapped: NoneOrMore = 0
    refurbished: NoneOrMore = 0
    to_supplier: NoneOrMore = 0
    units: Annotated[tuple[Found, ...], Field(max_length=1000)] = ()

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.units and self.totals.received:
            raise inconsistent("units", "goes without the other counts: give one or the other")
        return self

    @property
    def totals(self) -> Counted:
        return Counted(**self.model_dump(exclude={"units"}))


class ReturnParcel(Report):
    """What came back (line id → units); left out: all of it, and all can be sold again.

    A line that is not named did not come. `extra`: what was in the parcel besides, about which a
    person decides. `location`: where the goods are put; left out: where they
    came from.
    """

    counted: Annotated[dict[LineId, CountedLine] | None, Field(max_length=LINES_MAX)] = None
    extra: Annotated[tuple[FoundGoods, ...], Field(max_length=LINES_MAX)] = ()
    location: Id | None = None


class Received(BaseModel):
    """Line id → units that came back, and units that did not and stay sold."""

    model_config = ConfigDict(frozen=True)

    received: dict[str, int]
    missing: dict[str, int]


@router.post(
    "/returns/{return_id}/receive",
    operation_id="receiveReturn",
    summary="Report what came back of a return",
    response_model=Received,
)
async def receive_return(
    return_id: PartId,
    content: Annotated[
        ReturnParcel,
        example(
            {
                "counted": {
                    "1": {
                        "units": [
                            {"quantity": 1, "condition": "new"},
                            {"quantity": 1, "condition": "damaged", "photo": "photo-4711"},
                        ]
                    }
                },
                "by": "anna",
            }
        ),
    ],
    caller: Writes,
    once: Keyed,
) -> Response:
    """Units that came back are paid back."""
    await caller.check_part(return_id)
    counted = None
    if content.counted is not None:
        counted = {
            line_id: units.units or units.totals for line_id, units in content.counted.items()
        }

    async def work(here: Records) -> Received:
        return Received(
            **await here.warehouse.receive_return(
                return_id,
                counted,
                extra=content.extra,
                location=content.location,
                who=caller.who(content.by),
            )
        )

    return await once.in_database(work)
