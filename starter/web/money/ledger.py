"""Entries of the journal: the latest first, of an account, a currency, an order, some days."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final

from fastapi import APIRouter
from starlette.responses import Response

from domain.accounting.accounts import Account
from starter.web.money.parts import names_of, one_of, own_sellers, sellers_of, show
from starter.web.screens.addresses import PAGE, day_in, place_in, query_of
from starter.web.screens.visits import ScreenRoute, Visit, may

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

ACCOUNTS: Final = tuple(Account)
_ID_MAX: Final = 300
_CURRENCY_LETTERS: Final = 3


@router.get("/app/money/ledger")
async def entries(
    visit: Annotated[Visit, may("accounting:read")],
    seller: str = "",
    account: str = "",
    currency: str = "",
    order: str = "",
    first: str = "",
    last: str = "",
    after: str = "",
) -> Response:
    """A seller's. `first`, `last`: of these days, by the seller's calendar.

    An order's entries stand in the books of its seller, whichever is chosen.
    """
    known = await sellers_of(visit)
    whose = one_of(known, seller)
    chosen = next((one for one in ACCOUNTS if one == account), None)
    money = currency.strip().upper()
    money = money if len(money) == _CURRENCY_LETTERS and money.isalpha() else ""
    order_id = order.strip()[:_ID_MAX]
    since, until = day_in(first), day_in(last)
    place = place_in(after, date, int)
    before = None if place is None else (place[0], place[1])
    looked_to: tuple[date, int] | None = None
    if order_id or (chosen is None and not money):
        found = await visit.here.accounting.entries(
            PAGE + 1,
            order_id or None,
            None if order_id else whose.seller,
            first=since,
            last=until,
            sellers=own_sellers(visit),
            before=before,
        )
        latest = found[::-1][:PAGE]
        if len(found) > PAGE:
            looked_to = (latest[-1].booked_on, latest[-1].entry_id)
        if order_id:
            latest = [
                entry
                for entry in latest
                if any(
                    chosen in (None, posting.account) and money in ("", posting.currency)
                    for posting in entry.postings
                )
            ]
    else:
        of_account = await visit.here.accounting.entries_of_account(
            whose.seller,
            chosen,
            currency=money or None,
            first=since,
            last=until,
            before=before,
            at_most=PAGE,
        )
        latest, looked_to = of_account.entries, of_account.looked_to
    filters = {
        "seller": whose.seller,
        "account": chosen or "",
        "currency": money,
        "order": order_id,
        "first": since.isoformat() if since else "",
        "last": until.isoformat() if until else "",
    }
    return show(
        visit,
        "ledger",
        entries=latest,
        more=query_of(filters, looked_to) if looked_to else "",
        looked_to=looked_to,
        filters=filters,
        accounts=[(one, visit.words(f"account_{one}")) for one in ACCOUNTS],
        sellers=names_of(known),
    )
