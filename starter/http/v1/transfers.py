"""Goods on their way from one location to another."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from domain.fields import Day, Id, Reason
from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.once import Keyed
from starter.http.paging import Page, Paged
from starter.http.reading import StrictRoute
from starter.http.reports import CountedOfSkus, Report, UnitsOfSkus
from starter.service.service import Records
from store.stock.transfers import Transfer

router = APIRouter(prefix="/v1/transfers", tags=["stock"], route_class=StrictRoute)

Reads = Annotated[Caller, may("stock:read")]
Writes = Annotated[Caller, may("stock:write")]


class Sending(Report):
    """Units (SKU → number) that leave one location for another.

    `transfer_id` names it; left out: an id that is made of the Idempotency-Key.
    """

    transfer_id: Id | None = None
    from_location: Id
    to_location: Id
    units: UnitsOfSkus
    expected_on: Day | None = None
    reason: Reason = "transfer"


class Arrival(Report):
    """Units (SKU → number) that arrived; left out: all that are on their way.

    `rest_is_lost`: what did not arrive is written off. Otherwise it may still come.
    """

    units: CountedOfSkus | None = None
    rest_is_lost: bool = False


class ListedTransferLine(BaseModel):
    """Units of one SKU: those that were sent arrived, are lost, or are under way."""

    model_config = ConfigDict(frozen=True)

    sku: str
    sent: int
    arrived: int
    lost: int
    under_way: int


class ListedTransfer(BaseModel):
    """Goods from one location to another. Closed: nothing of it is under way any more."""

    model_config = ConfigDict(frozen=True)

    transfer_id: str
    from_location: str
    to_location: str
    expected_on: Day | None
    sent_at: datetime
    closed_at: datetime | None
    who: str
    why: str
    lines: tuple[ListedTransferLine, ...]


@router.get("", operation_id="listTransfers", summary="List transfers, oldest first")
async def list_transfers(
    caller: Reads,
    paged: Paged,
    under_way: Annotated[bool, Query(description="Only those with units on their way.")] = False,
) -> Page[ListedTransfer]:
    """Goods that have left one location for another, and what arrived of them."""
    asked: dict[str, Any] = {"under_way": under_way}
    place = paged.after(asked)
    after = None if place is None else (datetime.fromisoformat(place[0]), str(place[1]))
    found = await caller.here.transfers.list(**asked, after=after, at_most=paged.at_most)
    return paged.page(
        asked,
        found,
        place=lambda one: (one.sent_at.isoformat(), one.transfer_id),
        show=listed,
    )


@router.get("/{transfer_id}", operation_id="getTransfer", summary="Read a transfer")
async def get_transfer(transfer_id: Id, caller: Reads) -> ListedTransfer:
    """What was sent, and what became of it."""
    return listed(await caller.here.transfers.get(transfer_id))


@router.post(
    "",
    operation_id="sendTransfer",
    summary="Send goods from one location to another",
    status_code=201,
    response_model=ListedTransfer,
)
async def send(
    content: Annotated[
        Sending,
        example(
            {
                "from_location": "main",
                "to_location": "shop",
                "units": {"TEA-ASSAM-250": 12},
                "expected_on": "2026-12-01",
                "reason": "for the weekend",
            }
        ),
    ],
    caller: Writes,
    once: Keyed,
) -> Response:
    """They are on their way until they are received.

    Units that an order, a basket or a backorder holds cannot go. The same transfer under the same
    `transfer_id` is one transfer; another one under it is a conflict.
    """
    transfer_id = content.transfer_id or f"T-{once.request_id.removeprefix('api-')[:12]}"

    async def work(here: Records) -> ListedTransfer:
        sent = await here.transfers.send(
            *(transfer_id, content.from_location, content.to_location, content.units),
            expected_on=content.expected_on,
            who=caller.who(content.by),
            why=content.reason,
        )
        return listed(sent)

    return await once.in_database(work, status=201, location=f"{router.prefix}/{transfer_id}")


@router.post(
    "/{transfer_id}/receive",
    operation_id="receiveTransfer",
    summary="Report what arrived of a transfer",
    response_model=ListedTransfer,
)
async def receive(
    transfer_id: Id,
    content: Annotated[Arrival, example({"units": {"TEA-ASSAM-250": 11}, "rest_is_lost": True})],
    caller: Writes,
    once: Keyed,
) -> Response:
    """Units that are missing may still come, unless the rest is lost."""

    async def work(here: Records) -> ListedTransfer:
        received = await here.transfers.receive(
            *(transfer_id, once.request_id, content.units),
            rest_is_lost=content.rest_is_lost,
            who=caller.who(content.by),
        )
        return listed(received)

    return await once.in_database(work)


def listed(one: Transfer) -> ListedTransfer:
    """A transfer as it is told."""
    lines = tuple(
        ListedTransferLine(**line.model_dump(), under_way=line.under_way) for line in one.lines
    )
    return ListedTransfer(**one.model_dump(exclude={"lines"}), lines=lines)
