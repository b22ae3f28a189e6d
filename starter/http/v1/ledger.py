"""The books of each seller: balances, entries, taxes, exports, and closing days."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Query
from starlette.responses import Response

from domain.errors import InvalidInput
from domain.fields import CurrencyOnceUsed, Day, Document, Printable, Who
from domain.sellers import Code
from starter.accounting.books import exporting
from starter.accounting.books.exporting import Format, Wanted
from starter.http.callers import Caller, may
from starter.http.once import Keyed
from starter.http.paging import Page, Paged
from starter.http.reading import StrictRoute
from starter.http.shown_ledger import (
    ShownEntry,
    Taxes,
    TrialBalance,
    balance_of,
    entry_of,
    taxes_of,
)
from starter.http.v1.accounting import OfSeller
from store.accounting.ledger import Closing

router = APIRouter(prefix="/v1/ledger", tags=["accounting"], route_class=StrictRoute)

ENTRIES_MAX: Final = 20_000
"""An export of more would take longer than an answer may."""

_MEDIA: Final = {
    Format.BEANCOUNT: ("text/plain", "beancount"),
    Format.QUICKBOOKS: ("text/csv", "csv"),
    Format.XERO: ("text/csv", "csv"),
    Format.JSON: ("application/json", "json"),
}
_EXPORTED: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The file.",
        "content": {
            media: {"schema": {"type": "object" if media == "application/json" else "string"}}
            for media, _ in _MEDIA.values()
        },
    }
}


class CloseRequest(Document):
    """Close all days of a seller through one that is over. `by`: who decides it."""

    seller: Code
    through: Day
    by: Who | None = None


_CLOSE: Final[dict[str, Any]] = {
    "a month": {"value": {"seller": "main", "through": "2026-10-31", "by": "anna"}}
}


@router.get("/balance", operation_id="getTrialBalance", summary="Read the trial balance")
async def get_balance(
    caller: Annotated[Caller, may("accounting:read")],
    seller: OfSeller = None,
    until: Annotated[Day | None, Query(description="At its end; left out: now.")] = None,
) -> TrialBalance:
    """Of each of the key's sellers. Each currency adds up to zero."""
    found = [
        balance_of(one.seller, await caller.here.accounting.trial_balance(one.seller, until))
        for one in await caller.sellers_named(seller)
    ]
    return TrialBalance(until=until, sellers=tuple(found))


@router.get("/entries", operation_id="listEntries", summary="List entries, the latest first")
async def list_entries(
    caller: Annotated[Caller, may("accounting:read")],
    paged: Paged,
    seller: OfSeller = None,
    order_id: Annotated[str | None, Query(max_length=300)] = None,
    first: Annotated[Day | None, Query(alias="from", description="Of this day or later.")] = None,
    last: Annotated[Day | None, Query(alias="to", description="Of this day or earlier.")] = None,
) -> Page[ShownEntry]:
    """Entries are never changed. Days are those of their seller's time zone."""
    if order_id is not None:
        await caller.check_order(order_id)
    asked: dict[str, Any] = {
        "seller": seller,
        "sellers": caller.sellers,
        "order_id": order_id,
        "first": first,
        "last": last,
    }
    place = paged.after(asked)
    before = None if place is None else (date.fromisoformat(place[0]), int(place[1]))
    found = await caller.here.accounting.entries(paged.at_most, **asked, before=before)
    return paged.page(
        asked,
        found[::-1],
        place=lambda one: (one.booked_on.isoformat(), one.entry_id),
        show=entry_of,
    )


@router.get("/taxes", operation_id="getTaxes", summary="Read the tax of some days by rate")
async def get_taxes(
    caller: Annotated[Caller, may("accounting:read")],
    first: Annotated[Day, Query(alias="from", examples=["2026-11-01"])],
    last: Annotated[Day, Query(alias="to", examples=["2026-11-30"])],
    seller: OfSeller = None,
) -> Taxes:
    """Invoices less credit notes of each of the key's sellers, beside the tax that is booked."""
    if last < first:
        raise InvalidInput("is before the first day", where="query.to")
    found = [
        taxes_of(await caller.here.accounting.taxes(one.seller, first, last))
        for one in await caller.sellers_named(seller)
    ]
    return Taxes(sellers=tuple(found))


@router.get(
    "/export",
    operation_id="exportLedger",
    summary="Export a seller's entries of some days for another program",
    response_class=Response,
    responses=_EXPORTED,
)
async def export(
    caller: Annotated[Caller, may("accounting:read")],
    seller: Annotated[Code, Query(examples=["main"])],
    format: Annotated[Format, Query(examples=["beancount"])],
    first: Annotated[
        Day | None, Query(alias="from", description="Left out: from the beginning.")
    ] = None,
    last: Annotated[Day | None, Query(alias="to", description="Left out: today.")] = None,
    final: Annotated[
        bool, Query(description="Only if the days are closed, and cannot change.")
    ] = False,
    daily: Annotated[bool, Query(description="One entry for each day and currency.")] = False,
    currency: Annotated[CurrencyOnceUsed | None, Query(description="csv alone.")] = None,
    tax_rate: Annotated[
        Printable | None, Query(alias="tax-rate", description="csv-xero: a rate of nothing.")
    ] = None,
) -> Response:
    """Of 20,000 entries at most: for more, ask for fewer days, or use `orderloom ledger export`."""
    its_seller = await caller.seller(seller)
    wanted = Wanted(
        format=format,
        first=first,
        last=last,
        final=final,
        daily=daily,
        currency=currency,
        tax_rate=tax_rate,
        options="query.{}",
    )
    period = await exporting.read(caller.here, its_seller, wanted, entries_max=ENTRIES_MAX)
    done = await asyncio.to_thread(exporting.written, period, its_seller, wanted)
    media, ending = _MEDIA[format]
    name = f"{seller}-{period.first}-{period.last}.{ending}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(done.text, media_type=media, headers=headers)


@router.post(
    "/close",
    operation_id="closeLedger",
    summary="Close all days of a seller through one",
    response_model=Closing,
)
async def close(
    content: Annotated[CloseRequest, Body(openapi_examples=_CLOSE)],
    caller: Annotated[Caller, may("accounting:write")],
    once: Keyed,
) -> Response:
    """They take no more entries, and stay closed for ever. A closed day stays as it is."""
    its_seller = await caller.seller(content.seller)
    who = caller.who(content.by)
    return await once.in_database(
        lambda here: here.accounting.close(its_seller.seller, content.through, who=who)
    )
