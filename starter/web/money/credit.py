"""Store credit of a customer: the accounts, what happened on them, and a gift."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import Response

from domain.customers.ids import customer_id
from domain.errors import InvalidInput, Refused
from domain.payments.value_requests import CreditRequest
from starter.web.money.parts import (
    check_known,
    chosen_of,
    customers_called,
    names_of,
    own_sellers,
    sellers_of,
    show,
)
from starter.web.screens.addresses import PAGE
from starter.web.screens.forms import met, told_by
from starter.web.screens.visits import ScreenRoute, Visit, may
from store.payments.credit_accounts import CreditAccount

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

Reads = Annotated[Visit, may("payments:read", "customers:read")]
Gives = Annotated[Visit, may("payments:read", "customers:read", "payments:write")]
_CUSTOMER_MAX: Final = 200
_FIELDS: Final = ("amount", "currency", "reason", "seller")


@router.get("/app/money/credit")
async def credit(visit: Reads, customer: str = "", done: str = "") -> Response:
    """Of the customer whom an id, ours or the channel's, or a mail address names."""
    return await _show(visit, customer.strip()[:_CUSTOMER_MAX], told=told_by(visit, done))


@router.post("/app/money/credit")
async def give(visit: Gives) -> Response:
    """Give some as a gift; it is booked at once."""
    customer = visit.field("customer")[:_CUSTOMER_MAX]

    async def act() -> str:
        said: dict[str, Any] = {name: visit.field(name) for name in _FIELDS if visit.field(name)}
        if "amount" in said:
            said["amount"] = visit.amount("amount")
        asked = CreditRequest.model_validate({**said, "customer": customer})
        if visit.person.grant.channels is not None:
            raise Refused("store credit is of no channel", reason="of_all_channels")
        known = await sellers_of(visit)
        whose = chosen_of(known, asked.seller or "") or (known[0] if len(known) == 1 else None)
        if whose is None:
            raise InvalidInput(visit.words("say_seller"), where="seller")
        await check_known(visit, asked.customer)
        await visit.here.credit.grant(
            visit.field("request_id"),
            asked.customer,
            asked.money,
            seller=whose.seller,
            sellers=own_sellers(visit),
            who=visit.person.who,
            why=asked.reason,
        )
        return "credit_given"

    async def again(status: int, trouble: Sequence[str]) -> Response:
        return await _show(visit, customer, status=status, trouble=trouble)

    then = f"app/money/credit?{urlencode({'customer': customer})}"
    return await met(visit, act, then, again)


async def _show(
    visit: Visit,
    customer: str,
    *,
    status: int = 200,
    told: str = "",
    trouble: Sequence[str] = (),
) -> Response:
    door = visit.here.credit
    # Credit is of no channel: who sees some channels alone sees nobody's.
    sees_any = bool(customer) and visit.person.grant.channels is None
    known = await customers_called(visit, customer) if sees_any else ()
    accounts: dict[str, CreditAccount] = {}
    for name in [customer, *(one.customer_id for one in known)] if sees_any else []:
        found = await door.accounts(name, sellers=own_sellers(visit), at_most=PAGE)
        accounts |= {one.account_id: one for one in found}
    if sees_any and not known and not accounts and not visit.faults:
        visit.faults = {"customer": visit.words("why_no_customer")}
    last = known[0] if known else None
    preset = {"currency": last.currency, "seller": last.seller} if last else {}
    return show(
        visit,
        "credit",
        status=status,
        told=told,
        trouble=trouble,
        customer=customer,
        last=last,
        ours=customer_id(last.customer_no) if last else "",
        accounts=[
            (one, (await door.history(one.account_id, at_most=PAGE))[::-1])
            for one in accounts.values()
        ],
        sellers=names_of(await sellers_of(visit)),
        may_write=visit.person.allows("payments:write") and bool(known or accounts),
        said={name: visit.field(name) or preset.get(name, "") for name in _FIELDS},
        request_id=visit.field("request_id") or f"screen-{uuid.uuid4().hex}",
    )
