"""Money that needs a look, and store credit."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Query
from starlette.responses import Response

from domain.errors import NotFound
from domain.fields import CustomerId, Who
from domain.payments.value_requests import CreditRequest
from starter.http.callers import Caller, may
from starter.http.once import Keyed
from starter.http.paging import Page, Paged
from starter.http.reading import StrictRoute
from starter.http.shown_money import (
    OwedRefund,
    ShownAccount,
    ShownDispute,
    ShownOperation,
    UnsettledPayment,
    account_of,
    dispute_of,
    operation_of,
    payment_of,
    refund_of,
)
from starter.service.service import Records
from store.payments.provider_reads import ProviderEventRow

router = APIRouter(prefix="/v1", tags=["payments"], route_class=StrictRoute)


class CreditGrant(CreditRequest):
    """Store credit as a gift. `seller`: whose debt it is; left out where there is one alone."""

    by: Who | None = None


_GRANT: Final[dict[str, Any]] = {
    "a late parcel": {
        "value": {
            "customer": "ALFKI",
            "amount": "25.00",
            "currency": "EUR",
            "reason": "the parcel came late",
            "seller": "main",
            "by": "anna",
        }
    }
}


@router.get(
    "/payments/unsettled",
    operation_id="listUnsettledPayments",
    summary="List payments without a known outcome, the oldest first",
)
async def list_unsettled(
    caller: Annotated[Caller, may("payments:read")], paged: Paged
) -> Page[UnsettledPayment]:
    """Their orders look them up at the company by themselves, and ask for a person in the end."""
    asked: dict[str, Any] = {"channels": caller.channels, "sellers": caller.sellers}
    found = await caller.here.payments.unsettled(
        **asked, after=_moment(paged.after(asked)), at_most=paged.at_most
    )
    return paged.page(
        asked,
        found,
        place=lambda one: (one.requested_at.isoformat(), one.payment_key),
        show=payment_of,
    )


@router.get(
    "/refunds/owed",
    operation_id="listOwedRefunds",
    summary="List refunds that are owed, the oldest first",
)
async def list_owed(
    caller: Annotated[Caller, may("payments:read")], paged: Paged
) -> Page[OwedRefund]:
    """Granted, and not paid in full; or paid, and sent back by the customer's bank."""
    asked: dict[str, Any] = {"channels": caller.channels, "sellers": caller.sellers}
    found = await caller.here.payments.owed(
        **asked, after=_moment(paged.after(asked)), at_most=paged.at_most
    )
    return paged.page(
        asked,
        found,
        place=lambda one: (one.granted_at.isoformat(), one.refund_id),
        show=refund_of,
    )


@router.get("/disputes", operation_id="listDisputes", summary="List disputes, newest first")
async def list_disputes(
    caller: Annotated[Caller, may("payments:read")],
    paged: Paged,
    order_id: Annotated[str | None, Query(max_length=300)] = None,
    open_only: Annotated[bool, Query(alias="open", description="Those not decided.")] = False,
) -> Page[ShownDispute]:
    """Payments that customers' banks took back or ask about, with the deadline for evidence."""
    if order_id is not None:
        await caller.check_order(order_id)
    asked: dict[str, Any] = {
        "order_id": order_id,
        "open_only": open_only,
        "channels": caller.channels,
        "sellers": caller.sellers,
    }
    found = await caller.here.payments.disputes(
        **asked, after=_named(paged.after(asked)), at_most=paged.at_most
    )
    return paged.page(
        asked,
        found,
        place=lambda one: (one.opened_at.isoformat(), one.provider, one.dispute_id),
        show=dispute_of,
    )


@router.get(
    "/provider-events",
    operation_id="listProviderEvents",
    summary="List payment companies' events, newest first",
)
async def list_provider_events(
    caller: Annotated[Caller, may("payments:read")],
    paged: Paged,
    failed: Annotated[bool, Query(description="Those that could not be processed yet.")] = False,
) -> Page[ProviderEventRow]:
    """What companies told us, and what became of it; without the messages themselves."""
    caller.check_sees_all("payment companies' events")
    asked: dict[str, Any] = {"failed": failed}
    found = await caller.here.payments.provider_events(
        **asked, after=_named(paged.after(asked)), at_most=paged.at_most
    )
    return paged.page(
        asked,
        found,
        place=lambda one: (one.received_at.isoformat(), one.provider, one.event_id),
        show=lambda one: one,
    )


@router.get(
    "/credit",
    operation_id="listCreditAccounts",
    summary="List a customer's accounts of store credit",
)
async def list_accounts(
    caller: Annotated[Caller, may("payments:read")],
    paged: Paged,
    customer: Annotated[CustomerId, Query(examples=["ALFKI"])],
) -> Page[ShownAccount]:
    """One for each seller and currency. Credit is a seller's: a key for channels sees none."""
    sellers = caller.sellers if caller.channels is None else []
    asked: dict[str, Any] = {"customer": customer, "sellers": sellers}
    place = paged.after(asked)
    after = None if place is None else (str(place[0]), str(place[1]))
    found = await caller.here.credit.accounts(
        customer, sellers=sellers, after=after, at_most=paged.at_most
    )
    return paged.page(asked, found, place=lambda one: (one.seller, one.currency), show=account_of)


@router.get(
    "/credit/{account_id}/operations",
    operation_id="listCreditOperations",
    summary="List what happened on an account of store credit, the latest first",
)
async def list_operations(
    account_id: str, caller: Annotated[Caller, may("payments:read")], paged: Paged
) -> Page[ShownOperation]:
    """Given, authorized by an order, spent, set free, put back."""
    account = await caller.here.credit.account(account_id)
    if not caller.grant.sees(None, account.seller):
        raise NotFound(f"there is no account of store credit {account_id}")
    place = paged.after({})
    found = await caller.here.credit.history(
        account_id, before=None if place is None else int(place[0]), at_most=paged.at_most
    )
    return paged.page({}, found[::-1], place=lambda one: [one.operation_id], show=operation_of)


@router.post(
    "/credit",
    operation_id="grantCredit",
    summary="Give a customer store credit as a gift",
    status_code=201,
    response_model=ShownAccount,
)
async def grant_credit(
    content: Annotated[CreditGrant, Body(openapi_examples=_GRANT)],
    caller: Annotated[Caller, may("payments:write")],
    once: Keyed,
) -> Response:
    """It is booked at once. The account's id is the token with which an order is paid by it.

    `customer` may also be our own id or a mail address of one who has ordered. Anybody else is
    taken to be a customer who has not ordered yet.

    For the refund of an order ask that order instead.
    """
    if caller.channels is not None:
        caller.check_sees_all("store credit")
    seller = content.seller
    if seller is not None or caller.sellers is not None:
        seller = (await caller.seller(seller or "")).seller

    async def given(here: Records) -> ShownAccount:
        return account_of(
            await here.credit.grant(
                once.request_id,
                content.customer,
                content.money,
                seller=seller,
                sellers=caller.sellers,
                who=caller.who(content.by),
                why=content.reason,
            )
        )

    return await once.in_database(given, status=201)


def _moment(place: list[Any] | None) -> tuple[datetime, str] | None:
    return None if place is None else (datetime.fromisoformat(place[0]), str(place[1]))


def _named(place: list[Any] | None) -> tuple[datetime, str, str] | None:
    if place is None:
        return None
    return datetime.fromisoformat(place[0]), str(place[1]), str(place[2])
