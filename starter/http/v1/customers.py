"""The persons behind orders: shown, handed out whole, and erased."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Query
from pydantic import BaseModel, ConfigDict
from starlette.responses import JSONResponse, Response

from domain.fields import CustomerId, Document, Reason, Who
from domain.money import amounts_as_text
from starter.http.callers import Caller, may
from starter.http.once import Keyed
from starter.http.paging import Page, Paged
from starter.http.reading import StrictRoute
from starter.http.shown_money import ShownAccount, account_of
from starter.http.v1.customer_pages import part_of
from starter.service.customers import Erased, ErasedOrder, about
from store.customers.people import KnownFor, PersonsOrder

router = APIRouter(prefix="/v1/customers", tags=["customers"], route_class=StrictRoute)

ORDERS_MAX: Final = 1_000
"""More orders than these would not be handed out within the time of an answer."""


class _Shown(BaseModel):
    model_config = ConfigDict(frozen=True)


class KnownOrder(_Shown):
    """One order of a person, with what is known of them, as it was placed.

    `known_for`: why the person has still to be known; null where nothing happens to it any more.
    """

    order_id: str
    channel: str
    seller: str
    state: str
    placed_at: datetime
    received_at: datetime
    customer_id: str
    asked_at: datetime | None
    erased_at: datetime | None
    known_for: KnownFor | None
    about: dict[str, Any]


class Handed(_Shown):
    """All that is stored about a person."""

    customer: str
    orders: tuple[dict[str, Any], ...]
    credit: tuple[dict[str, Any], ...]
    vouchers: tuple[dict[str, Any], ...]
    notes: tuple[dict[str, Any], ...]
    consent: tuple[dict[str, Any], ...]
    merges: tuple[dict[str, Any], ...]
    segments: tuple[dict[str, Any], ...]


class EraseRequest(Document):
    """Whom to erase: an id as the channel has it, or a mail address.

    `reason` is best written without a name: it stays in each order's story.
    """

    customer: CustomerId
    reason: Reason
    by: Who | None = None


class Erasure(_Shown):
    """What became of each order's person, and the accounts of credit with a balance, which stay."""

    orders: tuple[ErasedOrder, ...]
    credit: tuple[ShownAccount, ...]


_ERASE: Final[dict[str, Any]] = {
    "asked for by letter": {
        "value": {"customer": "ALFKI", "reason": "asked for on 2026-11-29", "by": "anna"}
    }
}
Customer = Annotated[
    CustomerId,
    Query(
        description="The customer's id as the channel has it, or a mail address.",
        examples=["ALFKI"],
    ),
]


@router.get(
    "/orders",
    operation_id="listOrdersOfCustomer",
    summary="List a person's orders with what is known of the person, newest first",
)
async def list_orders(
    caller: Annotated[Caller, may("customers:read")], paged: Paged, customer: Customer
) -> Page[KnownOrder]:
    """Those of the key's channels and sellers. A mail address may have ordered under several ids.

    Whom to ask for stands in the query and not in the path, so that no log of paths has it.
    """
    part = part_of(caller)
    asked = {"customer": customer, "channels": caller.channels, "sellers": caller.sellers}
    place = paged.after(asked)
    found = await caller.here.customers.orders_of(
        customer,
        part=part,
        after=None if place is None else int(place[0]),
        at_most=paged.at_most,
    )
    return paged.page(asked, found, place=lambda one: [one.order_no], show=_known)


@router.get(
    "/export",
    operation_id="exportCustomer",
    summary="Hand out what is stored about a person",
    response_model=Handed,
)
async def export(caller: Annotated[Caller, may("customers:read")], customer: Customer) -> Response:
    """Orders as they were placed, stories, documents, parcels, payments, returns, store credit.

    Without the files of labels, and without payment companies' raw messages. A key for some
    channels or sellers gets what is theirs. Up to 1,000 orders: the command line hands out more.
    """
    found = await caller.here.customers.export(
        customer, part=part_of(caller), orders_max=ORDERS_MAX
    )
    orders = [amounts_as_text(one, one["document"].get("currency")) for one in found["orders"]]
    return JSONResponse({**amounts_as_text(found), "orders": orders})


@router.post(
    "/erase",
    operation_id="eraseCustomer",
    summary="Erase a person",
    response_model=Erasure,
)
async def erase(
    content: Annotated[EraseRequest, Body(openapi_examples=_ERASE)],
    caller: Annotated[Caller, may("customers:write")],
    once: Keyed,
) -> Response:
    """At once where an order has ended, otherwise by itself as soon as it has.

    Amounts, units and days stay; invoices keep their buyer for as long as tax law wants. It is safe
    to repeat. A key for some channels or sellers erases what their orders say; other orders of the
    person stay, and so does store credit.
    """
    who = caller.who(content.by)

    async def erased() -> Erasure:
        done = await caller.here.customers.erase(
            content.customer, who=who, why=content.reason, part=part_of(caller)
        )
        return _told(done)

    return await once.safe_to_repeat(erased)


def _known(order: PersonsOrder) -> KnownOrder:
    told = order.model_dump(include=set(KnownOrder.model_fields))
    return KnownOrder(**told, about=about(order))


def _told(done: Erased) -> Erasure:
    return Erasure(orders=done.orders, credit=tuple(account_of(one) for one in done.credit))
