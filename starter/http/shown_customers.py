"""Customers as the API tells them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.customers.care import ConsentKind
from domain.customers.ids import customer_id
from domain.views.order_snapshot import AmountText, FulfilmentStatus, OrderState
from starter.http.amounts import told
from starter.http.shown_money import ShownAccount, account_of
from starter.http.shown_vouchers import ShownVoucher, voucher_of
from starter.service.customer_care import KeptNote
from starter.service.customer_pages import CustomerPage
from store.customers.finding import FoundCustomer
from store.customers.pages import Happening, KnownAs, OpenTask, Sums, TheirOrder
from store.messages.rows import MessageRow


class _Shown(BaseModel):
    model_config = ConfigDict(frozen=True)


class CustomerHit(_Shown):
    """A customer on one line, as the latest of the orders that the key sees says."""

    customer_id: str
    name: str | None
    email: str | None
    phone: str | None
    company: str | None
    orders: int
    last_order_id: str
    last_order_at: datetime


class CustomerOrder(_Shown):
    """One of a customer's orders, on one line. `paid`: of `total`; `paid_back`: of `paid`."""

    order_id: str
    channel: str
    seller: str
    channel_order_id: str
    placed_at: datetime
    state: OrderState
    fulfilment_status: FulfilmentStatus
    currency: str
    total: AmountText
    paid: AmountText
    paid_back: AmountText


class CustomerSums(_Shown):
    """What the orders in one currency come to.

    `orders_not_kept`: rejected, or cancelled as a whole; `ordered` is without these.
    `returned_percent`: of a hundred units that were delivered, so many came back.
    """

    currency: str
    orders: int
    orders_not_kept: int
    ordered: AmountText
    paid: AmountText
    paid_back: AmountText
    owed_back: AmountText
    units_delivered: int
    units_returned: int
    returned_percent: Annotated[str, Field(examples=["12.5"])]
    first_order_at: datetime
    last_order_at: datetime


class CustomerKnownAs(_Shown):
    """One name, mail address and so on. `value`: a text, or the fields of an address."""

    kind: str
    value: str | dict[str, Any]
    orders: int
    last_order_id: str
    last_at: datetime


class CustomerHappening(_Shown):
    """A return, a claim or a refund, with its state. Only a refund has an amount."""

    kind: Literal["return", "claim", "refund"]
    order_id: str
    id: str
    state: str
    reason: str
    currency: str | None
    amount: AmountText | None
    at: datetime


class CustomerTask(_Shown):
    """What somebody has still to do about an order."""

    kind: str
    order_id: str
    id: str
    what: str
    since: datetime


class CustomerWish(_Shown):
    """Whether a customer wishes messages of a kind; with when they last said so, if they did."""

    kind: ConsentKind
    given: bool
    said_at: datetime | None


class CustomerMessage(_Shown):
    """A message to the customer, and what became of it."""

    message: str
    order_id: str
    kind: str
    state: str
    why: str | None
    sent_at: datetime | None


class ShownCustomer(_Shown):
    """A customer. Lists have the latest 20; `tasks`, the oldest; orders have a list, too.

    `known_as`: names, mail addresses, addresses and so on that the orders have. `merged` (others
    who are this person), `credit`, `vouchers`, `notes`, `consent`, `segments` and `messages` are
    of the person as a whole: a key for some channels or sellers sees none.
    """

    customer_id: str
    merged: tuple[str, ...]
    known_since: datetime
    known_as: tuple[CustomerKnownAs, ...]
    sums: tuple[CustomerSums, ...]
    orders: tuple[CustomerOrder, ...]
    happened: tuple[CustomerHappening, ...]
    tasks: tuple[CustomerTask, ...]
    credit: tuple[ShownAccount, ...]
    vouchers: tuple[ShownVoucher, ...]
    notes: tuple[KeptNote, ...]
    consent: tuple[CustomerWish, ...]
    segments: tuple[str, ...]
    messages: tuple[CustomerMessage, ...]


def hit_of(one: FoundCustomer) -> CustomerHit:
    """A customer who was found."""
    return CustomerHit(
        customer_id=customer_id(one.customer_no), **one.model_dump(exclude={"customer_no"})
    )


def order_of(order: TheirOrder) -> CustomerOrder:
    """One of a customer's orders."""
    fields = told(order)
    del fields["order_no"]
    return CustomerOrder(**fields)


def customer_of(page: CustomerPage) -> ShownCustomer:
    """A customer's page."""
    return ShownCustomer(
        customer_id=page.customer_id,
        merged=tuple(page.merged),
        known_since=page.known_since,
        known_as=tuple(_known_as(one) for one in page.known_as),
        sums=tuple(_sums(one) for one in page.sums),
        orders=tuple(order_of(one) for one in page.orders),
        happened=tuple(_happening(one) for one in page.happened),
        tasks=tuple(_task(one) for one in page.tasks),
        credit=tuple(account_of(one) for one in page.credit),
        vouchers=tuple(voucher_of(one) for one in page.vouchers),
        notes=tuple(page.notes),
        consent=tuple(
            CustomerWish(
                kind=one.kind, given=one.given, said_at=one.said[0].at if one.said else None
            )
            for one in page.consent
        ),
        segments=tuple(page.segments),
        messages=tuple(_message(one) for one in page.messages),
    )


def _known_as(one: KnownAs) -> CustomerKnownAs:
    return CustomerKnownAs(**dict(one))


def _sums(one: Sums) -> CustomerSums:
    return CustomerSums(**told(one), returned_percent=str(one.returned_percent))


def _happening(one: Happening) -> CustomerHappening:
    return CustomerHappening(**told(one))


def _task(one: OpenTask) -> CustomerTask:
    return CustomerTask(**dict(one))


def _message(one: MessageRow) -> CustomerMessage:
    fields = one.model_dump(include=set(CustomerMessage.model_fields))
    return CustomerMessage(message=one.message, **fields)
