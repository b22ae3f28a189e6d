"""Customers, found and shown to those who speak with them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from domain.fields import CustomerId
from starter.http.callers import Caller, may
from starter.http.paging import Page, Paged
from starter.http.reading import StrictRoute
from starter.http.shown_customers import (
    CustomerHit,
    CustomerOrder,
    ShownCustomer,
    customer_of,
    hit_of,
    order_of,
)
from starter.service.customers import Part

router = APIRouter(prefix="/v1/customers", tags=["customers"], route_class=StrictRoute)

OurId = Annotated[
    str,
    Path(max_length=100, description="As `GET /v1/customers` tells it.", examples=["C1"]),
]


@router.get("", operation_id="findCustomers", summary="Find customers")
async def find_customers(
    caller: Annotated[Caller, may("customers:read")],
    paged: Paged,
    q: Annotated[CustomerId, Query(description="What to look for.", examples=["kim@example.com"])],
) -> Page[CustomerHit]:
    """By an id, ours or the channel's, a mail address, an order's id or number: the whole of it.

    By a phone number: its last digits, four or more. By names: how words of them begin. Those who
    have an order that the key sees; the latest customer first.
    """
    part = part_of(caller)
    asked = {"q": q, "channels": caller.channels, "sellers": caller.sellers}
    place = paged.after(asked)
    found = await caller.here.customer_pages.found(
        q, part=part, after=None if place is None else int(place[0]), at_most=paged.at_most
    )
    return paged.page(asked, found, place=lambda one: [one.customer_no], show=hit_of)


@router.get("/{customer_id}", operation_id="getCustomer", summary="Read a customer's page")
async def get_customer(
    customer_id: OurId, caller: Annotated[Caller, may("customers:read")]
) -> ShownCustomer:
    """Who it is, orders, what they come to, returns, claims, refunds, and what is still to be done.

    A key for some channels or sellers reads what these orders say.
    """
    return customer_of(await caller.here.customer_pages.page(customer_id, part=part_of(caller)))


@router.get(
    "/{customer_id}/orders",
    operation_id="listCustomerOrders",
    summary="List a customer's orders, newest first",
)
async def list_orders(
    customer_id: OurId, caller: Annotated[Caller, may("customers:read")], paged: Paged
) -> Page[CustomerOrder]:
    """Those of the key's channels and sellers."""
    asked = {"channels": caller.channels, "sellers": caller.sellers}
    place = paged.after(asked)
    found = await caller.here.customer_pages.orders(
        customer_id,
        part=part_of(caller),
        after=None if place is None else int(place[0]),
        at_most=paged.at_most,
    )
    return paged.page(asked, found, place=lambda one: [one.order_no], show=order_of)


def part_of(caller: Caller) -> Part:
    """Which orders the caller sees."""
    return Part(channels=caller.channels, sellers=caller.sellers)
