"""The trial balance: each account at the end of a day, and what some days have moved on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from domain.accounting.accounts import Account
from starter.web.money.parts import names_of, one_of, sellers_of, show
from starter.web.screens.addresses import day_in
from starter.web.screens.visits import ScreenRoute, Visit, may
from store.accounting.account_reads import Moved
from store.accounting.ledger import Posting

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)


@dataclass(frozen=True)
class Row:
    """An account in a currency, in minor units: at the end, and moved by the days before that."""

    account: Account
    currency: str
    after: int
    debit: int
    credit: int

    @property
    def before(self) -> int:
        """Its balance before these days."""
        return self.after - self.debit + self.credit


@router.get("/app/money/balance")
async def balance(
    visit: Annotated[Visit, may("accounting:read")],
    seller: str = "",
    first: str = "",
    last: str = "",
) -> Response:
    """A seller's, at the end of `last`, or now. `first`: with what was moved from then on."""
    known = await sellers_of(visit)
    whose = one_of(known, seller)
    door = visit.here.accounting
    since, until = day_in(first), day_in(last)
    after = await door.trial_balance(whose.seller, until)
    moved: Sequence[Moved] = ()
    if since is not None:
        to = until or await door.today(whose.seller)
        moved = await door.moved(whose.seller, since, to)
    rows = rows_of(after, moved)
    return show(
        visit,
        "balance",
        filters={
            "seller": whose.seller,
            "first": since.isoformat() if since else "",
            "last": until.isoformat() if until else "",
        },
        sellers=names_of(known),
        since=since,
        day_before=None if since is None else since - timedelta(days=1),
        until=until,
        closed=await door.closed_through(whose.seller),
        currencies=[
            (currency, [one for one in rows if one.currency == currency])
            for currency in sorted({one.currency for one in rows})
        ],
        may_close=visit.person.allows("accounting:write"),
    )


def rows_of(after: Sequence[Posting], moved: Sequence[Moved]) -> list[Row]:
    """A row for each account and currency that is not at zero, or was moved, as the chart goes."""
    balances = {(one.account, one.currency): one.amount_minor for one in after}
    movements = {(one.account, one.currency): one for one in moved}
    places = {account: place for place, account in enumerate(Account)}
    keys = sorted({*balances, *movements}, key=lambda key: (key[1], places[key[0]]))
    return [
        Row(
            *key,
            balances.get(key, 0),
            movements[key].debit_minor if key in movements else 0,
            movements[key].credit_minor if key in movements else 0,
        )
        for key in keys
    ]
