"""The tax of some days by country and rate: shown, printed, and as CSV for another program."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from domain.errors import UnknownCurrency
from domain.money import to_decimal
from domain.sellers import Seller
from starter.web.guards import HEADERS
from starter.web.money.parts import names_of, one_of, sellers_of, show
from starter.web.screens.addresses import day_in, query_of
from starter.web.screens.visits import ScreenRoute, Visit, may

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

Reads = Annotated[Visit, may("accounting:read")]
_COLUMNS = (
    "seller",
    "from",
    "to",
    "country",
    "rate",
    "category",
    "currency",
    "net",
    "tax",
    "gross",
)


@router.get("/app/money/taxes")
async def taxes(visit: Reads, seller: str = "", first: str = "", last: str = "") -> Response:
    """Invoices less credit notes of a seller, beside what is booked as tax. Else: this month."""
    whose, since, until = await _asked(visit, seller, first, last)
    report = await visit.here.accounting.taxes(whose.seller, since, until)
    filters = {
        "seller": whose.seller,
        "first": since.isoformat(),
        "last": until.isoformat(),
    }
    before = since.replace(day=1) - timedelta(days=1)
    month_before = {
        "seller": whose.seller,
        "first": before.replace(day=1).isoformat(),
        "last": before.isoformat(),
    }
    return show(
        visit,
        "taxes",
        filters=filters,
        query=query_of(filters),
        month_before=query_of(month_before),
        sellers=names_of(await sellers_of(visit)),
        whose=whose,
        since=since,
        until=until,
        report=report,
    )


@router.get("/app/money/taxes/csv")
async def as_csv(visit: Reads, seller: str = "", first: str = "", last: str = "") -> Response:
    """The same rows by country and rate."""
    whose, since, until = await _asked(visit, seller, first, last)
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(_COLUMNS)
    report = await visit.here.accounting.taxes(whose.seller, since, until)
    for one in report.countries:
        amounts = (
            _amount(x, one.currency) for x in (one.net_minor, one.tax_minor, one.total_minor)
        )
        told = (one.country or "", one.rate or "", one.category or "", one.currency)
        rows.writerow((whose.seller, since, until, *told, *amounts))
    name = f"taxes-{whose.seller}-{since}-{until}.csv"
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


async def _asked(visit: Visit, seller: str, first: str, last: str) -> tuple[Seller, date, date]:
    """Whose taxes, of which days: those that an address names, or this month."""
    whose = one_of(await sellers_of(visit), seller)
    today = await visit.here.accounting.today(whose.seller)
    since = day_in(first) or today.replace(day=1)
    return whose, since, max(day_in(last) or today, since)


def _amount(minor: int, currency: str) -> str:
    try:
        return format(to_decimal(minor, currency), "f")
    except UnknownCurrency:  # One row stops no file.
        return str(minor)
